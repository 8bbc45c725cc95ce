"""Draw the curves of a measured training against wall time: uv run python docs/makers/xvr_training_curves.py."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parents[2]
MEASURES = (("tre_mm", "true TRE [mm]"), ("rotation_deg", "rotation [degrees]"), ("mtre_c2w_mm", "paper's mTRE [mm]"))


def main() -> None:
    """Write docs/pictures/xvr_training.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs/pictures/xvr_training.png")
    asked = parser.parse_args()
    result = json.loads((ROOT / "benchmarks/results/xvr_train--cpu.json").read_text(encoding="utf-8"))
    figure, axes = plt.subplots(1, len(MEASURES), figsize=(11, 3.2), layout="constrained")
    for axis, (name, title) in zip(axes, MEASURES, strict=True):
        for row in result["rows"]:
            curve = row["curve"]
            minutes = [point["seconds"] / 60 for point in curve]
            low, middle, high = ([point[f"{name}_{q}"] for point in curve] for q in ("q25", "median", "q75"))
            axis.plot(minutes, middle, label=row["arm"])
            axis.fill_between(minutes, low, high, alpha=0.2)
        axis.set(title=title, xlabel="minutes", yscale="log")
        axis.grid(alpha=0.3, which="both")
    figure.suptitle("Held-out views of the chest CT while its network trains: median and quartiles")
    figure.savefig(asked.out, dpi=100)


if __name__ == "__main__":
    main()
