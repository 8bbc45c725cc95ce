// Probabilities of all pairs of views, loaded once; the row of a point is looked up.

import { ask } from "./api.js";

const FULL = 65535; // probability 1
const FAINT = 0.02; // probability below which even the best place does not get full colour
const BORDER = 1e-6; // [px] a point on the far border is taken so far inside
const OPACITY = 0.75;
const COLOUR = [98, 176, 232];

/** Load every matrix; the table answers `heatOf(view, x, y)`. */
export async function loadHeat(views, grid) {
  const length = grid * grid, matrices = new Map();
  for (let first = 0; first < views.length; first++)
    for (let second = first + 1; second < views.length; second++) {
      const bytes = await (await ask("heat", { first, second })).arrayBuffer();
      matrices.set(`${first} ${second}`, new Uint16Array(bytes));
    }

  /** Probabilities of the patches of `other` for a patch of `view`. */
  function row(view, patch, other) {
    const values = new Float32Array(length), swapped = view > other;
    const matrix = matrices.get(swapped ? `${other} ${view}` : `${view} ${other}`);
    for (let n = 0; n < length; n++) values[n] = matrix[swapped ? n * length + patch : patch * length + n] / FULL;
    return values;
  }

  /** By other view: the best probability, where it is, and a small picture of the row. */
  return function heatOf(view, x, y) {
    const patch = patchAt(views[view], grid, x, y), heat = new Map();
    for (let other = 0; other < views.length; other++) {
      if (other === view) continue;
      const values = row(view, patch, other);
      let best = 0;
      for (let n = 1; n < length; n++) if (values[n] > values[best]) best = n;
      heat.set(other, { values, best: values[best], ...centre(views[other], grid, best) });
    }
    const peak = Math.max(FAINT, ...[...heat.values()].map(({ best }) => best));
    for (const entry of heat.values()) entry.picture = picture(entry.values, grid, peak);
    return heat;
  };
}

/** A point on the right or lower border belongs to the last patch that shows the image. */
function patchAt({ size: [height, width], square: [left, top, side] }, grid, x, y) {
  const cell = (value) => Math.min(grid - 1, Math.max(0, Math.floor((value / side) * grid)));
  return cell(Math.min(y, height - BORDER) - top) * grid + cell(Math.min(x, width - BORDER) - left);
}

function centre({ size: [height, width], square: [left, top, side] }, grid, patch) {
  const x = left + (((patch % grid) + 0.5) * side) / grid, y = top + ((Math.floor(patch / grid) + 0.5) * side) / grid;
  return { x: Math.min(width, Math.max(0, x)), y: Math.min(height, Math.max(0, y)) };
}

function picture(values, grid, peak) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = grid;
  const pen = canvas.getContext("2d"), image = pen.createImageData(grid, grid);
  values.forEach((value, n) => image.data.set([...COLOUR, Math.round(255 * OPACITY * Math.min(1, value / peak))], 4 * n));
  pen.putImageData(image, 0, 0);
  return canvas;
}
