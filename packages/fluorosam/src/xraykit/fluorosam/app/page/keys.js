// Every command by its key, and the table of them that ? shows.

const TABLE = [
  ["/", "type words"], ["click · enter", "point inside (+)"],
  ["tab", "go through everything"], ["⇧ click · right click · ⇧ enter", "point outside (−)"],
  ["arrows ⇧", "move the cursor, finer"], ["drag · B B", "a box, from corner to corner"],
  ["+ − 0 · wheel", "zoom about the cursor"], ["space drag · alt drag", "move the X-ray"],
  ["N", "another mask"], ["J K", "choose the next, the previous mask"],
  ["1 2 3", "take a candidate"], ["A", "accept the mask, or not"],
  ["del", "delete the mask"], ["R", "rename it"],
  ["U · ctrl Z", "undo"], ["⇧ U · ctrl Y", "redo"],
  ["H", "hide the masks, show them"], ["[ ]", "less, more opacity"],
  ["C", "collimation box"], ["⇧ C", "save the collimation box"],
  ["page up, page down", "previous, next X-ray"], ["ctrl S", "save what is accepted"],
  ["esc", "give up a box; choose nothing"], ["?", "this table"],
];

/** Fill the table. */
export function showKeys(list) {
  list.replaceChildren(
    ...TABLE.flatMap(([keys, words]) => {
      const term = document.createElement("dt");
      const names = keys.split(" · ").map((text) => Object.assign(document.createElement("kbd"), { textContent: text }));
      term.append(...names);
      return [term, Object.assign(document.createElement("dd"), { textContent: words })];
    }),
  );
}

/** Listen to keys; `commands` is a table from a name to what it does. */
export function listen(commands, dialog) {
  const plain = {
    "/": "words", n: "another", j: "nextMask", k: "previousMask", a: "accept", Delete: "remove", Backspace: "remove",
    r: "rename", u: "undo", U: "redo", h: "hide", "[": "fainter", "]": "stronger", c: "collimate", C: "keepBox",
    PageUp: "previous", PageDown: "next", "?": "help", Escape: "giveUp", 1: "first", 2: "second", 3: "third",
  };
  const control = { s: "save", z: "undo", y: "redo", Z: "redo" };
  addEventListener("keydown", (event) => {
    if (dialog.open) return;
    const isTyping = event.target.matches("input:not([type=range]), select");
    const held = event.ctrlKey || event.metaKey;
    const name = held ? control[event.key] : event.altKey ? undefined : (plain[event.key] ?? plain[event.key.toLowerCase()]);
    if (!name || (isTyping && !(held && name === "save") && name !== "giveUp")) return;
    event.preventDefault();
    commands[name]();
  });
}
