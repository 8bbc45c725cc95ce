// What is drawn over an X-ray: masks, points, boxes, the cursor; on a 2D pen that is set to the canvas.

const INSIDE = "#6fcf97", OUTSIDE = "#ef7d72", CURSOR = "#f2b45a", LIGHT = "#ffe08a";

/** A point that was clicked: + inside, − outside; hollow while its answer is awaited. */
export function drawPoint(pen, [x, y], isInside, isWaiting) {
  const colour = isInside ? INSIDE : OUTSIDE;
  pen.beginPath();
  pen.arc(x, y, 6, 0, 2 * Math.PI);
  pen.fillStyle = isWaiting ? "#0008" : colour;
  pen.fill();
  pen.strokeStyle = isWaiting ? colour : "#000c";
  pen.lineWidth = 1.5;
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x - 3, y);
  pen.lineTo(x + 3, y);
  if (isInside) {
    pen.moveTo(x, y - 3);
    pen.lineTo(x, y + 3);
  }
  pen.strokeStyle = isWaiting ? colour : "#04140b";
  pen.stroke();
}

/** A box; dashed while it is drawn. */
export function drawBox(pen, [left, top], [right, bottom], colour, isDashed) {
  pen.save();
  pen.setLineDash(isDashed ? [6, 4] : []);
  for (const [style, thick] of [["#000a", 3.5], [colour, 1.8]]) {
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
  pen.restore();
}

/** A collimator's opening: dark around it. */
export function drawCollimation(pen, [left, top], [right, bottom], [x0, y0], [x1, y1]) {
  pen.beginPath();
  pen.rect(x0, y0, x1 - x0, y1 - y0);
  pen.rect(left, top, right - left, bottom - top);
  pen.fillStyle = "#0009";
  pen.fill("evenodd");
  drawBox(pen, [left, top], [right, bottom], LIGHT, false);
}

/** Where keys are. */
export function drawCursor(pen, [x, y]) {
  for (const [style, thick] of [["#000a", 3.5], [CURSOR, 1.5]]) {
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(x + 3 * dx, y + 3 * dy);
      pen.lineTo(x + 11 * dx, y + 11 * dy);
    }
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.stroke();
  }
}
