// What stands at the side: structures to choose, what a registration found, what was assumed.

const STARTERS = { coarse: "Coarse search", dicom: "DICOM tags", network: "Network" };
const TERMS = { ncc: "NCC, whole image", patch_ncc: "NCC of patches", gradient_ncc: "NCC of edges" };
const PLACED = { start: "start", refine: "refined", coarse: "from coarse search", dicom: "from DICOM tags", network: "from network", track: "from the track", "frame before": "as in the frame before" };

const SHORT = { vertebrae_cervical: "C spine", vertebrae_thoracic: "T spine", vertebrae_lumbar: "L spine" };

const $ = (id) => document.getElementById(id);

/** Words for what brought a pose about. */
export const placedWords = (kind) => PLACED[kind] ?? kind;

/** Tabs for the X-rays; `pick(index)` on a click. */
export function showViews(views, current, pick) {
  $("views").replaceChildren(
    ...views.map((view, index) => {
      const tab = button(view.name, () => pick(index));
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", index === current);
      return tab;
    }),
  );
}

/** Which frame of a cine run is shown, and what tracking says of it; nothing for single X-rays. */
export function showFrames(frames) {
  for (const name of ["frames", "framekeys"]) $(name).hidden = !frames;
  $("follow").hidden = !frames || frames.index === 0;
  if (!frames) return;
  $("frame").value = frames.index + 1;
  $("frame").max = frames.count;
  const words = [`of ${frames.count}: ${frames.label}`, ...(frames.time === null ? [] : [`${frames.time.toFixed(2)} s`])];
  $("of").textContent = words.join(", ");
  const { track } = frames;
  $("tracked").textContent = track ? `${track.verdict}${track.score === null ? "" : `, fit ${track.score.toFixed(2)}`}` : "";
  $("tracked").title = track ? track.reasons.join(" ") : "";
  $("tracked").className = track?.lost ? "failed" : "";
}

/** Buttons of the ways to a first guess. */
export function showStarters(names, begin) {
  $("starters").replaceChildren(...names.map((name) => Object.assign(button(STARTERS[name] ?? name, () => begin(name)), { className: "small" })));
}

/** Chips of groups and boxes of labels; `choose(names)` on a change. */
export function showStructures({ chosen, title, whole: all = "whole CT", groups, labels }, choose) {
  $("structures").hidden = !groups.length && !labels.length;
  $("structure").textContent = title;
  $("structure").title = title;
  const toggled = (name) => (chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  const whole = button(all, () => choose([]));
  whole.setAttribute("aria-pressed", !chosen.length);
  const chips = groups.map((name) => {
    const chip = button(SHORT[name] ?? name.replaceAll("_", " "), () => choose(toggled(name)));
    chip.setAttribute("aria-pressed", chosen.includes(name));
    return chip;
  });
  $("groups").replaceChildren(whole, ...chips);
  const boxes = labels.map((name) => {
    const row = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = chosen.includes(name);
    box.addEventListener("change", () => choose(toggled(name)));
    row.append(box, name.replaceAll("_", " "));
    return row;
  });
  const scrolled = $("labels").scrollTop;
  $("labels").replaceChildren(...boxes);
  $("labels").parentElement.hidden = !labels.length;
  $("labels").scrollTop = scrolled;
}

/** What a registration found, or nothing. */
export function showFound(found) {
  $("result").hidden = !found;
  if (!found) return;
  const { trust } = found;
  $("trust").hidden = !trust;
  if (trust) {
    const share = document.createElement("strong"), words = document.createElement("span");
    share.textContent = trust.chance;
    share.className = trust.verdict;
    words.textContent = `${trust.verdict}: chance that the target error is at most ${trust.threshold} mm`;
    $("trust").replaceChildren(share, words);
  }
  const rows = [
    ["Similarity", number(found.similarity)],
    ...Object.entries(found.terms).map(([name, value]) => [TERMS[name] ?? name, number(value)]),
    ...(trust?.expected ? [["Predicted error, if right", `${trust.expected.toFixed(2)} mm`]] : []),
    ["Structure", found.structure],
    ["Refinement", `${found.converged ? "converged" : "not converged"}, ${found.seconds.toFixed(1)} s`],
    ...(found.views > 1 ? [["X-rays", `${found.views} jointly`]] : []),
  ];
  $("numbers").replaceChildren(
    ...rows.map((pair) => {
      const row = document.createElement("tr");
      row.append(...pair.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
      return row;
    }),
  );
  list($("warnings"), trust?.warnings ?? []);
}

/** Assumptions, if any. */
export function showNotes(notes) {
  $("notes").hidden = !notes.length;
  list($("notes").querySelector("ul"), notes);
}

/** A line that comes and goes. */
export function say(text, isError = false) {
  $("say").textContent = text;
  $("say").classList.toggle("error", isError);
  $("say").classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => $("say").classList.remove("shown"), isError ? 9000 : 5000);
}

function list(root, lines) {
  root.replaceChildren(...lines.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

function button(text, pressed) {
  const made = Object.assign(document.createElement("button"), { textContent: text });
  made.addEventListener("click", pressed);
  return made;
}

function number(value) {
  return value === null ? "not determined" : value.toFixed(3);
}
