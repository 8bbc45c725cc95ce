// The page: keeps picture, sliders and panels in step with the session behind it.

import { ask, followJob, tell } from "./api.js";
import { drawCurve } from "./curve.js";
import { joined, listen } from "./hands.js";
import { compose, greys, MODES } from "./overlay.js";
import { placedWords, say, showFound, showFrames, showNotes, showStarters, showStructures, showViews } from "./panel.js";
import { makeSliders } from "./sliders.js";

const REST = 160; // milliseconds without a move until the picture is rendered in full
const visit = Math.random().toString(36).slice(2); // so that gestures of an earlier visit are not gone on with
const $ = (id) => document.getElementById(id);
const canvas = $("picture"), pen = canvas.getContext("2d");
const mixes = Object.fromEntries(Object.entries(MODES).map(([name, mode]) => [name, mode.mix]));
let state, current = 0, mode = "blend", peeking = false, busy = false, stepping = false;
let xray = null, drr = null, image = null; // greys of both, and the canvas's pixels

// ------------------------------------------------------------------ the picture
let wanted = null, pending = null, underway = false, gesture = 0, resting, full; // wanted: null, "draft" or "full"

/** Ask for a new rendering; requests that come while one is under way join into one. */
function render(quality, move = null, first = true) {
  canvas.dataset.rendered = "";
  if (move) {
    if (first) gesture++;
    pending = joined(pending, move);
    clearTimeout(resting);
    resting = setTimeout(() => render("full"), REST);
  }
  wanted = quality;
  full?.abort(); // a picture in full takes long, and this one will not be seen
  if (!underway) pump();
}

async function pump() {
  underway = true;
  while (wanted) {
    const view = current;
    const body = { view, draft: wanted === "draft", move: pending, gesture: `${visit} ${gesture}` };
    wanted = pending = null;
    try {
      full = body.draft || body.move ? null : new AbortController();
      const answer = await ask("drr", body, full?.signal);
      full = null;
      const picture = answer.status === 204 ? null : await createImageBitmap(await answer.blob());
      if (view !== current) continue;
      follow(JSON.parse(answer.headers.get("X-View")));
      if (picture && image) {
        drr = greys(picture, image.width, image.height);
        if (!wanted) canvas.dataset.rendered = body.draft ? "draft" : "full";
        draw();
      }
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, true);
    }
  }
  underway = false;
}

function draw() {
  if (!image) return;
  compose(image, xray, drr, peeking ? "xray" : mode, mixes[mode] ?? 0);
  pen.putImageData(image, 0, 0);
}

/** Load the X-ray of the current view. */
async function showXray() {
  drr = image = null;
  const bitmap = await createImageBitmap(await (await ask("xray", { view: current })).blob());
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  image = pen.createImageData(bitmap.width, bitmap.height);
  xray = greys(bitmap, bitmap.width, bitmap.height);
  fit();
  draw();
}

function fit() {
  const room = canvas.parentElement, scale = Math.min(room.clientWidth / canvas.width, room.clientHeight / canvas.height);
  canvas.style.width = `${Math.floor(canvas.width * scale)}px`;
  canvas.style.height = `${Math.floor(canvas.height * scale)}px`;
}

function setMode(name) {
  mode = name;
  for (const button of $("modes").children) button.setAttribute("aria-pressed", button.dataset.mode === name);
  const { label, legend = [] } = MODES[name];
  $("mix").hidden = !label;
  if (label) [$("mix").children[0].textContent, $("mix").children[1].value] = [label, mixes[name]];
  $("legend").hidden = !legend.length;
  $("legend").replaceChildren(
    ...legend.map(([colour, text]) => {
      const entry = document.createElement("span"), square = document.createElement("b");
      square.style.background = colour;
      entry.append(square, text);
      return entry;
    }),
  );
  draw();
}

// ------------------------------------------------------------------ what the session says
const sliders = makeSliders($("sliders"), (name, value, first) => render("draft", { set: { [name]: value } }, first));

/** Show one X-ray's pose and result. */
function follow(view) {
  state.views[current] = view;
  if (view.sliders) sliders.show(view.sliders, view.found?.deviations);
  $("placed").textContent = placedWords(view.placed);
  for (const letter of document.querySelectorAll("[data-edge]")) letter.textContent = view.edges[letter.dataset.edge] ?? "";
  showFound(view.found);
  showNotes([...view.notes, ...state.notes]);
  $("undo").disabled = $("reset").disabled = busy || !view.undo;
}

function take(fresh) {
  state = fresh;
  document.body.classList.toggle("looking", Boolean(state.looking));
  showViews(state.views, current, pick);
  showFrames(state.frames);
  showStructures(state.structure, (names) => act("structure", { names }));
  showStarters(state.starters, (method) => begin("initialise", { method }));
  $("joint").hidden = state.views.length < 2;
  follow(state.views[current]);
  enable(!busy);
}

async function pick(index) {
  current = index;
  sliders.recentre();
  await showXray();
  take(await tell("state"));
  render("full");
}

async function act(name, body = {}) {
  try {
    sliders.recentre();
    take(await tell(name, { view: current, ...body }));
    render("full");
  } catch (error) {
    say(error.message, true);
    take(state);
  }
}

/** Show another frame of the run; steps that come while one is under way are left out. */
async function showFrame(to) {
  if (busy || stepping || !state.frames || to < 0 || to >= state.frames.count || to === state.frames.index) return;
  stepping = true;
  try {
    const fresh = await tell("frame", { to });
    if (fresh.said.length) say(fresh.said[0] + (fresh.said.length > 1 ? ` (and ${fresh.said.length - 1} more)` : ""), true);
    sliders.recentre();
    await showXray();
    take(fresh);
    render("full");
  } catch (error) {
    say(error.message, true);
    showFrames(state.frames);
  }
  stepping = false;
}

// ------------------------------------------------------------------ tasks
async function begin(name, body) {
  try {
    await tell(name, { view: current, ...body });
  } catch (error) {
    return say(error.message, true);
  }
  await watch();
}

/** Follow the running task until it ends. */
async function watch() {
  busy = true;
  enable(false);
  try {
    const ended = await followJob((job, steps) => {
      showJob(job, steps);
      if (job.kind === "refine") render("draft");
    });
    if (ended.outcome === "failed") say(ended.message, true);
  } catch (error) {
    say(error.message, true);
  }
  busy = false;
  await act("state");
}

function showJob(job, steps) {
  const refining = job.kind === "refine", last = steps[steps.length - 1];
  $("curve").hidden = !refining;
  $("progress").hidden = refining || job.outcome !== "running";
  if (refining) {
    drawCurve($("curve"), steps.filter((step) => step.scale));
  } else if (last && last.share !== null) {
    $("progress").value = last.share;
  } else {
    $("progress").removeAttribute("value");
  }
  const words = last?.message ?? (last ? `similarity ${last.similarity.toFixed(3)}` : "");
  $("status").textContent = job.outcome === "running" ? words || "preparing" : job.outcome;
}

function enable(yes) {
  sliders.enable(yes);
  $("cancel").hidden = yes;
  for (const button of document.querySelectorAll("#starters button, #refine, #follow, #frames button, #frames input, #groups button, #labels input, [data-view], #save"))
    button.disabled = !yes;
  if (state.frames) {
    $("previous").disabled ||= state.frames.index === 0;
    $("next").disabled ||= state.frames.index === state.frames.count - 1;
  }
  $("undo").disabled = $("reset").disabled = !yes || !state.views[current].undo;
}

// ------------------------------------------------------------------ hands
listen(canvas, (move, first) => !busy && !state.looking && render("draft", move, first));
addEventListener("resize", fit);
for (const button of $("modes").children) button.addEventListener("click", () => setMode(button.dataset.mode));
$("mix").children[1].addEventListener("input", (event) => {
  mixes[mode] = Number(event.target.value);
  draw();
});
for (const button of document.querySelectorAll("[data-view]"))
  button.addEventListener("click", () => {
    sliders.recentre();
    render("draft", { set: { lao_rao: Number(button.dataset.view), cra_cau: 0, roll: 0 } });
  });
$("undo").addEventListener("click", () => act("undo"));
$("reset").addEventListener("click", () => act("reset"));
for (const name of ["refine", "follow"])
  $(name).addEventListener("click", () => {
    begin("refine", { joint: $("joint").querySelector("input").checked, follow: name === "follow" });
  });
$("previous").addEventListener("click", () => showFrame(state.frames.index - 1));
$("next").addEventListener("click", () => showFrame(state.frames.index + 1));
$("frame").addEventListener("change", () => showFrame(Math.round($("frame").value) - 1));
$("cancel").addEventListener("click", () => ask("cancel").catch((error) => say(error.message, true)));
$("save").addEventListener("click", async () => {
  try {
    say(`saved ${(await tell("save", { view: current })).path}`);
  } catch (error) {
    say(error.message, true);
  }
});
$("load").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) await act("load", { text: await file.text() });
  event.target.value = "";
});
addEventListener("keydown", (event) => {
  if (event.target.matches("input[type=number]")) return;
  if (event.code === "Space" && (event.target === canvas || event.target === document.body)) {
    event.preventDefault();
    peeking = true;
    draw();
  }
  const bare = !event.ctrlKey && !event.metaKey && !event.altKey;
  const back = (event.key === "u" && bare) || (event.key === "z" && (event.ctrlKey || event.metaKey));
  if (back && !state.looking) act("undo");
  if (bare && (event.key === "," || event.key === ".")) showFrame((state.frames?.index ?? 0) + (event.key === "." ? 1 : -1));
  const number = "123456".indexOf(event.key);
  if (bare && event.key.length === 1 && number >= 0) setMode(Object.keys(MODES)[number]);
});
addEventListener("keyup", (event) => {
  if (event.code !== "Space") return;
  peeking = false;
  draw();
});

setMode("blend");
try {
  state = await tell("state");
  if (state.looking) setMode("edges");
  await pick(0);
  if (state.job?.outcome === "running") await watch();
} catch (error) {
  say(error.message, true);
}
