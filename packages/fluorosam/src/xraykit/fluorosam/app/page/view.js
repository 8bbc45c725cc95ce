// The X-ray, zoomed and moved by hand or keys, in pixels of the original image; clicks and boxes are told to `hands`.

import { drawBox, drawCollimation, drawCursor, drawPoint } from "./drawing.js";

const SLACK = 4; // px that a click may move
const STEP = 1 / 64, FINE = 1 / 512; // of the longer side: how far an arrow key moves the cursor
const MOST_ZOOM = 24;
const ACCENT = "#62b0e8";

/** Set up a canvas; `hands` hears hover(x, y), leave(), point(x, y, isInside), box([left, top, right, bottom]). */
export function makeView(canvas, hands) {
  const pen = canvas.getContext("2d");
  let bitmap = null, height = 1, width = 1, zoom = 1, middle = [0, 0], scene = {};
  let press = null, waiting = false, keys = null, corner = null, showsKeys = false, space = false;

  const scale = () => zoom * Math.min(canvas.clientWidth / width, canvas.clientHeight / height);
  const toImage = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      (event.clientX - box.left - box.width / 2) / scale() + middle[0],
      (event.clientY - box.top - box.height / 2) / scale() + middle[1],
    ];
  };
  const toCanvas = ([x, y]) => [
    (x - middle[0]) * scale() + canvas.clientWidth / 2,
    (y - middle[1]) * scale() + canvas.clientHeight / 2,
  ];
  const isInside = ([x, y]) => bitmap && x >= 0 && y >= 0 && x <= width && y <= height;
  const clamped = (value, most) => Math.min(most, Math.max(0, value));
  const within = ([x, y]) => [clamped(x, width), clamped(y, height)];
  const boxOf = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function draw() {
    const ratio = devicePixelRatio || 1, s = scale();
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    if (!bitmap) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const start = toCanvas([0, 0]), end = toCanvas([width, height]);
    const put = (picture) => pen.drawImage(picture, ...start, width * s, height * s);
    pen.save();
    pen.beginPath();
    pen.rect(...start, width * s, height * s);
    pen.clip();
    pen.imageSmoothingQuality = "high";
    pen.imageSmoothingEnabled = s < 4;
    put(bitmap);
    for (const { fill, outline, opacity, isChosen } of scene.layers ?? []) {
      pen.globalAlpha = opacity;
      put(fill);
      pen.globalAlpha = opacity && (isChosen ? 1 : 0.7);
      put(outline);
    }
    pen.globalAlpha = 1;
    const corners = ([left, top, right, bottom]) => [toCanvas([left, top]), toCanvas([right, bottom])];
    if (scene.collimation) drawCollimation(pen, ...corners(scene.collimation), start, end);
    for (const { box, colour, isWaiting } of scene.boxes ?? []) drawBox(pen, ...corners(box), colour, isWaiting);
    const drawn = press?.box ?? (corner && keys && boxOf(corner, keys));
    if (drawn) drawBox(pen, ...corners(drawn), ACCENT, true);
    pen.restore();
    for (const { x, y, label, isWaiting } of scene.points ?? []) drawPoint(pen, toCanvas([x, y]), label === 1, isWaiting);
    if (showsKeys && keys) drawCursor(pen, toCanvas(keys));
  }

  /** Change the zoom so that the point `keep` of the image stays where it is. */
  function zoomBy(factor, keep) {
    const before = zoom;
    zoom = Math.min(MOST_ZOOM, Math.max(1, zoom * factor));
    const share = 1 - before / zoom;
    moveTo(middle.map((value, axis) => value + share * (keep[axis] - value)));
  }

  function moveTo(place) {
    middle = zoom === 1 ? [width / 2, height / 2] : within(place);
    redraw();
  }

  /** Move the image so that the cursor of the keys can be seen. */
  function follow() {
    const [x, y] = toCanvas(keys), margin = 24;
    const apart = [[x, canvas.clientWidth], [y, canvas.clientHeight]].map(([at, size]) =>
      at < margin ? at - margin : at > size - margin ? at - size + margin : 0,
    );
    moveTo(middle.map((value, axis) => value + apart[axis] / scale()));
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!bitmap || event.button > 2) return;
    canvas.setPointerCapture(event.pointerId);
    showsKeys = false;
    const isMove = event.button === 1 || (event.button === 0 && (space || event.altKey));
    press = { at: [event.clientX, event.clientY], from: toImage(event), middle, isMove, button: event.button, moved: false };
    if (event.button === 1) event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    const point = toImage(event);
    if (press) {
      const apart = [event.clientX - press.at[0], event.clientY - press.at[1]];
      press.moved ||= Math.hypot(...apart) > SLACK;
      if (press.moved && press.isMove) return moveTo(press.middle.map((value, axis) => value - apart[axis] / scale()));
      if (press.moved && press.button === 0) {
        press.box = boxOf(within(press.from), within(point));
        redraw();
      }
    }
    if (isInside(point)) {
      keys = point;
      hands.hover(...point);
    } else hands.leave();
  });
  canvas.addEventListener("pointerup", (event) => {
    const point = toImage(event), was = press;
    press = null;
    redraw();
    if (!was || was.isMove) return;
    if (was.box) return was.box[2] > was.box[0] && was.box[3] > was.box[1] && hands.box(was.box);
    if (!was.moved && isInside(point)) hands.point(...point, was.button === 0 && !event.shiftKey);
  });
  canvas.addEventListener("pointercancel", () => {
    press = null;
    redraw();
  });
  canvas.addEventListener("pointerleave", () => press || hands.leave());
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoomBy(Math.exp(-0.0015 * event.deltaY * (event.deltaMode === 0 ? 1 : 33)), toImage(event));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !bitmap) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 1 / MOST_ZOOM };
    keys ??= [width / 2, height / 2];
    if (moves[event.key]) {
      const step = Math.max(width, height) * (event.shiftKey ? FINE : STEP);
      keys = within(keys.map((value, axis) => value + step * moves[event.key][axis]));
      showsKeys = true;
      follow();
      hands.hover(...keys);
    } else if (zooms[event.key]) zoomBy(zooms[event.key], keys);
    else if (event.key === "Enter" && !corner) hands.point(...keys, !event.shiftKey);
    else if (event.key.toLowerCase() === "b" || event.key === "Enter") setCorner();
    else if (event.key === " ") {
      space = true;
      canvas.classList.add("moving");
    } else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    space = false;
    canvas.classList.remove("moving");
  });

  function setCorner() {
    const from = corner, to = keys;
    corner = from ? null : keys;
    showsKeys = true;
    redraw();
    if (!from) return;
    const box = boxOf(from, to);
    if (box[2] > box[0] && box[3] > box[1]) hands.box(box);
  }

  canvas.addEventListener("focus", () => {
    if (!bitmap || !canvas.matches(":focus-visible")) return;
    keys ??= [width / 2, height / 2];
    showsKeys = true;
    redraw();
    hands.hover(...keys);
  });
  canvas.addEventListener("blur", () => {
    showsKeys = false;
    redraw();
  });
  new ResizeObserver(redraw).observe(canvas);

  return {
    /** Another X-ray, (height, width) of the original; null shows none. */
    open(picture, size) {
      bitmap = picture;
      [height, width] = size ?? [1, 1];
      [zoom, middle, keys, corner, press] = [1, [width / 2, height / 2], null, null, null];
      redraw();
    },
    /** What to draw: layers {fill, outline, opacity, isChosen}, points, boxes, collimation. */
    show(next) {
      scene = next;
      redraw();
    },
    /** Give a box up that was begun; whether there was one. */
    giveUp() {
      const had = Boolean(corner || press?.box);
      corner = press = null;
      redraw();
      return had;
    },
  };
}
