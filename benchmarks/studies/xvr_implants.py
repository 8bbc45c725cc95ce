"""Knee replacements found in real fluoroscopy: one view with published poses, two views with masks, and tracking.

python -m benchmarks.studies.xvr_implants XRAYS

XRAYS holds kneel_implant (8 frames of one view, published poses; its masks are the projections of those poses) and
biplane_knee_implant (27 frames of two views, masks of their own). Registration sees the images alone, masks and poses
score it. What is compared with the published poses is the shift of the implant's middle and the turn, along and across
the beam. Rows of an interrupted run are kept in --rows and not measured again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from xraykit.render import Camera, InputError, read_mesh
from xraykit.render.geometry import (
    camera_from_intrinsic,
    parameters_from,
    rigid_inverse,
    rigid_matrix,
    rotation_about,
    rotation_from,
)
from xraykit.render.meshes import thickness
from xraykit.xvr import ImplantSettings, Shot, XraySettings, read_shot, register_implants
from xraykit.xvr.implants import Implant, ImplantFit

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, save

TURN, SHIFT = 10.0, 20.0  # degrees and mm that far starts are off
HIT = (1.0, 2.0)  # mm across the beam and degrees from the answer of a near start that count as the same
BETTER = 0.03  # correlation by which another run's answer replaces the near start's as the reference
PARTS = ("femoral", "tibial")
TRACKED = ImplantSettings(spread=False, lookalikes=False)
NEAR = replace(TRACKED, fit=ImplantFit(reach=5))


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_implants", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("xrays", type=Path, help="folder of the data sets")
    parser.add_argument("--rows", type=Path, default=Path("xvr_implants_rows.jsonl"), help="where rows are kept")
    parser.add_argument("--searches", type=int, default=2, help="kneel frames that are searched without a start")
    parser.add_argument("--frames", type=int, default=27, help="biplane frames that are tracked")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="components of the biplane set")
    parser.add_argument("--only", choices=("kneel", "biplane", "save"), help="measure one part alone, or only save")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, rows = Start.now(), Rows(asked.rows)
    if asked.only in (None, "kneel"):
        _kneel(asked.xrays / "kneel_implant", rows, asked.searches)
    if asked.only in (None, "biplane"):
        _biplane(asked.xrays / "biplane_knee_implant", rows, asked.frames, asked.parts)
    _judge(rows.all, kneel_implants(asked.xrays / "kneel_implant"))
    scene = {"name": "kneel_implant and biplane_knee_implant", "turn_deg": TURN, "shift_mm": SHIFT, "hit": HIT}
    found = start.result("xvr_implants", rows.all, threads={"torch": 1}, scene=scene, summary=summary(rows.all))
    save(found, RESULTS / "xvr_implants--cpu.json")
    for name, figures in found["summary"].items():
        print(name, figures)


class Rows(KeptRows):
    """Rows that are told of as they come."""

    def add(self, row: dict) -> None:
        super().add(row)
        say(f"{row['set']} {row['frame']} {row['implant']} {row['run']}: {row['score']:.3f}, IoU {row['iou']}")


def _kneel(folder: Path, rows: Rows, searches: int) -> None:
    settings = XraySettings(sdd=1198.0, pixel_spacing=0.373, polarity="intensity")
    frames = sorted(path.stem for path in folder.glob("[0-9]*.png") if "_" not in path.stem)
    implants = kneel_implants(folder)
    generator = torch.Generator().manual_seed(0)
    for n, frame in enumerate(frames):
        shot = read_shot(folder / f"{frame}.png", settings)
        for part in PARTS:
            implant, published = implants[part], _published(folder / f"{part[:3]}.jts")[n]
            masks = [mask_of(folder / f"{frame}_{part[:3]}.png")]
            far = _disturbed(implant, published, generator)
            runs = [("near", published, NEAR), ("far", far, ImplantSettings())]
            runs += [("search", None, ImplantSettings())] if n < searches else []
            near = None
            for run, begin, how in runs:
                names = {"set": "kneel", "frame": frame, "implant": part, "run": run}
                if rows.find(**names) is None:
                    rows.add(names | _measured([shot], implant, begin, how, masks, published, near))
                row = rows.find(**names)
                near = torch.tensor(row["pose"], dtype=torch.float64) if run == "near" and row else near


def kneel_implants(folder: Path) -> dict[str, Implant]:
    """The components of the kneel set."""
    return {"femoral": implant_of(folder / "KR_left_8_fem.stl", "cobalt_chrome"),
            "tibial": implant_of(folder / "KR_left_8_tib.stl", "titanium_alloy")}  # fmt: skip


def _judge(rows: list[dict], implants: dict[str, Implant]) -> None:
    """Say of every answer of the kneel set whether it is that of the near start."""
    for row in rows:
        if row["set"] == "kneel" and row["run"] != "near":
            poses = (torch.tensor(one["pose"], dtype=torch.float64) for one in (row, _reference(rows, row)))
            row["hit"] = _same(_errors(implants[row["implant"]], *poses))
            row["rival_hit"] = row["hit"] or bool(row["rival_hit"])


def _reference(rows: list[dict], row: dict) -> dict:
    """The near start's row of the same frame and implant, or one that fits clearly better."""
    names = ("set", "frame", "implant")
    same = [other for other in rows if all(other[name] == row[name] for name in names)]
    near = next(other for other in same if other["run"] == "near")
    best = max(same, key=lambda other: other["score"])
    return best if best["score"] > near["score"] + BETTER else near


def _biplane(folder: Path, rows: Rows, count: int, parts: Sequence[str]) -> None:
    cameras, places = zip(*(calibration(folder / f"cam{c}.txt") for c in (1, 2)), strict=True)
    between = torch.stack([torch.eye(4, dtype=torch.float64), rigid_inverse(places[0]) @ places[1]])
    frames = sorted(path.stem for path in (folder / "cam1").glob("*.png"))[:count]
    for part in parts:
        implant = implant_of(
            folder / f"{part}_component.stl", "cobalt_chrome" if part == "femoral" else "titanium_alloy"
        )
        track: list[Tensor] = []
        for frame in frames:
            shots = [biplane_shot(folder / f"cam{c}/{frame}.png", cameras[c - 1]) for c in (1, 2)]
            masks = [mask_of(folder / f"masks/cam{c}_{frame}_{part}.png") for c in (1, 2)]
            starts = _predicted(track, between)
            names = {"set": "biplane", "frame": frame, "implant": part}
            run = "search" if starts is None else "tracked"
            if rows.find(**names, run=run) is None:
                how = ImplantSettings() if starts is None else TRACKED
                try:
                    measured = _measured(shots, implant, starts, how, masks, None, None, between)
                except InputError as error:  # `xvr track` finds it again, see xvr_track
                    say(f"biplane {frame} {part}: lost ({error})")
                    break
                rows.add(names | {"run": run} | measured)
            row = rows.find(**names, run=run)
            found = torch.tensor((row or {})["pose"], dtype=torch.float64)
            track.append(found)
            if starts is not None and rows.find(**names, run="one view") is None:
                single = _measured(shots[:1], implant, starts[:, :, :1], TRACKED, masks[:1], found, found)
                rows.add(names | {"run": "one view"} | single)


def _measured(
    shots: list[Shot], implant: Implant, start: Tensor | None, settings: ImplantSettings, masks: list[np.ndarray],
    reference: Tensor | None, near: Tensor | None, between: Tensor | None = None,
) -> dict:  # fmt: skip
    """One registration as a row: errors against `reference`, hits against `near`, both camera to mesh (4, 4)."""
    begun = time.process_time()
    found = register_implants(shots, implant, start, settings, cameras=between)
    pose = found.poses[0]
    row = {
        "views": len(shots), "score": float(found.score[0]), "converged": bool(found.converged[0]),
        "iou": [round(iou(implant, s.camera, p, m), 4) for s, p, m in zip(shots, pose, masks, strict=True)],
        "rivals": sum("answers fit about as well" in doubt for doubt in found.doubts),
        "cpu_s": time.process_time() - begun, "pose": pose[0].tolist(), "errors": None, "hit": None, "rival_hit": None,
    }  # fmt: skip
    if reference is not None:
        row["errors"] = _errors(implant, pose[0], reference)
    if near is not None:
        hits = [_same(_errors(implant, answer.poses[0], near)) for answer in found.answers[0]]
        row["hit"], row["rival_hit"] = hits[0], any(hits)
    return row


def _errors(implant: Implant, found: Tensor, truth: Tensor) -> list[float]:
    """Shift across and along the beam [mm], turn about and across it [degrees], of poses camera to mesh."""
    first, second = rigid_inverse(found), rigid_inverse(truth)
    shift = (first[:3, :3] - second[:3, :3]) @ implant.pivot + first[:3, 3] - second[:3, 3]
    turn = torch.rad2deg(parameters_from(first[:3, :3] @ second[:3, :3].mT, parameterization="axis_angle"))
    return [float(shift[:2].norm()), float(shift[2].abs()), float(turn[2].abs()), float(turn[:2].norm())]


def _same(errors: list[float]) -> bool:
    return errors[0] <= HIT[0] and math.hypot(errors[2], errors[3]) <= HIT[1]


def _predicted(track: list[Tensor], between: Tensor) -> Tensor | None:
    """Starts (S, 1, 2, 4, 4) from the motion so far: where it was, and where it would be if it went on."""
    if not track:
        return None
    starts = [track[-1]] + ([track[-1] @ rigid_inverse(track[-2]) @ track[-1]] if len(track) > 1 else [])
    return torch.stack([start @ between for start in starts])[:, None]


def _disturbed(implant: Implant, pose: Tensor, generator: torch.Generator) -> Tensor:
    """The pose (4, 4), camera to mesh, with the implant turned about its middle and shifted, in random directions."""
    axis, way = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    turn = rotation_from(axis / axis.norm() * math.radians(TURN), parameterization="axis_angle")
    to_camera = rigid_inverse(pose)
    middle = to_camera[:3, :3] @ implant.pivot + to_camera[:3, 3] + SHIFT * way / way.norm()
    rotation = turn @ to_camera[:3, :3]
    return rigid_inverse(rigid_matrix(rotation, middle - rotation @ implant.pivot))


def iou(implant: Implant, camera: Camera, pose: Tensor, mask: np.ndarray) -> float:
    """Overlap of the implant's silhouette at a pose (4, 4), camera to mesh, with a mask of the image."""
    silhouette = (thickness([implant.mesh], camera, pose[None])[0, 0] > 0).numpy()
    return float((silhouette & mask).sum() / (silhouette | mask).sum())


def implant_of(path: Path, material: str) -> Implant:
    """The implant in a mesh file."""
    return Implant(read_mesh(path, material=material, piercing="doubt"))


def mask_of(path: Path) -> np.ndarray:
    """The mask in a picture that was JPEG once."""
    return np.asarray(Image.open(path).convert("L")) > 127


def _published(path: Path) -> list[Tensor]:
    """Camera to mesh of a JTS file: R = Rz Rx Ry in a camera that looks along -z, y up; turned to ours."""
    rows = [[float(word) for word in line.split(",")] for line in path.read_text(encoding="utf-8").splitlines()[2:]]
    ours = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
    found = []
    for x, y, z, *angles in rows:
        a, b, c = (torch.tensor(math.radians(angle), dtype=torch.float64) for angle in angles)
        rotation = rotation_about("Z", a) @ rotation_about("X", b) @ rotation_about("Y", c)
        place = ours @ torch.tensor([x, y, z], dtype=torch.float64)
        found.append(rigid_inverse(rigid_matrix(ours @ rotation, place)))
    return found


def calibration(path: Path) -> tuple[Camera, Tensor]:
    """Camera and camera to world of a calibration text with K, R and t; X_camera = R X + t."""
    blocks = [block.splitlines() for block in path.read_text(encoding="utf-8").strip().split("\n\n")]
    tables = {block[0]: torch.tensor([[float(w) for w in line.split(",")] for line in block[1:]], dtype=torch.float64)
              for block in blocks}  # fmt: skip
    width, height = tables["image size"][0].int().tolist()
    camera = camera_from_intrinsic(tables["camera matrix"], height=height, width=width, sdd=1500.0)
    return camera, rigid_inverse(rigid_matrix(tables["rotation"], tables["translation"][:, 0]))


def biplane_shot(path: Path, camera: Camera) -> Shot:
    """An X-ray of the biplane set."""
    spacing, centre = (camera.tensors(dtype=torch.float64, device="cpu")[n][0] for n in (1, 2))
    settings = XraySettings(sdd=1500.0, pixel_spacing=(float(spacing[0]), float(spacing[1])),
                            principal_point=(float(centre[0]), float(centre[1])), polarity="intensity")  # fmt: skip
    return replace(read_shot(path, settings), name=f"{path.parent.name}_{path.stem}")


def summary(rows: list[dict]) -> dict:
    """Medians for each set, implant and run."""
    found = {}
    for key in dict.fromkeys((row["set"], row["implant"], row["run"]) for row in rows):
        group = [row for row in rows if (row["set"], row["implant"], row["run"]) == key]
        figures = {
            "frames": len(group), "score": median_of([r["score"] for r in group]),
            "iou": median_of([value for r in group for value in r["iou"]]),
            "iou_least": min(value for r in group for value in r["iou"]),
            "cpu_s": median_of([r["cpu_s"] for r in group]),
        }  # fmt: skip
        errors = [row["errors"] for row in group if row["errors"] is not None]
        if errors:
            names = ("across_mm", "depth_mm", "turn_about_beam_deg", "turn_across_beam_deg")
            figures |= {name: median_of([e[n] for e in errors]) for n, name in enumerate(names)}
        hits = [row for row in group if row["hit"] is not None]
        if hits:
            figures["hits"] = sum(row["hit"] for row in hits)
            figures["hits_among_answers"] = sum(row["rival_hit"] for row in hits)
        found[" ".join(key)] = figures
    return found


def median_of(values: list[float]) -> float:
    """The median, for a table."""
    return round(float(np.median(values)), 4)


if __name__ == "__main__":
    main()
