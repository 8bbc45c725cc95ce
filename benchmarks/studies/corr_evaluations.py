"""Tables 1 and 3 of the paper at the size of a laptop: the figures of finished evaluations as committed results.

xraykit corr pairs examples/corr/pairs.yaml -o pairs/
xraykit corr evaluate table1 pairs/images -o table1/ --size 64 --minutes 60
python -m benchmarks.studies.corr_evaluations table1/

xraykit dataset make examples/corr/elbows.yaml -o elbows/
xraykit dataset make others.yaml -o others/               # the same plan with seed: 23, count: 700, split: {test: 1.0}
xraykit corr studies elbows/ others/ -o studies/ --balance          # then, in studies.csv, elbows' "test" to "train"
for target in correspondence shuffled thickness; do
  xraykit corr train pairs/images -o start/$target/ --target $target --steps 600 --rate 0.0015 --roll 45 \
      --norm batch --input-contrast local --no-overlap-head
done
xraykit corr evaluate table3 studies/studies.csv -o table3/ --pretrained start/correspondence/weights \
    --control start/shuffled/weights --pretext start/thickness/weights --seeds 2 --steps 500 --batch 32 \
    --rate 0.0006 --trunk-rate 6 --pool mean_max --renew-statistics --validate-every 50
python -m benchmarks.studies.corr_evaluations table3/
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from ..common.progress import say
from ..common.result import RESULTS, Start, save


def main(arguments: list[str] | None = None) -> None:
    """Read reports, write results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.corr_evaluations", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("folders", type=Path, nargs="+", help="output folders of `xraykit corr evaluate`")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write")
    asked = parser.parse_args(arguments)
    for folder in asked.folders:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if "reference" in report:
            suite, rows = "corr_table3", arms(report, folder / "grid")
        else:
            suite, rows = "corr_table1", modules(report)
        scene = {"name": names(report), "settings": without_paths(report["settings"]), "plan": report["plan"]}
        summary = {key: report[key] for key in ("roll", "tests", "order", "reference") if key in report}
        result = Start.now().result(suite, rows, threads={"torch": 1}, scene=scene, summary=summary)
        save(result, asked.results / f"{suite}--cpu.json")
        say(f"{suite}: {len(rows)} rows of {folder}")


def modules(report: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each module of table 1 and each prior."""
    rows = []
    for kind in ("arms", "priors"):
        for name, one in report[kind].items():
            facts, test = one.get("facts", {}), report["tests"].get(name)
            low, high = one["ap_macro_interval"]
            rows.append({
                "row": name, "prior": kind == "priors", "weights": facts.get("cost", {}).get("weights", 0),
                "flops": facts.get("cost", {}).get("flops", 0), "train_pairs_per_s": facts.get("train_pairs_per_s"),
                "ap_macro": one["ap_macro"], "low": low, "high": high, "ap_micro": one["ap_micro"], "mse": one["mse"],
                "precision": one["at_chosen"]["precision"], "recall": one["at_chosen"]["recall"],
                "overlap_auroc": one["overlap_auroc"], "pairs": one["pairs"], "patients": one["patients"],
                "p_holm": None if test is None else test["p_holm"],
                "turned": report["roll"].get(name, {}),
            })  # fmt: skip
    return rows


def arms(report: dict[str, Any], grid: Path) -> list[dict[str, Any]]:
    """A row for each arm of table 3; `curve` is [batches, mean AUROC of the validation studies over seeds]."""
    rows = []
    for name, one in report["arms"].items():
        against = one.get("against_reference", {})
        each = [seed["auroc"] for seed in one["seeds"]]
        rows.append({
            "arm": name, "seeds": len(each), "studies": one["seeds"][0]["studies"], "auroc": fmean(each),
            "deviation": stdev(each) if len(each) > 1 else None, "low": one["auroc_interval"][0],
            "high": one["auroc_interval"][1], "accuracy": fmean(seed["accuracy"] for seed in one["tuned"]),
            "precision": fmean(seed["precision"] or 0.0 for seed in one["tuned"]),
            "recall": fmean(seed["recall"] for seed in one["tuned"]), "kappa": fmean(s["kappa"] for s in one["tuned"]),
            "difference": against.get("difference"), "difference_low": against.get("low"),
            "difference_high": against.get("high"), "p": against.get("p"), "p_holm": against.get("p_holm"),
            "mcnemar": against.get("mcnemar"), "weights": report["costs"][name]["weights"],
            "flops": report["costs"][name]["flops"], "curve": curve(grid / name),
        })  # fmt: skip
    return rows


def curve(arm: Path) -> list[list[float]]:
    """What an arm's validations said, up to the first training's end."""
    each = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(arm.glob("seed*/curve.json"))]
    return [[rows[0]["step"], fmean(row["auroc"] for row in rows)] for rows in zip(*each, strict=False)]


def names(report: dict[str, Any]) -> str:
    """What was learned from, and for how long."""
    plan, settings = report["plan"], report["settings"]
    length = f"at most {plan['steps']} batches of {settings['length']['batch']} each"
    if "reference" in report:
        return f"procedural fracture studies, {length}"
    return f"{plan['patients']} procedural patients, {settings['data']['size']} px, {length}"


def without_paths(value: Any) -> Any:
    """The same settings, of paths only the last name."""
    if isinstance(value, dict):
        return {key: without_paths(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(one) for one in value]
    return value.rstrip("/").rpartition("/")[2] if isinstance(value, str) else value


if __name__ == "__main__":
    main()
