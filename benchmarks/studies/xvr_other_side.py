"""Whether real X-rays tell an implant from its mirror image, and what asking costs: in two views, and in one.

python -m benchmarks.studies.xvr_other_side XRAYS

XRAYS holds biplane_knee_implant and kneel_implant. Each component is fitted from where `xvr_implants` found it, and its
mirror image from where that shows about the same, at the coarsest scale, as `register_implants` does to say that an
implant may be of the other side. Rows of an interrupted run are kept in --rows and not measured again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from xraykit.render.geometry import rigid_inverse
from xraykit.xvr import ImplantSettings, Shot, XraySettings, read_shot
from xraykit.xvr.implants import Implant
from xraykit.xvr.implants.objective import RimTarget
from xraykit.xvr.implants.other_side import CLEARLY, compare_sides, mirror_image

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, load, save
from .xvr_implants import biplane_shot, calibration, implant_of, kneel_implants, median_of

RUNS = {"biplane": ("search", "tracked"), "kneel": ("near",)}  # rows of xvr_implants that say where an implant is


class Sight(NamedTuple):
    """An implant in X-rays of one moment: what the row says of it, the X-rays, and camera to mesh (V, 4, 4)."""

    names: dict
    shots: list[Shot]
    implant: Implant
    poses: Tensor


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_other_side", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("xrays", type=Path, help="folder of the data sets")
    parser.add_argument("--every", type=int, default=4, help="of the 27 biplane frames, each so many is asked")
    parser.add_argument("--rows", type=Path, default=Path("xvr_other_side_rows.jsonl"), help="where rows are kept")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, rows, settings = Start.now(), KeptRows(asked.rows), ImplantSettings()
    found = load(RESULTS / "xvr_implants--cpu.json")["rows"]
    for sight in (*_biplane(asked.xrays / "biplane_knee_implant", found, asked.every),
                  *_kneel(asked.xrays / "kneel_implant", found)):  # fmt: skip
        if rows.find(**sight.names) is not None:
            continue
        mirror, begun = mirror_image(sight.implant), time.process_time()
        if mirror is None:
            continue
        targets = tuple(RimTarget.of(shot, settings.scales[0]) for shot in sight.shots)
        fit = compare_sides(targets, sight.implant, mirror, sight.poses, settings.fit)
        measured = {"given": round(fit.given, 4), "mirrored": round(fit.mirrored, 4)}
        rows.add({**sight.names, **measured, "cpu_s": round(time.process_time() - begun, 2)})
        say(str(rows.all[-1]))
    scene = {"name": "biplane_knee_implant and kneel_implant", "px": settings.scales[0], "said_from": CLEARLY}
    result = start.result("xvr_other_side", rows.all, threads={"torch": 1}, scene=scene, summary=summary(rows.all))
    save(result, RESULTS / "xvr_other_side--cpu.json")


def _biplane(folder: Path, found: list[dict], every: int) -> Iterator[Sight]:
    """The femoral component in both views, and in each alone; the tray was not followed through all frames."""
    cameras, places = zip(*(calibration(folder / f"cam{c}.txt") for c in (1, 2)), strict=True)
    between = torch.stack([torch.eye(4, dtype=torch.float64), rigid_inverse(places[0]) @ places[1]])
    implant = implant_of(folder / "femoral_component.stl", "cobalt_chrome")
    for row in _answers(found, "biplane", "femoral")[::every]:
        shots = [biplane_shot(folder / f"cam{c}/{row['frame']}.png", cameras[c - 1]) for c in (1, 2)]
        poses = torch.tensor(row["pose"], dtype=torch.float64) @ between
        names = {"set": "biplane", "frame": row["frame"], "implant": "femoral"}
        for views, chosen in (("both", [0, 1]), ("first", [0]), ("second", [1])):
            yield Sight({**names, "views": views}, [shots[v] for v in chosen], implant, poses[chosen])


def _kneel(folder: Path, found: list[dict]) -> Iterator[Sight]:
    """Both components in one view."""
    settings = XraySettings(sdd=1198.0, pixel_spacing=0.373, polarity="intensity")
    for part, implant in kneel_implants(folder).items():
        for row in _answers(found, "kneel", part)[::4]:
            shot = read_shot(folder / f"{row['frame']}.png", settings)
            poses = torch.tensor(row["pose"], dtype=torch.float64)[None]
            yield Sight(
                {"set": "kneel", "frame": row["frame"], "implant": part, "views": "one"}, [shot], implant, poses
            )


def _answers(found: list[dict], of: str, part: str) -> list[dict]:
    return [row for row in found if (row["set"], row["implant"]) == (of, part) and row["run"] in RUNS[of]]


def summary(rows: list[dict]) -> dict:
    """For each set, implant and choice of views: both correlations, how far they are apart, and how often clearly."""
    found = {}
    names = ("set", "implant", "views")
    for key in dict.fromkeys(tuple(row[name] for name in names) for row in rows):
        group = [row for row in rows if tuple(row[name] for name in names) == key]
        apart = [row["given"] - row["mirrored"] for row in group]
        found[" ".join(key)] = {
            "frames": len(group),
            "given": [min(r["given"] for r in group), max(r["given"] for r in group)],
            "mirrored": [min(r["mirrored"] for r in group), max(r["mirrored"] for r in group)],
            "apart": [round(min(apart), 4), median_of(apart), round(max(apart), 4)],
            "clear": sum(value > CLEARLY for value in apart),
            "cpu_s": median_of([row["cpu_s"] for row in group]),
        }
    return found


if __name__ == "__main__":
    main()
