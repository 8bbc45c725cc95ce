// The page: heat follows the pointer, two clicks make a pair, and the session behind it keeps them.

import { ask, tell } from "./api.js";
import { loadHeat } from "./heat.js";
import { say, showNotes, showOverlap, showPairs } from "./panel.js";
import { makeView } from "./view.js";

const $ = (id) => document.getElementById(id);
let state, heatOf, views = [];
let pointed = null, pending = null, chosen = null; // {view, x, y} under the pointer, and clicked; number of a pair
let isMatch = true, doing = null; // the kind of the next pair; what the session is being told, a promise

// ------------------------------------------------------------------ showing
function show() {
  const source = pending ?? pointed, heat = source ? heatOf(source.view, source.x, source.y) : new Map();
  views.forEach((view, number) => {
    const at = [pointed, pending].find((point) => point?.view === number);
    const isPending = pending?.view === number;
    const cursor = isPending ? [pending.x, pending.y] : at && [at.x, at.y];
    view.show({ heat: heat.get(number), marks: marksOf(number), cursor, isPending });
  });
  $("where").textContent = source ? words(source, heat) : "";
  const partners = state.views.filter((_, number) => number !== pending?.view).map(({ letter }) => letter);
  $("stepwords").textContent = pending ? `now its partner in ${partners.join(" or ")}` : "click its first point";
}

function words({ view, x, y }, heat) {
  const places = [...heat].map(
    ([other, { best, x: bx, y: by }]) => `${state.views[other].letter} ${best.toFixed(2)} at ${bx.toFixed(0)}, ${by.toFixed(0)}`,
  );
  return `${state.views[view].letter} ${x.toFixed(0)}, ${y.toFixed(0)} → ${places.join(" · ")}`;
}

function marksOf(view) {
  return state.pairs.flatMap(({ views: pair, a, b, radius, match }, number) => {
    const end = pair.indexOf(view);
    return end < 0 ? [] : [{ point: end ? b : a, radius, match, number: number + 1, isChosen: number === chosen }];
  });
}

function take(fresh) {
  state = fresh;
  const { id, patient, split } = state.sample;
  $("sample").textContent = `${state.file} · ${id ?? "new sample"}${patient ? ` · patient ${patient}` : ""} · ${split}`;
  $("undo").disabled = !state.undo;
  $("save").textContent = state.saved ? "Saved" : "Save";
  $("save").disabled = state.saved;
  chosen = null;
  const choose = (number) => {
    chosen = number;
    show();
  };
  const mark = (pair, match) => act("mark", { pair, match });
  showPairs(state.pairs, state.views, { choose, mark, remove: (pair) => act("delete", { pair }) });
  show();
}

// ------------------------------------------------------------------ doing
/** Tell the session; true if it did. Nothing happens while another is under way: the list may be an old one then. */
async function act(name, body = {}) {
  if (doing) return false;
  doing = tell(name, body).then(take);
  try {
    await doing;
    return true;
  } catch (error) {
    say(error.message, true);
    return false;
  } finally {
    doing = null;
  }
}

/** A pair is never dropped: clicks that come faster than the answers wait for their turn. */
async function add(body) {
  while (doing) await doing.catch(() => {});
  return act("add", body);
}

async function click(view, x, y) {
  if (!pending || pending.view === view) {
    pending = { view, x, y };
    return show();
  }
  const first = pending, name = $("name").value;
  const radius = $("radius").value === "" ? null : Number($("radius").value);
  pending = null;
  $("name").value = "";
  show();
  if (await add({ a: first, b: { view, x, y }, match: isMatch, radius, name })) return;
  pending ??= first; // the first point stays, so that only the second is clicked again
  $("name").value ||= name;
  show();
}

async function save() {
  if (!state.saved && (await act("save"))) say(`saved ${state.pairs.length} ${state.pairs.length === 1 ? "pair" : "pairs"} in ${state.file}`);
}

function setKind(match) {
  isMatch = match;
  for (const kind of $("kinds").children) {
    const isOn = (kind.dataset.match === "true") === match;
    kind.setAttribute("aria-checked", isOn);
    kind.tabIndex = isOn ? 0 : -1;
  }
}

// ------------------------------------------------------------------ hands
for (const kind of $("kinds").children) kind.addEventListener("click", () => setKind(kind.dataset.match === "true"));
$("kinds").addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow")) return;
  setKind(!isMatch);
  $("kinds").querySelector("[aria-checked=true]").focus();
  event.preventDefault();
});
$("undo").addEventListener("click", () => act("undo"));
$("save").addEventListener("click", save);
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return save();
  }
  if (event.key === "Escape") {
    pending = null;
    return show();
  }
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "u") act("undo");
  if (event.key === "m") setKind(!isMatch);
});
addEventListener("beforeunload", (event) => state && !state.saved && event.preventDefault());

async function makeFigure(info, number) {
  const figure = document.createElement("figure"), canvas = document.createElement("canvas");
  const caption = Object.assign(document.createElement("figcaption"), { textContent: info.name });
  caption.prepend(Object.assign(document.createElement("b"), { textContent: info.letter }));
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `View ${info.letter}, ${info.name}: arrows move the cursor, enter marks a point`);
  figure.append(caption, canvas);
  $("views").append(figure);
  const bitmap = await createImageBitmap(await (await ask("xray", { view: number })).blob());
  const view = makeView(canvas, info, bitmap, {
    hover(x, y) {
      pointed = { view: number, x, y };
      view.follow(x, y);
      show();
    },
    leave() {
      pointed = null;
      show();
    },
    click: (x, y) => click(number, x, y),
  });
  return view;
}

setKind(true);
try {
  state = await tell("state");
  heatOf = await loadHeat(state.views, state.grid);
  for (const [number, info] of state.views.entries()) views.push(await makeFigure(info, number));
  const sides = state.views.map(({ square }) => square[2]);
  $("radius").value = Math.max(1, Math.round(Math.min(...sides) / state.grid / 4));
  showOverlap(state.overlap, state.views);
  showNotes(state.notes);
  take(state);
  document.body.dataset.ready = "true";
} catch (error) {
  say(error.message, true);
}
