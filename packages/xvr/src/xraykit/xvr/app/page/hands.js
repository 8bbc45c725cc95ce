// Mouse and keys on the picture, as moves of the anatomy.

const TURN = 0.25; // degrees per pixel
const PAUSE = 700; // milliseconds after which wheel and keys begin a new gesture

/** Listen on the canvas; `moved(move, first)` hears of every move, `first` where a new gesture begins. */
export function listen(canvas, moved) {
  let last = null, quiet = 0, kind = "";

  function burst(name) {
    const now = performance.now(), first = name !== kind || now - quiet > PAUSE;
    kind = name;
    quiet = now;
    return first;
  }

  let fresh = true;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    last = [event.clientX, event.clientY];
    fresh = true;
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const dx = event.clientX - last[0], dy = event.clientY - last[1];
    if (!dx && !dy) return;
    last = [event.clientX, event.clientY];
    const move = event.shiftKey
      ? { turn: [TURN * dy, -TURN * dx, 0] }
      : { drag: [dx / canvas.clientWidth, dy / canvas.clientHeight] };
    moved(move, fresh);
    fresh = false;
    kind = "";
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (last = null));

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const notches = event.deltaY / (event.deltaMode === 0 ? 100 : 3), fine = event.altKey ? 0.1 : 1;
      if (event.ctrlKey) moved({ turn: [0, 0, 2 * notches * fine] }, burst("roll"));
      else moved({ zoom: Math.exp(0.02 * notches * fine) }, burst("depth"));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const move = keyMove(event.code, event.key, event.shiftKey, event.altKey ? 0.1 : 1);
    if (!move) return;
    event.preventDefault();
    moved(move, burst(`${event.code} ${event.shiftKey}`));
  });
}

function keyMove(code, key, shift, fine) {
  const towards = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[code];
  if (towards) {
    const [x, y] = towards;
    return shift ? { turn: [y * fine, -x * fine, 0] } : { add: { x: x * fine, y: y * fine } };
  }
  const depth = { "+": -5, "=": -5, "-": 5, _: 5 }[key];
  if (depth) return { add: { depth: depth * fine } };
  const roll = { "[": -1, "]": 1 }[key];
  return roll ? { turn: [0, 0, roll * fine] } : null;
}

/** Two moves one after the other as one. */
export function joined(first, second) {
  if (!first) return second;
  const sum = (a = [], b = []) => Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
  const move = { ...first, set: { ...first.set, ...second.set }, add: { ...first.add } };
  for (const name of Object.keys(second.set ?? {})) delete move.add[name];
  for (const [name, step] of Object.entries(second.add ?? {})) move.add[name] = (move.add[name] ?? 0) + step;
  if (first.drag || second.drag) move.drag = sum(first.drag, second.drag);
  if (first.turn || second.turn) move.turn = sum(first.turn, second.turn);
  move.zoom = (first.zoom ?? 1) * (second.zoom ?? 1);
  return move;
}
