"""Write docs/benchmarks.md from the committed results: `python -m benchmarks.publish`. Defeats included."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

from .report import RESULTS, confusion_table, stages_table, table

SUITES = ("render", "simulate", "realism")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# How fast, how lean, how exact

Written by `python -m benchmarks.publish` from the files in `benchmarks/results`; measured by
`uv run --group peers python -m benchmarks.render`, which runs everybody in turn in one process. Times are medians ±
interquartile range; peak memory is what each operation (forward / pose / mu) takes on top of the loaded volume, in a
process of its own; the error is the largest deviation from the float64 reference of the same method, relative to the
image maximum. Absolute times belong to the machine: read down a column, not across pages.

`python -m benchmarks.simulate` measures [simulated scenes](simulation.md): what a march that finds every mask costs
more than a plain one, and the complete image (polychromatic, three tools, noise, scatter, blur, every mask) with its
stages, each timed by itself on ready ingredients, all in turn.

`python -m benchmarks.realism` asks how real [procedural patients](patients.md) look: networks that have seen nothing
else tell which part of the body X-rays of real CTs show.
"""


def main() -> None:
    """Regenerate the page."""
    parts = [HEAD]
    for suite in SUITES:
        for path in sorted(RESULTS.glob(f"{suite}--*.json")):
            parts.append(section(path.name, json.loads(path.read_text(encoding="utf-8"))))
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def section(name: str, result: dict) -> str:
    """One results file: where it was measured, a table per regime, and the ratios that matter."""
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    versions = ", ".join(f"{key} {value}" for key, value in result["versions"].items() if value)
    lines = [
        f"\n## {name}\n",
        f"{result['scene']['name']}; {result['device']}; {machine}. Commit {result['commit']}, {result['created']},",
        f"load before {result['load_before']} and after {result['load_after']}. {versions}.\n",
    ]
    if result["suite"] == "realism":
        return "\n".join([*lines, realism(result["scene"]), confusion_table(result["rows"]), ""])
    regimes = groupby(result["rows"], key=lambda row: (row["height"], row["width"], row["batch"], row["samples"]))
    for (height, width, batch, samples), rows in regimes:
        lines.append(f"### {height} x {width}, batch {batch}, {samples} samples\n")
        if result["suite"] == "simulate":
            lines.append(f"{stages_table(list(rows))}\n")
            continue
        lines.append(f"```\n{table(list(rows))}\n```\n")
        lines.append(versus(result["ratios"], height=height, width=width, batch=batch))
    return "\n".join(lines)


def realism(scene: dict) -> str:
    """How the confusion came about."""
    return (
        f"{scene['networks']} networks of {scene['weights']:,} weights (seeds {scene['network_seeds']}) saw "
        f"{scene['images']} images of {scene['patients']} procedural patients (`{scene['config']}`, seed "
        f"{scene['seed']}, grids of about {scene['grid']}^3 voxels, {scene['size'][0]} x {scene['size'][1]} pixels) "
        f"for {scene['epochs']} epochs, and no real image. Other procedural patients, and {scene['images_of_each_ct']} "
        "images of each real CT, were made by the same job with the same views and physics; those that aim between "
        "two classes are left out. The class is that of the view: a CT of the chest shows shoulders too. Thorax with "
        "thoracic spine, abdomen with lumbar spine, and pelvis with hip and sacrum are one class each. Two real CTs "
        "are two people: their images differ in view and physics alone.\n"
    )


def versus(ratios: list[dict], **regime: int) -> str:
    """Time of each peer over ours at the same method, forward and forward+backward."""
    rows = ["| ours | peer | forward | fwd+bwd pose | fwd+bwd mu |", "|---|---|---|---|---|"]
    clock = "device" if any(r["clock"] == "device" for r in ratios) else "wall"
    here = [r for r in ratios if r["clock"] == clock and all(r[key] == value for key, value in regime.items())]
    same = [r for r in here if r["ours"].split()[1] == r["peer"].split()[1]]
    for (ours, peer), found in groupby(same, key=lambda r: (r["ours"], r["peer"])):
        by_operation = {r["operation"]: f"{r['ratio']:.2f} x" for r in found}
        cells = [by_operation.get(o, "-") for o in ("forward", "forward_backward_pose", "forward_backward_mu")]
        rows.append(f"| {ours} | {peer} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
