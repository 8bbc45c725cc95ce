// The climb of a refinement: similarity over steps, with the places where the scale changed.

const INK = "#8b97a6", LINE = "#62b0e8", RULE = "#2b333e";

/** Draw steps [{scale, similarity, seconds}] into a canvas of CSS size. */
export function drawCurve(canvas, steps) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.clearRect(0, 0, width, height);
  pen.font = "11px system-ui, sans-serif";
  if (!steps.length) return;
  const values = steps.map((step) => step.similarity);
  const low = Math.min(...values), high = Math.max(...values), span = Math.max(high - low, 0.02);
  const left = 38, right = width - 8, top = 18, bottom = height - 18;
  const x = (n) => left + ((right - left) * n) / Math.max(1, steps.length - 1);
  const y = (value) => bottom - ((bottom - top) * (value - low)) / span;
  pen.fillStyle = INK;
  pen.textBaseline = "middle";
  for (const value of [low, low + span]) {
    pen.strokeStyle = RULE;
    line(pen, left, y(value), right, y(value));
    pen.textAlign = "right";
    pen.fillText(value.toFixed(2), left - 6, y(value));
  }
  steps.forEach((step, n) => {
    if (n && steps[n - 1].scale === step.scale) return;
    pen.strokeStyle = RULE;
    if (n) line(pen, x(n), top, x(n), bottom);
    const cramped = x(n) > right - 40;
    pen.textAlign = cramped ? "right" : "left";
    pen.fillText(`${step.scale} px`, cramped ? right : x(n) + 3, top - 9);
  });
  pen.strokeStyle = LINE;
  pen.lineWidth = 1.8;
  pen.lineJoin = "round";
  pen.beginPath();
  steps.forEach((step, n) => {
    // similarities of different scales are different numbers: the line begins anew with each
    if (n === 0 || steps[n - 1].scale !== step.scale) pen.moveTo(x(n), y(step.similarity));
    else pen.lineTo(x(n), y(step.similarity));
  });
  pen.stroke();
  pen.fillStyle = LINE;
  steps.forEach((step, n) => disc(pen, x(n), y(step.similarity), n === steps.length - 1 ? 3.2 : 1.8));
  const last = steps[steps.length - 1];
  pen.fillStyle = INK;
  pen.textAlign = "right";
  pen.fillText(`${steps.length} steps, ${last.seconds.toFixed(1)} s`, right, bottom + 10);
}

function disc(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

function line(pen, x0, y0, x1, y1) {
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}
