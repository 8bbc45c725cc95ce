r"""Is rounding texts to a codebook worth it? The paper's claim, on wordings that were never trained on.

for arm in euclidean off; do                             # encoder/ and words/: see the card of the shipped network
  xraykit fluorosam train body/ knees/ -o $arm --encoder-weights encoder/weights --text-weights words/weights \
      --image-size 128 --quantiser $arm --encoder-frozen --text-frozen --corrections 0 --cells 0.25 --rate 0.002 \
      --steps 1000 --seed 21
  xraykit fluorosam evaluate body/ -o evaluated_$arm/ --weights $arm/weights --kinds text text_held_out absent \
      --images 0 --per-image 8
done
python -m benchmarks.studies.fluorosam_quantiser evaluated_euclidean/ evaluated_off/

Both arms learn from the same images and prompts in the same order; one training each, so that intervals are
over patients and not over trainings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import Any

from xraykit.fluorosam.evaluate import MaskRow, read_segmentation_rows
from xraykit.render.evaluation import bootstrap_interval

from ..common.progress import say
from ..common.result import RESULTS, Start, save

METHOD, KINDS = "fluorosam", ("text", "text_held_out")


def main(arguments: list[str] | None = None) -> None:
    """Compare two evaluations."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.fluorosam_quantiser", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("folders", type=Path, nargs=2, help="the evaluations, with codebook and without")
    parser.add_argument("--output", type=Path, default=RESULTS / "fluorosam_quantiser--cpu.json")
    asked = parser.parse_args(arguments)
    first, second = asked.folders
    start = Start.now()
    rows = compared(read_segmentation_rows(first), read_segmentation_rows(second))
    for row in rows:
        say(f"{row['asked_by']:14} {row['with_codes']:.3f} with codes, {row['without']:.3f} without: "
            f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})")  # fmt: skip
    scene = {"name": "text prompts with and without codebook, the same start, images, prompts and number of batches"}
    save(start.result("fluorosam_quantiser", rows, threads={"torch": 1}, scene=scene), asked.output)
    say(f"wrote {asked.output}")


def compared(on: list[MaskRow], off: list[MaskRow]) -> list[dict[str, Any]]:
    """Dice on the same masks, and the difference with its 95 % interval by patient, for each wording."""
    rows = []
    for kind in KINDS:
        each = [{(row.image, row.target): row for row in arm if row.method == METHOD and row.kind == kind}
                for arm in (on, off)]  # fmt: skip
        both = sorted(each[0].keys() & each[1].keys())
        differences = [each[0][key].dice - each[1][key].dice for key in both]
        low, high = bootstrap_interval(differences, groups=[each[0][key].patient for key in both], method="percentile")
        rows.append({
            "asked_by": kind, "masks": len(both), "patients": len({each[0][key].patient for key in both}),
            "with_codes": fmean(each[0][key].dice for key in both),
            "without": fmean(each[1][key].dice for key in both),
            "difference": fmean(differences), "low": low, "high": high,
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
