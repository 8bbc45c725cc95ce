// Six sliders with numbers beside them. Each spans a window about the pose, which moves along when it is left.

const SLIDERS = [
  { name: "lao_rao", plus: "LAO", minus: "RAO", unit: "°", span: 45 },
  { name: "cra_cau", plus: "CRA", minus: "CAU", unit: "°", span: 45 },
  { name: "roll", plus: "Roll", unit: "°", span: 45 },
  { name: "x", plus: "Shift x", unit: "mm", span: 100 },
  { name: "y", plus: "Shift y", unit: "mm", span: 100 },
  { name: "depth", plus: "Depth", unit: "mm", span: 250, title: "Source to the middle of the structure (SOD)" },
];

/** Build them in `root`; `changed(name, value, first)` hears of every change, `first` where a new gesture begins. */
export function makeSliders(root, changed) {
  const rows = SLIDERS.map((kind) => {
    const row = document.createElement("div");
    row.className = "slider";
    row.title = kind.title ?? "";
    row.innerHTML = `<span></span><input type="range" step="0.1"><input type="number" step="0.1"><small></small>`;
    const [label, range, number, spread] = row.children;
    range.setAttribute("aria-label", kind.minus ? `${kind.plus} ${kind.minus}` : kind.plus);
    number.setAttribute("aria-label", `${range.getAttribute("aria-label")} value`);
    let fresh = true;
    range.addEventListener("pointerdown", () => (fresh = true));
    range.addEventListener("keydown", () => (fresh = true));
    range.addEventListener("input", () => {
      changed(kind.name, Number(range.value), fresh);
      fresh = false;
    });
    number.addEventListener("change", () => number.value !== "" && changed(kind.name, Number(number.value), true));
    root.append(row);
    return { kind, label, range, number, spread, centre: null };
  });

  /** Show slider values and, where known, their standard deviations. */
  function show(values, deviations) {
    for (const row of rows) {
      const { kind } = row, value = values[kind.name];
      const held = row.range.matches(":active");
      if (!held && (row.centre === null || Math.abs(value - row.centre) > 0.9 * kind.span)) {
        row.centre = value;
        row.range.min = value - kind.span;
        row.range.max = value + kind.span;
      }
      if (!held) row.range.value = value;
      if (document.activeElement !== row.number) row.number.value = value.toFixed(1);
      row.label.innerHTML = names(kind, value);
      const spread = deviations?.[kind.name];
      row.spread.textContent = spread === undefined || spread === null ? kind.unit : `± ${digits(spread)} ${kind.unit}`;
    }
  }

  /** Centre the windows on the next values shown. */
  function recentre() {
    for (const row of rows) row.centre = null;
  }

  /** Let hands move them or not. */
  function enable(yes) {
    for (const row of rows) row.range.disabled = row.number.disabled = !yes;
  }
  return { show, recentre, enable };
}

function names({ plus, minus }, value) {
  if (!minus) return plus;
  return value < 0 ? `${plus} / <b>${minus}</b>` : `<b>${plus}</b> / ${minus}`;
}

function digits(value) {
  return value < 0.095 ? value.toFixed(2) : value < 9.5 ? value.toFixed(1) : value.toFixed(0);
}
