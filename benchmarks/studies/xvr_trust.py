"""Does a registration know when it has failed? Fit the success model on patients, test each by one fitted on others.

python -m benchmarks.studies.xvr_trust --kept FOLDER --test abdomen=CT.nii.gz --fit head=CT.nii.gz    # 3 CPU hours

Cases are kept in the folder as they come; the next call with it goes on, and measures and fits again what is there.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xraykit.xvr.trust.calibration as calibration
from xraykit.render.evaluation import auroc, reliability
from xraykit.xvr.trust import SuccessModel, fit_model
from xraykit.xvr.trust.calibration import fit_errors
from xraykit.xvr.trust.features import measure
from xraykit.xvr.trust.judge_registration import IMPOSSIBLE, OUTSIDE
from xraykit.xvr.trust.stated_geometry import SDD_SIGNIFICANT, sdd_move
from xraykit.xvr.trust.target_points import points_in_view, target_points

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, save
from .xvr_trust_cases import CAMERAS, ELSEWHERE, INVERTED, MIRRORED, STRANGER, Case, bodies_of, cases, read_cases
from .xvr_trust_patients import PARTIAL, everybody
from .xvr_trust_picture import draw
from .xvr_trust_reasons import named_reasons
from .xvr_trust_xrays import OWN, SIZES

FEATURES = ("local_gain", "local_shift", "log_expected_error")
THRESHOLD, CONTRADICTED = 5.0, 0.2  # mm; chance at most where the SDD contradicts the X-ray, as in procedure.py
FLAGGED, TRUSTED = 0.5, 0.9
FOLDS = 6  # of the patients
MOVED = {"as in the CT": False, "moved by 0.5 to 2 mm": True}
PUBLISHED = (
    "patient", "region", "held_out", "real", "xray", "renderer", "size", "moved", "kind", "ct", "level", "error",
    "seconds", "local_gain", "local_shift", "log_expected_error", "known", "outside", "sdd_deviations", "sdd_shift",
    "chance",
)  # fmt: skip
PICTURE = Path(__file__).parents[2] / "docs/pictures" / "xvr_trust.png"
Row = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    """Collect, measure, fit, test, write."""
    asked = parse(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    people = everybody({f"{name} CT": (path, held) for held, named in ((True, asked.test), (False, asked.fit))
                        for name, path in named})  # fmt: skip
    for _ in cases(people, asked.xrays, asked.kept):
        pass
    rows = measured_rows(asked.kept)
    crossed(rows)
    model = fitted(rows)
    parts = {"all": rows, "new": [row for row in rows if row["held_out"]],
             "settled": [row for row in rows if not row["held_out"]]}  # fmt: skip
    summary = {"figures": {name: figures(part) for name, part in parts.items()}, "groups": groups(rows),
               "errors": error_figures(rows), "folds": FOLDS,
               "reasons": named_reasons(rows, asked.kept, threshold=THRESHOLD, flagged=FLAGGED,
                                        contradicted=SDD_SIGNIFICANT),
               "model": json.loads(model.to_json()), "threshold_mm": THRESHOLD}  # fmt: skip
    scene = {"name": "registrations of X-rays to right, partial, coarse and other patients' CTs, with right and wrong "
             "cameras, from starts near and far"}  # fmt: skip
    finite = [{name: tidy(row[name]) for name in PUBLISHED} for row in rows]
    save(
        start.result("xvr_trust", finite, threads={"torch": asked.threads}, scene=scene, summary=summary), asked.output
    )
    draw(rows, THRESHOLD, asked.picture)
    if not asked.no_model:
        Path(calibration.__file__).with_name(calibration.STORED).write_text(model.to_json(), encoding="utf-8")
    say(f"wrote {asked.output.name}, {asked.picture.name}")
    print(json.dumps({name: summary[name] for name in ("figures", "groups", "errors")}, indent=1))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_trust", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--kept", type=Path, required=True, help="folder of the cases, outside the repository")
    parser.add_argument("--test", type=named_path, nargs="*", default=[], help="NAME=CT, real CTs that are held out")
    parser.add_argument("--fit", type=named_path, nargs="*", default=[], help="NAME=CT, real CTs to settle things on")
    parser.add_argument("--xrays", type=int, default=2, help="for each patient; 0 takes what is kept")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-model", action="store_true", help="leave the model of the package as it is")
    parser.add_argument("--output", type=Path, default=RESULTS / "xvr_trust--cpu.json")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    return parser.parse_args(arguments)


def named_path(text: str) -> tuple[str, Path]:
    """A name and a file."""
    name, path = text.split("=", 1)
    return name, Path(path)


def tidy(value: Any) -> Any:
    """For the file: four digits, and nothing in place of infinity."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else None


def measured_rows(kept: Path) -> list[Row]:
    """Every case with its features; those that were measured before are in the folder's rows.jsonl."""
    rows = KeptRows(kept / "rows.jsonl")
    known = {(row["patient"], row["xray"]) for row in rows.all}
    for found in read_cases(kept):
        if (found[0].row["patient"], found[0].row["xray"]) not in known:
            for case in found:
                rows.add(measured(case))
    for row in rows.all:
        row["error"] = math.inf if row["error"] is None else row["error"]
    return rows.all


def measured(case: Case) -> Row:
    """What is known of a case and what can be measured of it; an error of None is that of a wrong CT or picture."""
    named = bodies_of(*case.body)
    points = points_in_view(target_points(named.bodies[0].volume), case.found.cameras, case.found.poses[0])
    move = sdd_move(case.found, case.freed, points)
    error = case.row["error"] if math.isfinite(case.row["error"]) else None
    features = measure(case.found, (case.shot,), named.rendered)
    return {**case.row, "error": error, **features, "ncc": case.found.terms["ncc"],
            "sdd_deviations": move.deviations, "sdd_shift": move.shift}  # fmt: skip


def chance_of(model: SuccessModel, row: Mapping[str, Any]) -> float:
    """The chance that the command states: that of the model, less where geometry speaks against it."""
    chance = model.probability(row)
    if row["outside"] > OUTSIDE:
        return min(chance, IMPOSSIBLE)
    contradicted = row["sdd_deviations"] > SDD_SIGNIFICANT and row["sdd_shift"] > THRESHOLD
    return min(chance, CONTRADICTED) if contradicted and chance >= FLAGGED else chance


def crossed(rows: Sequence[Row]) -> None:
    """Note the chance and the expected error of each row, by a model that its patient had no part in."""
    people = sorted({row["patient"] for row in rows})
    for part in range(FOLDS):
        left_out = set(people[part::FOLDS])
        model = fitted([row for row in rows if row["patient"] not in left_out])
        for row in rows:
            if row["patient"] in left_out:
                expected = model.expected_error(math.exp(row["log_expected_error"]))
                row |= {"chance": chance_of(model, row), "expected": expected, "limit": model.error_limit * expected}


def fitted(train: Sequence[Row]) -> SuccessModel:
    """The model of these patients' X-rays with right cameras, those of our own simulation, with how it was made."""
    rows = [row for row in train if row["kind"] not in CAMERAS and row["renderer"] == OWN]
    success = [row["error"] <= THRESHOLD for row in rows]
    good = [row for row, right in zip(rows, success, strict=True) if right]
    errors = fit_errors([math.exp(row["log_expected_error"]) for row in good], [row["error"] for row in good])
    made = {
        "script": "benchmarks/studies/xvr_trust.py",
        "patients": ", ".join(sorted({row["patient"] for row in rows})),
        "xrays": "simulated, 256 and 512 px, 60 to 120 kVp, 1e3 to 1e5 quanta per mm^2 behind the patient, scatter to "
        "primary 0 to 1, "
        "collimated, some of eight bits, with metal, or of the patient with his tissue moved",
        "cts": "whole, cropped in z and sideways, in slices of 5 mm, of other density, bones alone and among the rest; "
        "other patients' of the same region; mirrored and inverted pictures",
        "cases": len(rows),
        "successes": len(good),
    }
    return fit_model(rows, success, features=FEATURES, threshold=THRESHOLD, errors=errors, made=made)


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """What the flag is worth on these registrations."""
    chance = np.array([row["chance"] for row in rows])
    failed = np.array([row["error"] > THRESHOLD for row in rows])
    camera = np.array([row["kind"] in CAMERAS for row in rows])
    wrong = np.array([row["kind"] == STRANGER for row in rows])
    bins = {"with right cameras": ~camera, "all": camera | ~camera}
    return {
        "patients": sorted({row["patient"] for row in rows}),
        "cases": len(rows), "successes": int((~failed).sum()), "failures": int(failed.sum()),
        "auroc": auroc(-chance, failed),
        "auroc_with_right_cameras": auroc(-chance[~camera], failed[~camera]),
        "failures_flagged": share(chance < FLAGGED, failed),
        "failures_with_right_cameras_flagged": share(chance < FLAGGED, failed & ~camera),
        "wrong_ct": int(wrong.sum()), "wrong_ct_flagged": share(chance < FLAGGED, wrong),
        "wrong_ct_trusted": share(chance >= TRUSTED, wrong),
        "wrong_cameras": int((camera & failed).sum()),
        "wrong_cameras_flagged": share(chance < FLAGGED, camera & failed),
        "successes_flagged": share(chance < FLAGGED, ~failed),
        "brier": float(((chance - ~failed) ** 2).mean()),
        "reliability": {name: [one._asdict() for one in reliability(chance[of], ~failed[of])]
                        for name, of in bins.items() if of.any()},
    }  # fmt: skip


def share(flagged: np.ndarray, of: np.ndarray) -> float | None:
    """How many of these are; None where there are none."""
    return float(flagged[of].mean()) if of.any() else None


def groups(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Successes and failures flagged by region, CT, renderer, size of the X-ray and kind of mistake."""
    right = [row for row in rows if row["kind"] not in CAMERAS]
    parts: dict[str, list[Row]] = {f"region: {name}": [row for row in right if row["region"] == name]
                                   for name in sorted({row["region"] for row in rows})}  # fmt: skip
    parts |= {
        f"CT: {name}": [row for row in right if row["ct"] == name] for name in sorted({row["ct"] for row in rows})
    }
    parts["CT: any partial one"] = [row for row in right if row["ct"] in PARTIAL]
    parts["CT: real"] = [row for row in right if row["real"]]
    parts |= {f"tissue: {name}": [row for row in right if row["moved"] is moved] for name, moved in MOVED.items()}
    parts |= {f"renderer: {name}": [row for row in right if row["renderer"] == name]
              for name in sorted({row["renderer"] for row in rows}, key=lambda name: name != OWN)}  # fmt: skip
    parts |= {f"X-ray: {size} px": [row for row in right if row["size"] == size] for size in SIZES}
    kinds = (STRANGER, ELSEWHERE, MIRRORED, INVERTED, *CAMERAS)
    parts |= {f"mistake: {kind}": [row for row in rows if row["kind"] == kind] for kind in kinds}
    wrong = [row for row in rows if row["kind"] in CAMERAS]
    parts |= {f"wrong camera, tissue {name}": [row for row in wrong if row["moved"] is moved]
              for name, moved in MOVED.items()}  # fmt: skip
    return {name: group_figures(part) for name, part in parts.items() if part}


def group_figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts, shares flagged, and how often success was promised and came."""
    flagged = np.array([row["chance"] < FLAGGED for row in rows])
    failed = np.array([row["error"] > THRESHOLD for row in rows])
    promised = float(np.mean([row["chance"] for row in rows]))
    return {"cases": len(rows), "successes": int((~failed).sum()), "successes_flagged": share(flagged, ~failed),
            "failures": int(failed.sum()), "failures_flagged": share(flagged, failed),
            "mean_chance": promised, "succeeded": float((~failed).mean())}  # fmt: skip


def error_figures(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """How the stated error compares with the true one where registration succeeded with the right camera."""
    good = [row for row in rows if row["error"] <= THRESHOLD and row["kind"] not in CAMERAS]
    parts = {"all": good, "partial CT": [row for row in good if row["ct"] in PARTIAL],
             "thick slices": [row for row in good if row["ct"] == "thick slices"],
             "real CT": [row for row in good if row["real"]],
             "tissue moved": [row for row in good if row["moved"]],
             "other renderers": [row for row in good if row["renderer"] != OWN]}  # fmt: skip
    return {name: error_group(part) for name, part in parts.items() if len(part) >= 5}


def error_group(rows: Sequence[Row]) -> dict[str, float]:
    """Quartiles of true over expected error, and how often the limit held."""
    expected, limit, true = (np.array([row[name] for row in rows]) for name in ("expected", "limit", "error"))
    low, middle, high = np.quantile(true / expected, (0.25, 0.5, 0.75))
    return {"cases": len(rows), "median_error_mm": float(np.median(true)), "ratio_lower_quartile": float(low),
            "ratio_median": float(middle), "ratio_upper_quartile": float(high),
            "below_limit": float((true <= limit).mean())}  # fmt: skip


if __name__ == "__main__":
    main()
