// One view: its X-ray with heat, cursor and marks, zoomed and moved by hand, in pixels of the original image.

const SLACK = 4; // px that a click may move
const STEP = 1 / 64, FINE = 1 / 512; // of the longer side: how far an arrow key moves the cursor
const MOST_ZOOM = 24;
const MARKS = { true: "#6fcf97", false: "#ef7d72" };
const CURSOR = "#f2b45a";

/** Set up a canvas; `hands` hears hover(x, y), leave(), click(x, y). The result draws what `show(scene)` is given. */
export function makeView(canvas, { size: [height, width], square: [left, top, side] }, bitmap, hands) {
  const pen = canvas.getContext("2d"), longest = Math.max(width, height);
  let zoom = 1, middle = [width / 2, height / 2], press = null, scene = {}, waiting = false, keys = null;

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
  const isInside = ([x, y]) => x >= 0 && y >= 0 && x <= width && y <= height;
  const clamped = (value, most) => Math.min(most, Math.max(0, value));

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
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.save();
    const [x, y] = toCanvas([0, 0]);
    pen.beginPath();
    pen.rect(x, y, width * s, height * s);
    pen.clip();
    pen.imageSmoothingQuality = "high";
    pen.imageSmoothingEnabled = s < 4;
    pen.drawImage(bitmap, x, y, width * s, height * s);
    pen.imageSmoothingEnabled = true;
    if (scene.heat) {
      const [hx, hy] = toCanvas([left, top]);
      pen.drawImage(scene.heat.picture, hx, hy, side * s, side * s);
    }
    for (const mark of scene.marks ?? []) drawMark(mark, s);
    if (scene.heat?.best) ring(toCanvas([scene.heat.x, scene.heat.y]), 5, "#ffffff", 1);
    if (scene.cursor) cross(toCanvas(scene.cursor), scene.isPending);
    pen.restore();
  }

  function drawMark({ point, radius, match, number, isChosen }, s) {
    const at = toCanvas(point), colour = MARKS[match], reach = Math.max(3, (radius ?? 0) * s), beside = 0.7 * reach + 3;
    ring(at, reach, colour, isChosen ? 3.5 : 1.8);
    pen.font = "600 13px system-ui, sans-serif";
    pen.lineWidth = 3;
    pen.strokeStyle = "#000c";
    pen.strokeText(number, at[0] + beside, at[1] - beside);
    pen.fillStyle = colour;
    pen.fillText(number, at[0] + beside, at[1] - beside);
  }

  function ring([x, y], radius, colour, thick) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.stroke();
  }

  function cross([x, y], isPending) {
    const reach = isPending ? 12 : 8;
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(x + 2 * dx, y + 2 * dy);
      pen.lineTo(x + reach * dx, y + reach * dy);
    }
    pen.strokeStyle = CURSOR;
    pen.lineWidth = isPending ? 2.5 : 1.5;
    pen.stroke();
  }

  /** Change the zoom so that the point `keep` of the image stays where it is. */
  function zoomBy(factor, keep) {
    const before = zoom;
    zoom = Math.min(MOST_ZOOM, Math.max(1, zoom * factor));
    const share = 1 - before / zoom;
    moveTo(middle.map((value, axis) => value + share * (keep[axis] - value)));
  }

  function moveTo(place) {
    middle = zoom === 1 ? [width / 2, height / 2] : [clamped(place[0], width), clamped(place[1], height)];
    redraw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    press = { at: [event.clientX, event.clientY], middle, moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (press) {
      const apart = [event.clientX - press.at[0], event.clientY - press.at[1]];
      press.moved ||= Math.hypot(...apart) > SLACK;
      if (press.moved) return moveTo(press.middle.map((value, axis) => value - apart[axis] / scale()));
    }
    const point = toImage(event);
    if (isInside(point)) hands.hover(...point);
    else hands.leave();
  });
  canvas.addEventListener("pointerup", (event) => {
    const point = toImage(event), isClick = press && !press.moved;
    press = null;
    if (isClick && isInside(point)) hands.click(...point);
  });
  canvas.addEventListener("pointercancel", () => (press = null));
  canvas.addEventListener("pointerleave", () => press || hands.leave());
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoomBy(Math.exp(-0.0015 * event.deltaY * (event.deltaMode === 0 ? 1 : 33)), toImage(event));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 1 / MOST_ZOOM };
    if (moves[event.key]) {
      const step = longest * (event.shiftKey ? FINE : STEP);
      keys = keys ?? [width / 2, height / 2];
      keys = [clamped(keys[0] + step * moves[event.key][0], width), clamped(keys[1] + step * moves[event.key][1], height)];
      hands.hover(...keys);
    } else if (zooms[event.key]) {
      zoomBy(zooms[event.key], keys ?? middle);
    } else if ((event.key === "Enter" || event.key === " ") && keys) {
      hands.click(...keys);
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", () => {
    if (!canvas.matches(":focus-visible")) return;
    keys = keys ?? [width / 2, height / 2];
    hands.hover(...keys);
  });
  new ResizeObserver(redraw).observe(canvas);

  return {
    /** What to draw: heat, marks, cursor [x, y], isPending. */
    show(next) {
      scene = next;
      redraw();
    },
    /** Keys go on from where the mouse is. */
    follow(x, y) {
      keys = [x, y];
    },
  };
}
