// The field for words: known ones are offered while typing; several prompts are parted by semicolons.

import { tell } from "./api.js";

const PAUSE = 90; // ms without a key before words are looked up

/** Set up the field; `asked` hears the list of texts. */
export function makeWords(form, input, list, asked) {
  let timer = null, last = 0, active = -1;

  const parts = () => input.value.split(";");
  const typed = () => parts().at(-1).trim();
  const options = () => [...list.children];

  function close() {
    last++;
    clearTimeout(timer);
    list.hidden = true;
    activate(-1);
    input.setAttribute("aria-expanded", false);
  }

  function activate(number) {
    active = number;
    options().forEach((option, n) => option.setAttribute("aria-selected", n === active));
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `suggestion${active}`);
  }

  async function look() {
    const text = typed(), turn = ++last;
    if (!text) return close();
    let found;
    try {
      found = await tell("suggest", { text });
    } catch {
      return close();
    }
    if (turn !== last) return;
    list.replaceChildren(
      ...found.map((words, number) => {
        const option = Object.assign(document.createElement("li"), { textContent: words, id: `suggestion${number}` });
        option.setAttribute("role", "option");
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          take(words);
        });
        return option;
      }),
    );
    activate(-1);
    list.hidden = !found.length || (found.length === 1 && found[0] === text);
    input.setAttribute("aria-expanded", !list.hidden);
  }

  function take(words) {
    input.value = [...parts().slice(0, -1).map((part) => part.trim()), words].join("; ");
    close();
    input.focus();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    const count = list.hidden ? 0 : options().length;
    if (event.key === "ArrowDown" && !count) look();
    else if (event.key === "ArrowDown") activate((active + 1) % count);
    else if (event.key === "ArrowUp" && count) activate((active <= 0 ? count : active) - 1);
    else if (event.key === "Enter" && active >= 0) take(options()[active].textContent);
    else if (event.key === "Enter") form.requestSubmit();
    else if (event.key === "Escape" && count) close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener("blur", close);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    close();
    const texts = parts().map((part) => part.trim()).filter(Boolean);
    if (!texts.length) return;
    input.value = "";
    asked(texts);
  });
  return {
    /** Put texts back that could not be asked, unless others were typed since. */
    giveBack(texts) {
      input.value ||= texts.join("; ");
      input.focus();
    },
  };
}
