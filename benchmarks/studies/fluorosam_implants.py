"""Real fluoroscopy of knee replacements with true masks of both components: by words, points and boxes.

python -m benchmarks.studies.fluorosam_implants XRAYS -o implants/ --mean knees/
python -m benchmarks.studies.fluorosam_masks "implants=implants/"

XRAYS holds biplane_knee_implant (27 frames, two cameras) and kneel_implant (8 frames), or one of them. Of two people,
so that intervals over patients mean nothing. Writes what `xraykit fluorosam evaluate` writes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from xraykit.fluorosam import FluoroSam
from xraykit.fluorosam.evaluate import (
    AskSettings,
    BoxFill,
    EvaluatedMethod,
    FluoroSamMethod,
    JobCases,
    MeanMask,
    segmentation_report,
    segmentation_rows,
)
from xraykit.render.evaluation import write_evaluation, write_rows

from ..common.fluorosam_implants import ImplantCases
from ..common.progress import say

SHOWN = 200


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.fluorosam_implants", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("xrays", type=Path, help="folder of the data sets")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--weights", default="shipped")
    parser.add_argument("--mean", type=Path, help="data set job of knees, for the mean mask")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    cases = ImplantCases(asked.xrays)
    methods: list[EvaluatedMethod] = [
        FluoroSamMethod(FluoroSam.from_pretrained(asked.weights, device="cpu", any_words=True)),
        BoxFill(),
    ]
    if asked.mean is not None:
        methods.append(MeanMask(JobCases(asked.mean, split="train", most=SHOWN)))
    settings = AskSettings(absent=0, largest=1.0)
    rows = segmentation_rows(
        methods, cases, settings, report=lambda what, done, total: say(f"{done} of {total}") if done % 10 == 0 else None
    )
    asked.output.mkdir(parents=True, exist_ok=True)
    write_rows(asked.output / "rows.csv", rows)
    found = segmentation_report(rows)
    write_evaluation(asked.output, found, settings={"weights": asked.weights, "seed": settings.seed})
    say("\n\n".join(found.sections[:1]))
    for name in ("femoral_component", "tibial_component"):
        say(f"{name}: { ({way: round(one['dice'], 3) for way, one in found.numbers['by_structure'][name].items()}) }")


if __name__ == "__main__":
    main()
