"""How well words, points and boxes find things: the figures of finished evaluations as a committed result.

Of procedural patients that nothing was trained on, of X-rays simulated from real CTs, and of real fluoroscopy:

xraykit fluorosam evaluate body/ -o bodies/ --per-image 8
xraykit dataset make ct_chest.yaml -o chest/ && xraykit fluorosam evaluate chest/ -o chest_masks/ --images 0
python -m benchmarks.studies.fluorosam_implants XRAYS -o implants/ --mean knees/
python -m benchmarks.studies.fluorosam_masks "procedural=bodies/" "chest CT=chest_masks/" "implants=implants/"
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from xraykit.fluorosam import load_network

from ..common.progress import say
from ..common.result import RESULTS, Start, save

SIZES = ("large", "small", "all")


def main(arguments: list[str] | None = None) -> None:
    """Read reports, write a result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.fluorosam_masks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER", help="output folders of evaluations")
    parser.add_argument("--weights", default="shipped", help="the network that was evaluated, for what it learned from")
    parser.add_argument("--output", type=Path, default=RESULTS / "fluorosam_masks--cpu.json")
    asked = parser.parse_args(arguments)
    start = Start.now()
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    for name, folder in (each.split("=", 1) for each in asked.sets):
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        rows += set_rows(name, report)
        summary[name] = {key: finite(report[key]) for key in ("images", "gains", "absent", "calibration", "wording")}
        say(f"{name}: {report['images']} images")
    scene = {"name": "masks by words, points and boxes", "trained_on": dict(load_network(asked.weights).trained_on)}
    save(start.result("fluorosam_masks", rows, threads={"torch": 1}, scene=scene, summary=summary), asked.output)
    say(f"wrote {asked.output}")


def set_rows(name: str, report: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each method, size of the masks, and way of asking."""
    fields = ("iou", "iou_interval", "dice", "dice_interval", "shown_dice", "hd95", "unit", "missed", "other_side",
              "sided")  # fmt: skip
    return [
        {"set": name, "method": method, "size": size, "asked_by": way, "masks": one["count"],
         **{field: finite(one[field]) for field in fields}}
        for size in SIZES
        for method, ways in report[size].items()
        for way, one in ways.items()
    ]  # fmt: skip


def finite(value: Any) -> Any:
    """The same without numbers that JSON does not have, and with fewer digits."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


if __name__ == "__main__":
    main()
