// What stands at the side: the pairs, the overlap, what was assumed.

const $ = (id) => document.getElementById(id);

/** The list of pairs; `hands` hears choose(number or null), mark(number, match), remove(number). */
export function showPairs(pairs, views, hands) {
  const matches = pairs.filter((pair) => pair.match).length;
  $("count").textContent = pairs.length ? `${matches} match, ${pairs.length - matches} not` : "none yet";
  $("pairs").replaceChildren(
    ...pairs.map((pair, number) => {
      const row = document.createElement("li"), words = document.createElement("span");
      const [a, b] = pair.views.map((view) => views[view].letter), name = pair.name || "unnamed";
      const places = `${a} ${pair.a.map(Math.round).join(", ")} · ${b} ${pair.b.map(Math.round).join(", ")}`;
      words.append(Object.assign(document.createElement("b"), { textContent: name }), places);
      row.className = pair.match ? "match" : "other";
      const kind = button(pair.match ? "match" : "no match", () => hands.mark(number, !pair.match));
      kind.setAttribute("aria-label", `Pair ${number + 1}, ${name}: make it ${pair.match ? "no match" : "a match"}`);
      const remove = button("×", () => hands.remove(number));
      remove.setAttribute("aria-label", `Delete pair ${number + 1}, ${name}`);
      row.append(words, kind, remove);
      for (const start of ["pointerenter", "focusin"]) row.addEventListener(start, () => hands.choose(number));
      for (const end of ["pointerleave", "focusout"]) row.addEventListener(end, () => hands.choose(null));
      return row;
    }),
  );
}

/** How much each pair of views shows the same, and what is to be doubted. */
export function showOverlap(overlap, views) {
  $("overlap").replaceChildren(
    ...overlap.map(({ views: pair, score, doubt }) => {
      const letters = pair.map((view) => views[view].letter).join("-");
      const row = Object.assign(document.createElement("li"), { textContent: `${letters} ${score.toFixed(2)}` });
      if (doubt) row.append(Object.assign(document.createElement("small"), { textContent: doubt }));
      row.classList.toggle("doubt", Boolean(doubt));
      return row;
    }),
  );
}

/** Assumptions, if any. */
export function showNotes(notes) {
  $("notes").hidden = !notes.length;
  const lines = notes.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  $("notes").querySelector("ul").replaceChildren(...lines);
}

/** A line that comes and goes. */
export function say(text, isError = false) {
  $("say").textContent = text;
  $("say").classList.toggle("error", isError);
  $("say").classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => $("say").classList.remove("shown"), isError ? 9000 : 4000);
}

function button(text, pressed) {
  const made = Object.assign(document.createElement("button"), { textContent: text, className: "small" });
  made.addEventListener("click", pressed);
  return made;
}
