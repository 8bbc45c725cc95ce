// The page: words, clicks and boxes go to the session behind it one after the other, and its answers are shown.

import { ask, tell } from "./api.js";
import { listen, showKeys } from "./keys.js";
import { maskPicture } from "./masks.js";
import { say, showChosen, showImages, showMasks, showNotes, sureness } from "./panel.js";
import { makeView } from "./view.js";
import { makeWords } from "./words.js";

const $ = (id) => document.getElementById(id);
const MARGIN = { mm: 10, px: 20 };
let state = null, layers = [], hovered = null, showsMasks = true, collimation = null, showsBox = false;
let line = Promise.resolve(), waiting = [], opening = false; // what the session is being told, in turn

const chosen = () => state.masks.find((mask) => mask.number === state.chosen);

// ------------------------------------------------------------------ showing
function show() {
  const mask = chosen(), opacity = Number($("opacity").value) / 100;
  const shown = showsMasks ? layers.map((layer) => ({ ...layer, opacity, isChosen: layer.number === state.chosen })) : [];
  const points = (mask?.points ?? []).map(([x, y, label]) => ({ x, y, label }));
  const boxes = mask?.box ? [{ box: mask.box, colour: mask.colour }] : [];
  for (const { point, box } of waiting) {
    if (point) points.push({ ...point, isWaiting: true });
    if (box) boxes.push({ box, colour: "#62b0e8", isWaiting: true });
  }
  view.show({ layers: shown, points, boxes, collimation: showsBox ? collimation : null });
  $("where").textContent = hovered ? `x ${hovered[0].toFixed(0)}, y ${hovered[1].toFixed(0)}` : "";
  const words = opening ? "opening the X-ray …" : waiting.length ? `answering ${waiting.length} …` : "";
  if ($("busy").textContent !== words) $("busy").textContent = words;
  document.body.dataset.waiting = waiting.length;
}

async function take(fresh) {
  const isOther = fresh.image !== state?.image || !state, before = state;
  state = fresh;
  if (isOther) await takeImage();
  $("undo").disabled = !state.steps[0];
  $("redo").disabled = !state.steps[1];
  $("save").textContent = state.saved ? "Saved" : "Save";
  $("save").disabled = state.saved;
  showImages(state);
  showMasks(state, hands);
  showChosen(chosen(), (candidate) => change("candidate", { candidate }));
  showNotes(state.notes);
  if (!isOther) announce(before);
  await takeMasks();
  await measure();
}

async function takeImage() {
  layers = [];
  collimation = null;
  $("fault").hidden = !state.fault;
  $("fault").textContent = state.fault ?? "";
  const unit = state.spacing ? "mm" : "px";
  if ($("unit").textContent !== unit || !$("margin").value) $("margin").value = MARGIN[unit];
  $("unit").textContent = unit;
  $("xray").setAttribute("aria-label", `${state.name}: arrows move the cursor, enter points inside, shift enter outside`);
  if (state.fault) return view.open(null);
  const picture = await createImageBitmap(await (await ask("picture")).blob());
  view.open(picture, state.size);
}

/** The pictures of the masks that show something; those of an answer that is out of date by now are skipped. */
async function takeMasks() {
  const seen = state.masks.filter((mask) => mask.visible);
  const pictures = await Promise.all(seen.map((mask) => maskPicture(mask).catch(() => null)));
  layers = seen.flatMap((mask, n) => (pictures[n] ? [{ ...pictures[n], number: mask.number }] : []));
}

/** Say plainly what was looked for and is not there. */
function announce(before) {
  const old = new Map(before.masks.map((mask) => [mask.number, mask.stamp]));
  const gone = state.masks.filter((mask) => !mask.visible && old.get(mask.number) !== mask.stamp);
  if (!gone.length) return;
  const names = gone.map((mask) => `“${mask.name}”`).join(", "), isWord = sureness(gone[0]) === "not visible";
  say(isWord ? `${names}: not visible in this X-ray` : `${names}: nothing found there`);
}

async function measure() {
  collimation = null;
  $("boxsize").textContent = "";
  const mask = chosen(), margin = Number($("margin").value);
  if (!showsBox || !mask?.visible || !(margin >= 0)) return;
  const { box, size_mm: size } = await tell("collimate", { mask: mask.number, margin });
  const [width, height] = [box[2] - box[0], box[3] - box[1]].map((side) => side.toFixed(0));
  const large = size ? ` · ${size[0].toFixed(1)} × ${size[1].toFixed(1)} mm at the detector` : "";
  collimation = box;
  $("boxsize").textContent = `${width} × ${height} px${large}`;
}

// ------------------------------------------------------------------ doing
/** Tell the session when it is this one's turn: clicks that come faster than the answers all count.
 *  `body` may be a function that says it then, or nothing if there is nothing to do by then. */
function change(name, body = {}, about = {}) {
  const entry = { ...about }, image = state.image;
  waiting.push(entry);
  show();
  line = line
    .then(async () => {
      const told = typeof body === "function" ? body() : body;
      if (told) await take(await tell(name, { image, ...told }));
      return Boolean(told);
    })
    .catch((error) => {
      say(error.message, true);
      return false;
    })
    .finally(() => {
      waiting = waiting.filter((one) => one !== entry);
      show();
    });
  return line;
}

/** With the mask that is chosen by then. */
function changeChosen(name, bodyOf) {
  return change(name, () => {
    const mask = chosen();
    if (!mask) say("choose a mask first (J)");
    return mask && bodyOf(mask);
  });
}

/** Clicks on an X-ray that is about to go are not meant for the next one. */
const isOpen = () => !opening && state && !state.fault;

async function open(number) {
  if (opening || number < 0 || number >= state.images.length || number === state.image) return;
  opening = true;
  await change("open", { image: number });
  opening = false;
  show();
  if (state.fault) say(state.fault, true);
}

/** The keys go to the X-ray then, so that A accepts and does not write. */
async function askFor(texts) {
  $("xray").focus();
  if (!isOpen() || !(await change("ask", { texts }))) return words.giveBack(texts);
  if (state.said) say(state.said);
}

const hands = {
  hover(...point) {
    hovered = point;
    show();
  },
  leave() {
    hovered = null;
    show();
  },
  point(x, y, inside) {
    if (isOpen()) change("point", { x, y, inside }, { point: { x, y, label: Number(inside) } });
  },
  box(box) {
    const [left, top, right, bottom] = box;
    if (isOpen()) change("box", { left, top, right, bottom }, { box });
  },
  choose: (mask) => change("choose", { mask }),
  accept: (mask, accepted) => change("accept", { mask, accepted }),
  remove: (mask) => change("delete", { mask }),
};

function step(by) {
  change("choose", () => {
    const numbers = state.masks.map((mask) => mask.number), at = numbers.indexOf(state.chosen), count = numbers.length;
    const next = at < 0 ? (by > 0 ? 0 : count - 1) : (at + by + count) % count;
    return count && { mask: numbers[next] };
  });
}

async function save() {
  if (!(await change("save", () => !state.saved && {}))) return;
  const left = state.masks.filter((mask) => !mask.accepted).length, kept = state.masks.length - left;
  if (state.said) return say(`${state.folder} holds the masks, but ${state.said}`, true);
  say(`saved ${kept} ${kept === 1 ? "mask" : "masks"} in ${state.folder}${left ? `; ${left} not accepted left out` : ""}`);
}

async function keepBox() {
  await line;
  const mask = chosen(), margin = Number($("margin").value);
  if (!mask) return say("choose a mask first (J)");
  try {
    say(`saved ${await tell("save_collimation", { mask: mask.number, margin })} in ${state.folder}`);
  } catch (error) {
    say(error.message, true);
  }
}

async function measured() {
  await line;
  await measure().catch((error) => say(error.message, true));
  show();
}

function toggleBox() {
  showsBox = !showsBox;
  $("collimate").setAttribute("aria-pressed", showsBox);
  measured();
}

function setOpacity(by) {
  $("opacity").value = Number($("opacity").value) + by;
  show();
}

const commands = {
  words: () => $("words").focus(),
  another: () => change("choose", { mask: null }),
  nextMask: () => step(1),
  previousMask: () => step(-1),
  accept: () => changeChosen("accept", ({ number, accepted }) => ({ mask: number, accepted: !accepted })),
  remove: () => changeChosen("delete", ({ number }) => ({ mask: number })),
  rename: () => $("name").select(),
  undo: () => change("undo"),
  redo: () => change("redo"),
  hide() {
    showsMasks = !showsMasks;
    show();
  },
  fainter: () => setOpacity(-10),
  stronger: () => setOpacity(10),
  collimate: toggleBox,
  keepBox,
  previous: () => open(state.image - 1),
  next: () => open(state.image + 1),
  save,
  help: () => $("keys").showModal(),
  first: () => changeChosen("candidate", () => ({ candidate: 0 })),
  second: () => changeChosen("candidate", () => ({ candidate: 1 })),
  third: () => changeChosen("candidate", () => ({ candidate: 2 })),
  giveUp() {
    if (document.activeElement.matches("input")) return $("xray").focus();
    if (!view.giveUp() && state.chosen !== null) change("choose", { mask: null });
  },
};

// ------------------------------------------------------------------ hands
const view = makeView($("xray"), hands);
const words = makeWords($("ask"), $("words"), $("suggestions"), askFor);
for (const name of ["undo", "redo", "previous", "next", "another", "accept", "save", "help", "collimate"])
  $(name).addEventListener("click", () => commands[name]());
$("delete").addEventListener("click", commands.remove);
$("keepbox").addEventListener("click", keepBox);
$("images").addEventListener("change", () => open(Number($("images").value)));
$("opacity").addEventListener("input", show);
$("margin").addEventListener("change", measured);
$("name").addEventListener("change", () => {
  const mask = chosen(), name = $("name").value;
  if (mask && name.trim()) change("rename", { mask: mask.number, name });
  else if (mask) $("name").value = mask.name;
});
$("candidates").addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], mask = chosen();
  if (!by || !mask) return;
  event.preventDefault();
  change("candidate", { candidate: (mask.candidate + by + mask.candidates.length) % mask.candidates.length });
});
addEventListener("beforeunload", (event) => state?.images.some((one) => !one.saved) && event.preventDefault());
showKeys($("keys").querySelector("dl"));
listen(commands, $("keys"));

try {
  await take(await tell("state"));
  show();
  document.body.dataset.ready = "true";
} catch (error) {
  say(error.message, true);
}
