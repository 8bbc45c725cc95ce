// Pictures of masks: asked for once for each look of a mask, coloured, with an outline.

import { ask } from "./api.js";

const MOST = 80; // looks that are kept, so that undo needs no request
const THIN = 1 / 500; // of the longer side: how thick an outline is

const kept = new Map(); // stamp to a promise of {fill, outline}

/** The pictures of a mask: canvases `fill` and `outline` in its colour, or null where it is out of date by now. */
export function maskPicture(mask) {
  const { number, stamp, colour } = mask;
  let found = kept.get(stamp);
  if (!found) {
    found = ask("mask", { mask: number, stamp }).then((answer) => pictures(answer, colour));
    found.then((made) => made ?? kept.delete(stamp)).catch(() => kept.delete(stamp));
  }
  kept.delete(stamp);
  kept.set(stamp, found);
  while (kept.size > MOST) kept.delete(kept.keys().next().value);
  return found;
}

/** Draw a candidate, small, on a canvas. */
export async function drawCandidate(canvas, { number, stamp, colour }, candidate) {
  const answer = await ask("small", { mask: number, stamp, candidate });
  if (answer.status === 204) return;
  const small = await createImageBitmap(await answer.blob());
  [canvas.width, canvas.height] = [small.width, small.height];
  const scale = 76 / Math.max(small.width, small.height);
  canvas.style.width = `${small.width * scale}px`;
  canvas.style.height = `${small.height * scale}px`;
  canvas.getContext("2d").drawImage(tinted(small, colour), 0, 0);
}

async function pictures(answer, colour) {
  if (answer.status === 204) return null;
  const bitmap = await createImageBitmap(await answer.blob());
  const fill = tinted(bitmap, colour), outline = blank(bitmap), pen = outline.getContext("2d");
  const thick = Math.max(1, Math.round(Math.max(bitmap.width, bitmap.height) * THIN));
  for (const dx of [-thick, 0, thick]) for (const dy of [-thick, 0, thick]) pen.drawImage(fill, dx, dy);
  pen.globalCompositeOperation = "destination-out";
  pen.drawImage(bitmap, 0, 0);
  return { fill, outline };
}

function tinted(bitmap, colour) {
  const canvas = blank(bitmap), pen = canvas.getContext("2d");
  pen.drawImage(bitmap, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = colour;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

function blank({ width, height }) {
  return Object.assign(document.createElement("canvas"), { width, height });
}
