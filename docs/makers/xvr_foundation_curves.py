"""Draw a foundation's curve, and five minutes from it and from scratch: python docs/makers/xvr_foundation_curves.py."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

ROOT = Path(__file__).resolve().parents[2]
FOUNDATION = "foundation alone"


def main() -> None:
    """Write docs/pictures/xvr_foundation.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs/pictures/xvr_foundation.png")
    asked = parser.parse_args()
    rows = json.loads((ROOT / "benchmarks/results/xvr_foundation--cpu.json").read_text(encoding="utf-8"))["rows"]
    cts = list(dict.fromkeys(row["ct"] for row in rows))
    figure, axes = plt.subplots(1, 1 + len(cts), figsize=(4 * (1 + len(cts)), 3.4), layout="constrained", sharey=True)
    draw(axes[0], next(row for row in rows if row["arm"] == FOUNDATION), "foundation")
    axes[0].set(title="a procedural patient, held out", ylabel="true TRE [mm]")
    for axis, ct in zip(axes[1:], cts, strict=True):
        for row in rows:
            if row["ct"] == ct and row["arm"] != FOUNDATION:
                draw(axis, row, row["arm"])
        axis.set(title=f"{ct}: held-out views")
    for axis in axes:
        axis.set(xlabel="thousand images seen", yscale="log")
        axis.grid(alpha=0.3, which="both")
        axis.legend()
    figure.savefig(asked.out, dpi=100)


def draw(axis: Axes, row: dict, label: str) -> None:
    """Median and quartiles of the held-out views' errors against images seen."""
    seen = [point["images"] / 1000 for point in row["curve"]]
    low, middle, high = ([point[f"tre_mm_{q}"] for point in row["curve"]] for q in ("q25", "median", "q75"))
    axis.plot(seen, middle, label=label)
    axis.fill_between(seen, low, high, alpha=0.2)


if __name__ == "__main__":
    main()
