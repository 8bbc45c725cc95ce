"""A knee replacement followed through biplane fluoroscopy by `xraykit xvr track`, judged by masks of other software.

python -m benchmarks.studies.xvr_track XRAYS --output DIR

XRAYS holds biplane_knee_implant (27 frames of two calibrated views). Nothing is told: both components are searched in
the two X-rays of the first frame, and tracked from there. DIR gets the command's own results, so that an interrupted
study goes on; the poses found are laid over the masks of every frame.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from xraykit.render.geometry import rigid_inverse
from xraykit.xvr import ImplantSettings, MeshSettings, XraySettings, register_implants
from xraykit.xvr.implants import Implant, ImplantRecord, write_implants
from xraykit.xvr.start import StartSettings
from xraykit.xvr.tracking import (
    BoneAxes,
    CineSettings,
    KneeAxes,
    Track,
    TrackingSettings,
    TrackOutputSettings,
    TrackSettings,
    relative_motions,
    track_files,
)

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from .xvr_implants import PARTS, biplane_shot, calibration, implant_of, iou, mask_of, median_of

AXES = {"right": (1.0, 0.0, 0.0), "proximal": (0.0, 0.0, 1.0)}  # as both meshes lie in their files
KNEE = KneeAxes("right", BoneAxes("femoral_component", **AXES), BoneAxes("tibial_component", **AXES))
MATERIALS = ("cobalt_chrome", "titanium_alloy")


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_track", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("xrays", type=Path, help="folder of the data sets")
    parser.add_argument("--output", type=Path, required=True, help="folder for what the command leaves")
    parser.add_argument("--frames", type=int, default=27, help="frames that are followed")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, folder = Start.now(), asked.xrays / "biplane_knee_implant"
    implants = [implant_of(folder / f"{part}_component.stl", material)
                for part, material in zip(PARTS, MATERIALS, strict=True)]  # fmt: skip
    first = asked.output / "first/implants.json"
    if not first.exists():
        first.parent.mkdir(parents=True, exist_ok=True)
        write_implants(first, _first_frame(folder, implants))
    knee = asked.output / "knee.json"
    knee.write_text(json.dumps(asdict(KNEE)), encoding="utf-8")
    track = track_files(_settings(folder, first, asked.output / "track", asked.frames), report=_said).track
    rows = _rows(folder, implants, track)
    scene = {"name": "biplane_knee_implant", "views": 2, "frames": len(track.frames)}
    figures = summary(rows, track)
    result = start.result("xvr_track", rows, threads={"torch": 1}, scene=scene, summary=figures)
    save(result, RESULTS / "xvr_track--cpu.json")
    for name, values in figures.items():
        print(name, values)


def _said(done: int, total: int) -> None:
    say(f"{done} of {total} frames")


def _settings(folder: Path, first: Path, output: Path, frames: int) -> TrackSettings:
    meshes = MeshSettings(tuple(folder / f"{part}_component.stl" for part in PARTS), mesh_material=MATERIALS)
    results = TrackOutputSettings(output, resume=True, smooth=2, knee=first.parents[1] / "knee.json")
    return TrackSettings(
        folder / "cam1", results, (folder / "cam2",),
        camera=(folder / "cam1.txt", folder / "cam2.txt"), cine=CineSettings(last=frames - 1), meshes=meshes,
        tracking=TrackingSettings(most_shift=60.0),  # of ten frames that were taken, these show one
        xray=XraySettings(polarity="intensity"), start=StartSettings(result=(first,)),
    )  # fmt: skip


def _first_frame(folder: Path, implants: list[Implant]) -> ImplantRecord:
    """Where both components are in the first frame: searched in its two X-rays."""
    cameras, places = zip(*(calibration(folder / f"cam{c}.txt") for c in (1, 2)), strict=True)
    between = torch.stack([torch.eye(4, dtype=torch.float64), rigid_inverse(places[0]) @ places[1]])
    shots = [biplane_shot(folder / f"cam{c}/000.png", cameras[c - 1]) for c in (1, 2)]
    found = register_implants(shots, implants, None, ImplantSettings(), cameras=between)
    return ImplantRecord(tuple(implant.name for implant in implants), ("cam1_000", "cam2_000"), found)


def _rows(folder: Path, implants: list[Implant], track: Track) -> list[dict]:
    cameras = [calibration(folder / f"cam{c}.txt")[0] for c in (1, 2)]
    rows = []
    for frame in track.frames:
        for k, part in enumerate(PARTS):
            lost = frame.verdicts[k] == "lost"
            masks = [mask_of(folder / f"masks/cam{c}_{frame.label}_{part}.png") for c in (1, 2)]
            seen = zip(cameras, frame.poses[k], masks, strict=True)
            overlaps = [0.0 if lost else round(iou(implants[k], camera, pose, mask), 4) for camera, pose, mask in seen]
            rows.append({
                "frame": frame.label, "implant": part, "verdict": frame.verdicts[k],
                "score": 0.0 if lost else frame.scores[k],
                "iou": overlaps, "cpu_s": frame.seconds, "pose": [] if lost else frame.poses[k, 0].tolist(),
            })  # fmt: skip
    return rows


def summary(rows: list[dict], track: Track) -> dict:
    """For each component verdicts and overlaps, then the seconds a frame and the motion of the knee."""
    found: dict = {}
    for part in PARTS:
        own = [row for row in rows if row["implant"] == part]
        values = [value for row in own for value in row["iou"]]
        found[part] = {
            "frames": len(own), "lost": sum(row["verdict"] == "lost" for row in own),
            "found_again": sum(row["verdict"] == "found again" for row in own),
            "iou": median_of(values), "iou_least": min(values), "iou_last_frame": min(own[-1]["iou"]),
        }  # fmt: skip
    found["cpu_s_of_a_frame"] = median_of([frame.seconds for frame in track.frames[1:]])
    (knee,) = relative_motions(track, KNEE)
    for name, values in knee.values.items():
        known = values[~values.isnan()]
        found[name] = [round(float(value), 2) for value in (known.min(), known.max())]
    return found


if __name__ == "__main__":
    main()
