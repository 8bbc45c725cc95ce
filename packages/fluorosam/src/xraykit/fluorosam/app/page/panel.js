// What stands at the side: the masks, the chosen one with its candidates, X-rays, what was assumed.

import { drawCandidate } from "./masks.js";

const $ = (id) => document.getElementById(id);
const make = (kind, rest = {}) => Object.assign(document.createElement(kind), rest);

/** How sure a mask is, in words. */
export function sureness({ visible, confidence, text, points, box }) {
  if (visible) return confidence.toFixed(2);
  return text && !points.length && !box ? "not visible" : "nothing found";
}

/** The list; `hands` hears choose(number), accept(number, accepted), remove(number). */
export function showMasks({ masks, chosen }, hands) {
  const focused = document.activeElement?.closest?.("#masks [data-key]")?.dataset.key;
  const accepted = masks.filter((mask) => mask.accepted).length;
  $("count").textContent = masks.length ? `${accepted} of ${masks.length} accepted` : "none yet";
  $("masks").replaceChildren(...masks.map((mask) => maskRow(mask, mask.number === chosen, hands)));
  if (focused) $("masks").querySelector(`[data-key="${focused}"]`)?.focus();
  $("another").setAttribute("aria-pressed", chosen === null);
}

function maskRow(mask, isChosen, hands) {
  const row = make("li"), swatch = make("i"), said = sureness(mask);
  swatch.style.background = mask.colour;
  const name = button("", () => hands.choose(mask.number), `name ${mask.number}`);
  name.className = "name";
  name.append(swatch, make("span", { textContent: mask.name }), make("small", { textContent: said }));
  name.setAttribute("aria-pressed", isChosen);
  name.setAttribute("aria-label", `${mask.name}, ${mask.visible ? `confidence ${said}` : said}`);
  const accept = button(mask.accepted ? "✓" : "accept", () => hands.accept(mask.number, !mask.accepted), `accept ${mask.number}`);
  accept.className = "small kind";
  accept.disabled = !mask.visible;
  accept.setAttribute("aria-pressed", mask.accepted);
  accept.setAttribute("aria-label", `${mask.accepted ? "Accepted" : "Accept"}: ${mask.name}`);
  const remove = button("×", () => hands.remove(mask.number), `delete ${mask.number}`);
  remove.className = "small";
  remove.setAttribute("aria-label", `Delete ${mask.name}`);
  row.classList.toggle("absent", !mask.visible);
  row.classList.toggle("accepted", mask.accepted);
  row.append(name, accept, remove);
  return row;
}

let shownCandidates = "";

/** The chosen mask, or nothing; `take` hears the number of a candidate. */
export function showChosen(mask, take) {
  $("chosen").hidden = $("collimation").hidden = !mask;
  if (!mask) {
    shownCandidates = "";
    return;
  }
  $("sure").textContent = mask.visible ? `confidence ${sureness(mask)}` : sureness(mask);
  $("sure").classList.toggle("absent", !mask.visible);
  if (document.activeElement !== $("name")) $("name").value = mask.name;
  $("accept").textContent = mask.accepted ? "Accepted" : "Accept";
  $("accept").setAttribute("aria-pressed", mask.accepted);
  $("accept").disabled = !mask.visible;
  const now = `${mask.number} ${mask.stamp}`;
  if (now === shownCandidates) return;
  shownCandidates = now;
  const focused = $("candidates").contains(document.activeElement);
  $("candidates").replaceChildren(
    ...mask.candidates.map((confidence, number) => {
      const one = button("", () => take(number)), canvas = make("canvas", { width: 1, height: 1 });
      const isTaken = number === mask.candidate;
      one.setAttribute("role", "radio");
      one.setAttribute("aria-checked", isTaken);
      one.setAttribute("aria-label", `Candidate ${number + 1}, confidence ${confidence.toFixed(2)}`);
      one.tabIndex = isTaken ? 0 : -1;
      one.append(canvas, `${number + 1} · ${confidence.toFixed(2)}`);
      drawCandidate(canvas, mask, number).catch(() => {});
      return one;
    }),
  );
  if (focused) $("candidates").querySelector("[aria-checked=true]")?.focus();
}

/** Which X-ray is open, and what is known of the others. */
export function showImages({ images, image }) {
  const signs = ({ fault, saved, masks, kept }) =>
    fault ? " ✗ cannot be read" : !saved ? ` ● ${masks} unsaved` : kept ? " ✓ saved" : "";
  $("images").replaceChildren(
    ...images.map((one, number) =>
      make("option", { value: number, textContent: `${number + 1}/${images.length} ${one.name}${signs(one)}` }),
    ),
  );
  $("images").value = image;
  $("previous").disabled = image === 0;
  $("next").disabled = image === images.length - 1;
}

/** Assumptions, if any. */
export function showNotes(notes) {
  $("notes").hidden = !notes.length;
  $("notes").querySelector("ul").replaceChildren(...notes.map((text) => make("li", { textContent: text })));
}

/** A line that comes and goes. */
export function say(text, isError = false) {
  $("say").textContent = text;
  $("say").classList.toggle("error", isError);
  $("say").classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => $("say").classList.remove("shown"), isError ? 9000 : 4000);
}

function button(text, pressed, key = "") {
  const made = make("button", { textContent: text, type: "button" });
  if (key) made.dataset.key = key;
  made.addEventListener("click", pressed);
  return made;
}
