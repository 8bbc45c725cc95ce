// X-ray and rendering as one picture: blend, edges, checkerboard, difference, or one of them alone.

export const MODES = {
  blend: { label: "X-ray to DRR", mix: 0.5 },
  edges: { label: "Edge strength", mix: 0.5 },
  checker: { label: "Tile size", mix: 0.35 },
  difference: { label: "Gain", mix: 0.4, legend: [["#f2a541", "DRR is brighter"], ["#4f9be8", "X-ray is brighter"]] },
  xray: {},
  drr: {},
};
const EDGE = [255, 178, 62];

/** The grey values of a picture, stretched to width x height. */
export function greys(bitmap, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height).data;
  const values = new Uint8ClampedArray(width * height);
  for (let i = 0; i < values.length; i++) values[i] = pixels[4 * i];
  return values;
}

/** Fill `image` (ImageData) from the greys of the X-ray and of the rendering (null while there is none). */
export function compose(image, xray, drr, mode, mix) {
  const { width, height, data } = image;
  const none = drr === null;
  const paint = {
    blend: (i) => grey(data, i, none ? xray[i] : xray[i] + mix * (drr[i] - xray[i])),
    xray: (i) => grey(data, i, xray[i]),
    drr: (i) => grey(data, i, none ? 0 : drr[i]),
    checker: (i) => grey(data, i, !none && tile(i, width, 12 + mix * 150) ? drr[i] : xray[i]),
    difference: (i) => difference(data, i, none ? 0 : drr[i] - xray[i], 0.5 + 3 * mix),
    edges: (i) => grey(data, i, 0.85 * xray[i]),
  }[mode];
  for (let i = 0; i < xray.length; i++) paint(i);
  if (mode === "edges" && !none) edges(data, drr, width, height, mix);
}

function grey(data, i, value) {
  const at = 4 * i;
  data[at] = data[at + 1] = data[at + 2] = value;
  data[at + 3] = 255;
}

function tile(i, width, size) {
  return (Math.floor((i % width) / size) + Math.floor(Math.floor(i / width) / size)) % 2 === 1;
}

function difference(data, i, value, gain) {
  const at = 4 * i, strength = Math.min(1, (gain * Math.abs(value)) / 255);
  const colour = value > 0 ? [242, 165, 65] : [79, 155, 232];
  for (let c = 0; c < 3; c++) data[at + c] = 16 + strength * (colour[c] - 16);
  data[at + 3] = 255;
}

function edges(data, drr, width, height, mix) {
  const smooth = blurred(blurred(drr, width, height), width, height);
  const strength = new Float32Array(drr.length), across = new Int32Array(drr.length);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x, up = i - width, down = i + width;
      const gx = smooth[up + 1] + 2 * smooth[i + 1] + smooth[down + 1] - smooth[up - 1] - 2 * smooth[i - 1] - smooth[down - 1];
      const gy = smooth[down - 1] + 2 * smooth[down] + smooth[down + 1] - smooth[up - 1] - 2 * smooth[up] - smooth[up + 1];
      strength[i] = Math.hypot(gx, gy);
      across[i] = Math.abs(gx) > 2.4 * Math.abs(gy) ? 1 : Math.abs(gy) > 2.4 * Math.abs(gx) ? width : gx * gy > 0 ? width + 1 : width - 1;
    }
  }
  const sorted = strength.filter((_, i) => i % 11 === 0).sort();
  const floor = Math.max((0.95 - 0.9 * mix) * sorted[Math.floor(0.97 * sorted.length)], 1);
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      const i = y * width + x, s = strength[i];
      if (s <= floor) continue;
      if (s < strength[i - across[i]] || s < strength[i + across[i]]) continue; // no ridge: stronger across it
      const share = Math.min(1, 0.3 + (s - floor) / (2 * floor)), at = 4 * i;
      for (let c = 0; c < 3; c++) data[at + c] += share * (EDGE[c] - data[at + c]);
    }
  }
}

function blurred(values, width, height) {
  const across = new Float32Array(values), both = new Float32Array(values);
  for (let i = 2; i < values.length - 2; i++)
    across[i] = (values[i - 2] + 4 * values[i - 1] + 6 * values[i] + 4 * values[i + 1] + values[i + 2]) / 16;
  for (let i = 2 * width; i < values.length - 2 * width; i++)
    both[i] = (across[i - 2 * width] + 4 * across[i - width] + 6 * across[i] + 4 * across[i + width] + across[i + 2 * width]) / 16;
  return both;
}
