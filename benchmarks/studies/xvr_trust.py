"""Does a registration know when it has failed? Fit the success model on some patients, test it on others.

python -m benchmarks.studies.xvr_trust --abdomen CT.nii.gz      # ten minutes of CPU: figures, picture, shipped model
python -m benchmarks.studies.xvr_trust --abdomen CT.nii.gz --cases FILE    # fit again from cases that are there already
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xraykit.xvr.trust.calibration as calibration
from xraykit.render.evaluation import auroc, reliability
from xraykit.xvr.trust import SuccessModel, fit_model

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from .xvr_trust_cases import HELD_OUT, LEVELS, REGIONS, SETTINGS, SIZE, TRAINED, WRONG, cases, patients

FEATURES = ("local_shift", "local_gain", "gradient_ncc", "log_expected_error")
THRESHOLD = 5.0  # mm
PICTURE = Path(__file__).parents[2] / "docs/pictures" / "xvr_trust.png"
Rows = Sequence[dict[str, Any]]


def main(arguments: list[str] | None = None) -> None:
    """Collect, fit, test, write."""
    asked = parse(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    if asked.cases is not None and asked.cases.exists():
        found = json.loads(asked.cases.read_text(encoding="utf-8"))
    else:
        found = collected(asked)
    rows = found["rows"]
    train, test = ([row for row in rows if row["held_out"] is held] for held in (False, True))
    model = fitted(train)
    summary = {"held_out": figures(model, test), "fitted": figures(model, train), "model": json.loads(model.to_json()),
               "threshold_mm": THRESHOLD, "cpu_seconds": found["cpu_seconds"]}  # fmt: skip
    finite = [{name: None if value in (math.inf, -math.inf) else value for name, value in row.items()} for row in rows]
    scene = {"name": "registrations of simulated X-rays, with errors of the start up to another patient's CT"}
    threads = {"torch": asked.threads}
    save(start.result("xvr_trust", finite, threads=threads, scene=scene, summary=summary), asked.output)
    draw(model, test, asked.picture)
    if not asked.no_model:
        path = Path(calibration.__file__).with_name(calibration.STORED)
        path.write_text(model.to_json(), encoding="utf-8")
        say(f"wrote {path.name}, {asked.output.name}, {asked.picture.name}")
    print(json.dumps(summary["held_out"], indent=1))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_trust", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--abdomen", type=Path, help="a CT of abdomen and pelvis, held out")
    parser.add_argument("--xrays", type=int, default=4, help="for each patient")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cases", type=Path, help="read the cases from this file, or write them there")
    parser.add_argument("--no-model", action="store_true", help="leave the model of the package as it is")
    parser.add_argument("--output", type=Path, default=RESULTS / "xvr_trust--cpu.json")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    return parser.parse_args(arguments)


def collected(asked: argparse.Namespace) -> dict[str, Any]:
    """All registrations, told as they come, and what they took."""
    found: dict[str, Any] = {"cpu_seconds": 0, "rows": []}
    for row in cases(patients(asked.abdomen), asked.xrays):
        found["rows"].append(row)
        found["cpu_seconds"] = round(time.process_time())
        say(f"{row['patient']} {row['xray']}, {row['kind']}: {row['error']:.2f} mm, shift {row['local_shift']:.2f}")
    if asked.cases is not None:
        asked.cases.write_text(json.dumps(found), encoding="utf-8")
    return found


def fitted(train: Rows) -> SuccessModel:
    """The model of the training patients, with how it was made."""
    good = [row for row in train if row["error"] <= THRESHOLD]
    factor = float(np.median([row["error"] / math.exp(row["log_expected_error"]) for row in good]))
    made = {
        "script": "benchmarks/studies/xvr_trust.py",
        "patients": f"procedural, regions {', '.join(REGIONS)}, seeds {', '.join(map(str, TRAINED))}",
        "xrays": f"simulated, {SIZE} x {SIZE} px, 60 to 120 kVp, 3e3 to 3e5 photons per pixel, scatter to primary 0 to "
        "1, collimated; starts with the paper's errors times " + ", ".join(f"{x:g}" for x in LEVELS) + f", and {WRONG}",
        "registration": f"scales {SETTINGS.scales}",
        "cases": len(train),
        "successes": len(good),
    }
    success = [row["error"] <= THRESHOLD for row in train]
    return fit_model(train, success, features=FEATURES, threshold=THRESHOLD, error_factor=factor, made=made)


def figures(model: SuccessModel, rows: Rows) -> dict[str, Any]:
    """What the model is worth on these registrations."""
    chance = np.array([model.probability(row) for row in rows])
    failed = np.array([row["error"] > THRESHOLD for row in rows])
    wrong = np.array([row["kind"] == WRONG for row in rows])
    same = ~wrong
    good = [row for row in rows if row["error"] <= THRESHOLD]
    return {
        "patients": sorted({row["patient"] for row in rows}),
        "cases": len(rows), "failures": int(failed.sum()), "wrong_ct": int(wrong.sum()),
        "auroc": auroc(-chance, failed),
        "auroc_without_wrong_ct": auroc(-chance[same], failed[same]),
        "wrong_ct_flagged": float((chance[wrong] < 0.5).mean()),
        "wrong_ct_trusted": float((chance[wrong] >= 0.9).mean()),
        "failures_flagged": float((chance[failed] < 0.5).mean()),
        "failures_trusted": float((chance[failed] >= 0.9).mean()),
        "successes_flagged": float((chance[~failed] < 0.5).mean()),
        "brier": float(((chance - ~failed) ** 2).mean()),
        "reliability": [one._asdict() for one in reliability(chance, ~failed)],
        "median_error_of_successes_mm": float(np.median([row["error"] for row in good])),
        "error_over_expected_quartiles": [
            float(np.quantile([row["error"] / math.exp(row["log_expected_error"]) for row in good], q))
            for q in (0.25, 0.5, 0.75)
        ],
    }  # fmt: skip


def draw(model: SuccessModel, rows: Rows, path: Path) -> None:
    """Calibration, ROC curve and the probabilities of each kind, on held-out patients."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    chance = np.array([model.probability(row) for row in rows])
    failed = np.array([row["error"] > THRESHOLD for row in rows])
    wrong = np.array([row["kind"] == WRONG for row in rows])
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(13, 4.2), constrained_layout=True)
    bins = reliability(chance, ~failed)
    left.plot([0, 1], [0, 1], color="0.7", lw=1)
    left.plot([b.predicted for b in bins], [b.observed for b in bins], "o-", color="tab:blue")
    for b in bins:
        below = b.observed > 0.5
        left.annotate(f"{b.count}", (b.predicted, b.observed), textcoords="offset points",
                      xytext=(0, -14 if below else 8), ha="center", fontsize=9)  # fmt: skip
    left.set(xlabel="predicted chance of success", ylabel="share that succeeded", title="calibration, cases per bin")
    cuts = np.concatenate([[-1], np.sort(chance), [2]])
    flagged = [[(chance[group] < cut).mean() for cut in cuts] for group in (~failed, failed)]
    middle.plot(flagged[0], flagged[1], color="tab:blue", drawstyle="steps-post")
    middle.set(xlabel="share of successes flagged", ylabel="share of failures flagged",
               title=f"failure (true TRE > {THRESHOLD:g} mm), AUROC {auroc(-chance, failed):.3f}")  # fmt: skip
    groups = {"success": ~failed, "failure": failed & ~wrong, "wrong CT": wrong}
    edges = np.linspace(0, 1, 11)
    names, colours = [f"{n} ({g.sum()})" for n, g in groups.items()], ["tab:blue", "tab:orange", "tab:red"]
    shown = [chance[group] for group in groups.values()]
    right.hist(shown, bins=edges.tolist(), stacked=True, color=colours, label=names)
    right.set(xlabel="predicted chance of success", ylabel="registrations", title="what became of them")
    right.legend()
    seeds = ", ".join(map(str, HELD_OUT))
    figure.suptitle(f"Held-out patients: real CTs and procedural ones (seed {seeds})", fontsize=11)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
