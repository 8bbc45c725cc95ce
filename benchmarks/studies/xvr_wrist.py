"""Bones of a wrist in real biplane fluoroscopy: each from its own CT, with its own pose, in both views at once.

python -m benchmarks.studies.xvr_wrist FOLDER --pictures FOLDER

FOLDER is the biplane_wrist set: calibrated cameras, X-rays, and CTs of single bones as 16-bit TIFF stacks. No pose is
known. In each frame each bone is placed by hand: the middles of its first and last pages are clicked in both X-rays,
to about 10 px, and the turn about its axis said to about 10 degrees. From there, and from repeated starts turned and
shifted about each bone's middle, radius and ulna are registered together, and second and third metacarpal as one
body, then in each view alone from where both have it. The scatter of the ends says how repeatable an answer is. The
third metacarpal has a CT of its own too, a crop of the other's, so that its pose against theirs is known. Pictures,
in local contrast with the edges of the bones, are to be looked at and not to be published. Rows of an interrupted run
are kept in --rows and not measured again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from xraykit.render import Volume, render
from xraykit.render.geometry import geodesic_distance, rigid_inverse, se3_exp
from xraykit.render.pictures import overlay, save_png
from xraykit.xvr import RegistrationSettings, Shot, Structure, XraySettings, register
from xraykit.xvr.refine import Registration
from xraykit.xvr.result.display import numbers, resized, thin_edges
from xraykit.xvr.xray import read_shots

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, save

SPACING = (0.39625, 0.39625, 0.625)  # mm, as the set states it
FILES = {"radius": "rad", "ulna": "uln", "metacarpals": "mc2_mc3", "third alone": "mc3"}
GROUPS = (("radius", "ulna"), ("metacarpals",))
ROLL = {"radius": 0.0, "ulna": -80.0, "metacarpals": 40.0}  # degrees about the axis, in all frames
PLACED = {
    "0002": {"radius": ((910, 1200, 940, 1600), (540, 1200, 560, 1610)),
             "ulna": ((860, 1200, 810, 1550), (750, 1230, 740, 1590)),
             "metacarpals": ((1280, 830, 1010, 1080), (450, 800, 550, 1080))},
    "0099": {"radius": ((880, 1170, 880, 1570), (660, 1190, 640, 1590)),
             "ulna": ((790, 1200, 760, 1550), (860, 1250, 810, 1600)),
             "metacarpals": ((920, 650, 890, 980), (890, 680, 730, 1010))},
    "0158": {"radius": ((870, 1160, 880, 1570), (670, 1180, 650, 1590)),
             "ulna": ((770, 1200, 750, 1540), (870, 1250, 810, 1600)),
             "metacarpals": ((830, 640, 860, 960), (930, 680, 740, 990))},
}  # fmt: skip
"""For each bone, in the first and the second view, where its upper and its lower end was clicked, (x, y, x, y) [px]."""
TURN, SHIFT = 4.0, 3.0  # degrees and mm that repeated starts are off
END = 8  # of a bone's pages, the first and the last of so many parts are its ends


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_wrist", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("folder", type=Path, help="the biplane_wrist set")
    parser.add_argument("--repeats", type=int, default=3, help="further starts of each frame")
    parser.add_argument("--scales", type=int, nargs="+", default=(224, 448, 896), help="pixels, coarse to fine")
    parser.add_argument("--frames", nargs="+", default=tuple(PLACED), choices=tuple(PLACED))
    parser.add_argument("--rows", type=Path, default=Path("xvr_wrist_rows.jsonl"), help="where rows are kept")
    parser.add_argument("--pictures", type=Path, help="folder for pictures to look at, of data that is not ours")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, rows = Start.now(), KeptRows(asked.rows)
    settings = RegistrationSettings(scales=tuple(asked.scales), iterations=15)
    bones = {name: Structure.of(_volume(asked.folder, file)) for name, file in FILES.items()}
    crop = crop_of(bones["third alone"].volume, bones["metacarpals"].volume)
    for frame in asked.frames:
        shots = _shots(asked.folder, frame)
        found = {}
        for group in GROUPS:
            placed = torch.stack(
                [placed_by_hand(bones[name], PLACED[frame][name], ROLL[name], shots) for name in group]
            )
            for run in range(asked.repeats + 1):
                begin = displaced(placed, [bones[name] for name in group], run)
                _measured(rows, (frame, group, f"start {run}"), bones, shots, begin, settings)
            best = best_of(rows.all, frame, group, shots)
            found.update(zip(group, best, strict=True))
            for view, shot in enumerate(shots):
                _measured(rows, (frame, group, f"view {view + 1}"), bones, (shot,), best[:, view : view + 1], settings)
        third = displaced((rigid_inverse(crop) @ found["metacarpals"])[None], [bones["third alone"]], 1)
        _measured(rows, (frame, ("third alone",), "start 1"), bones, shots, third, settings)
        if asked.pictures is not None:
            asked.pictures.mkdir(parents=True, exist_ok=True)
            for view, shot in enumerate(shots):
                seen = {name: (bones[name], poses[view]) for name, poses in found.items()}
                save_png(asked.pictures / f"{frame}_{view + 1}.png", edges_on(shot, seen))
    scene = {"name": "biplane_wrist", "px": settings.scales[-1], "start_deg": TURN, "start_mm": SHIFT}
    said = summary(rows.all, bones, crop, asked.folder)
    result = start.result("xvr_wrist", rows.all, threads={"torch": 1}, scene=scene, summary=said)
    save(result, RESULTS / "xvr_wrist--cpu.json")


def _volume(folder: Path, name: str) -> Volume:
    return Volume.from_file(folder / f"{name}_dcm_cropped.tif", voxel_spacing=SPACING)


@cache
def _shots(folder: Path, frame: str) -> tuple[Shot, ...]:
    files = [folder / f"xr_rad_uln_cam0{camera}_UND.{frame}.tif" for camera in (1, 2)]
    cameras = [folder / f"xr_calib_wrist_cam0{camera}.txt" for camera in (1, 2)]
    return read_shots(files, XraySettings(polarity="intensity"), cameras=cameras)


def placed_by_hand(
    bone: Structure, clicked: Sequence[tuple[int, int, int, int]], roll: float, shots: Sequence[Shot]
) -> Tensor:
    """Camera to bone, (V, 4, 4), that puts the bone's ends nearest to the rays through both clicks of each."""
    ends = torch.stack(ends_of(bone.volume))
    seen = torch.stack([_meeting(shots, [(one[n], one[n + 1]) for one in clicked]) for n in (0, 2)])
    own, axis = ends[1] - ends[0], F.normalize(seen[1] - seen[0], dim=0)
    across = torch.linalg.cross(F.normalize(own, dim=0), axis)
    lean = F.normalize(across, dim=0) * torch.atan2(across.norm(), F.normalize(own, dim=0) @ axis)
    turn = _turned(math.radians(roll) * axis) @ _turned(lean)
    to_room = torch.eye(4, dtype=torch.float64)
    to_room[:3, :3], to_room[:3, 3] = turn, seen.mean(0) - turn @ ends.mean(0)
    return rigid_inverse(to_room) @ _places(shots)


def ends_of(volume: Volume) -> list[Tensor]:
    """The centres of mass of the first and of the last pages that show the bone, each (3,) [mm]."""
    mu = volume.mu.double() * volume.mu_scale
    pages = max(1, mu.shape[0] // END)
    found = []
    for first in (0, mu.shape[0] - pages):
        part = mu[first : first + pages]
        k, j, i = (torch.arange(n, dtype=torch.float64) for n in part.shape)
        of_each = [(part.sum((0, 1)) @ i), (part.sum((0, 2)) @ j), part.sum((1, 2)) @ (k + first)]
        found.append(_mapped(volume.affine.double(), torch.stack(of_each) / part.sum()))
    return found


def displaced(poses: Tensor, bones: Sequence[Structure], seed: int) -> Tensor:
    """Starts (1, K, V, 4, 4), each bone turned and shifted about its middle at random; seed 0 leaves them."""
    generator, moved = torch.Generator().manual_seed(seed), []
    for pose, bone in zip(poses, bones, strict=True):
        shift, turn = F.normalize(torch.randn(2, 3, generator=generator, dtype=torch.float64), dim=1)
        twist = se3_exp(torch.cat([SHIFT * shift, math.radians(TURN) * turn])) if seed else torch.eye(4).double()
        moved.append(_about(bone.pivot) @ twist @ _about(-bone.pivot) @ pose)
    return torch.stack(moved)[None]


def _measured(
    rows: KeptRows,
    names: tuple[str, tuple[str, ...], str],
    bones: dict[str, Structure],
    shots: Sequence[Shot],
    starts: Tensor,
    settings: RegistrationSettings,
) -> None:
    """Register a group of bones from starts, and keep a row of each bone."""
    frame, group, run = names
    if all(rows.find(frame=frame, bone=bone, run=run) for bone in group):
        return
    how = settings if run.startswith("start") else settings.part(slice(-1, None))
    begun = time.process_time()
    found: Registration = register(shots, [bones[name] for name in group], starts.reshape(-1, *starts.shape[-4:]), how)
    seconds = round((time.process_time() - begun) / len(group), 2)
    for name, pose in zip(group, found.poses, strict=True):
        measured = {"similarity": round(found.similarity, 4), "converged": found.converged, "cpu_s": seconds}
        rows.add({"frame": frame, "bone": name, "run": run, **measured, "pose": pose[0].tolist()})
    say(f"frame {frame}, {' and '.join(group)}, {run}: {found.similarity:.3f}, {seconds * len(group):.0f} s")


def best_of(rows: list[dict], frame: str, group: Sequence[str], shots: Sequence[Shot]) -> Tensor:
    """Where the start that ended most alike put each bone, (K, V, 4, 4)."""
    runs = [row for row in rows if row["frame"] == frame and row["bone"] == group[0] and row["run"].startswith("start")]
    run = max(runs, key=lambda row: row["similarity"])["run"]
    chosen = {row["bone"]: row["pose"] for row in rows if row["frame"] == frame and row["run"] == run}
    first = torch.tensor([chosen[name] for name in group], dtype=torch.float64)
    return first[:, None] @ (rigid_inverse(_places(shots)[:1]) @ _places(shots))


def crop_of(part: Volume, whole: Volume) -> Tensor:
    """The world of a volume to that of another from which it was cut out by whole voxels, (4, 4).

    Where the correlation of both is largest, over all shifts.
    """
    size = [a + b for a, b in zip(part.shape, whole.shape, strict=True)]
    small, large = (torch.fft.rfftn(one.mu.float() * one.mu_scale, s=size) for one in (part, whole))
    shifts = torch.fft.irfftn(large * small.conj(), s=size)
    place = np.unravel_index(int(shifts.argmax()), size)
    k, j, i = (int(p) if p < n else int(p) - s for p, n, s in zip(place, whole.shape, size, strict=True))
    voxel = torch.tensor([i, j, k, 1.0], dtype=torch.float64)
    moved = torch.eye(4, dtype=torch.float64)
    moved[:3, 3] = (whole.affine.double() @ voxel)[:3] - part.affine.double()[:3, 3]
    return moved


def summary(rows: list[dict], bones: dict[str, Structure], crop: Tensor, folder: Path) -> dict:
    """For each bone over all frames, medians and largest: scatter of repeated starts, and how far single views end off.

    Shifts are of the bone's middle [mm], across and along the first beam of the view; turns in degrees. All are
    against the repeated start that ended most alike.
    """
    found: dict[str, dict] = {}
    frames = list(dict.fromkeys(row["frame"] for row in rows))
    for name in (*GROUPS[0], *GROUPS[1]):
        apart: dict[str, list[list[float]]] = {"repeated": [], "single view": []}
        for frame in frames:
            own = [row for row in rows if (row["frame"], row["bone"]) == (frame, name)]
            places = _places(_shots(folder, frame))
            starts = [row for row in own if row["run"].startswith("start")]
            best = max(starts, key=lambda row: row["similarity"])
            reference = torch.tensor(best["pose"], dtype=torch.float64) @ rigid_inverse(places[0])
            for row in own:
                view = 0 if row["run"].startswith("start") else int(row["run"][-1]) - 1
                there = torch.tensor(row["pose"], dtype=torch.float64)
                kind = "repeated" if row["run"].startswith("start") else "single view"
                if row is not best:
                    apart[kind].append(_apart(there, reference @ places[view], bones[name].pivot))
        ends = {kind: _median_and_most(values) for kind, values in apart.items()}
        own = [row for row in rows if row["bone"] == name and row["run"].startswith("start")]
        found[name] = {"frames": len(frames), **ends, "similarity": [min(r["similarity"] for r in own),
                       max(r["similarity"] for r in own)], "cpu_s": _median([r["cpu_s"] for r in own])}  # fmt: skip
    known = []
    for frame in frames:
        both = [
            max((r for r in rows if (r["frame"], r["bone"]) == (frame, name) and r["run"].startswith("start")),
                key=lambda row: row["similarity"])
            for name in ("third alone", "metacarpals")
        ]  # fmt: skip
        alone, together = (torch.tensor(row["pose"], dtype=torch.float64) for row in both)
        known.append(_apart(alone, rigid_inverse(crop) @ together, bones["third alone"].pivot))
    return {**found, "third alone against its pose in both": _median_and_most(known)}


def _apart(pose: Tensor, other: Tensor, point: Tensor) -> list[float]:
    """Shift of a point across and along the beam [mm], and the turn [degrees], between cameras to one bone."""
    shift = _mapped(rigid_inverse(pose), point) - _mapped(rigid_inverse(other), point)
    return [float(shift[:2].norm()), abs(float(shift[2])), float(geodesic_distance(pose[None], other[None])[0])]


def _median_and_most(values: list[list[float]]) -> dict[str, list[float]]:
    names = ("across_mm", "along_mm", "turn_deg")
    columns = zip(names, zip(*values, strict=True), strict=True) if values else ()
    return {name: [_median(column), round(max(column), 3)] for name, column in columns}


def _median(values: Sequence[float]) -> float:
    return round(float(np.median(values)), 3)


def edges_on(shot: Shot, bones: dict[str, tuple[Structure, Tensor]]) -> np.ndarray:
    """The X-ray in local contrast, beside it the same with the edges of the bones, at 1200 px."""
    small = resized(shot, 1200)
    size = tuple(small.image.shape)

    def smooth(image: Tensor) -> Tensor:
        low = F.interpolate(image[None, None], [n // 24 for n in size], mode="bilinear", antialias=True)
        return F.interpolate(low, size, mode="bicubic")[0, 0]

    flat = small.image if small.valid is None else small.image.where(small.valid, small.image[small.valid].median())
    detail = flat - smooth(flat)
    spread = smooth(detail.square()).clamp_min(0).sqrt()
    grey = (110 + 70 * detail / (spread + 0.15 * spread.quantile(0.99))).clamp(0, 255).byte().numpy()
    masks = {
        name: thin_edges(numbers(render(bone.volume, small.camera, pose[None], samples=120)[0, 0]))
        for name, (bone, pose) in bones.items()
    }
    plain = np.repeat(grey[..., None], 3, axis=2)
    return np.concatenate([plain, overlay(grey, masks, opacity=0.9, outline=False)], axis=1)


def _meeting(shots: Sequence[Shot], clicked: Sequence[tuple[int, int]]) -> Tensor:
    """The point nearest to the rays through pixels of several X-rays, (3,) [mm]."""
    normal, right = torch.zeros(3, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for shot, pose, pixel in zip(shots, _places(shots), clicked, strict=True):
        sdd, spacing, centre = shot.camera.tensors(dtype=torch.float64, device="cpu")
        at = (torch.tensor(pixel, dtype=torch.float64) - centre[0]) * spacing[0].flip(0)
        ray = F.normalize(pose[:3, :3] @ torch.cat([at, sdd[:1]]), dim=0)
        off = torch.eye(3, dtype=torch.float64) - torch.outer(ray, ray)
        normal, right = normal + off, right + off @ pose[:3, 3]
    return torch.linalg.solve(normal, right)


def _places(shots: Sequence[Shot]) -> Tensor:
    """Camera to room, (V, 4, 4)."""
    return torch.stack([shot.pose for shot in shots if shot.pose is not None]).double()


def _turned(vector: Tensor) -> Tensor:
    """The rotation about a vector by its length, (3, 3)."""
    return se3_exp(torch.cat([torch.zeros(3, dtype=torch.float64), vector]))[:3, :3]


def _mapped(matrix: Tensor, point: Tensor) -> Tensor:
    return matrix[:3, :3] @ point.double() + matrix[:3, 3]


def _about(point: Tensor) -> Tensor:
    moved = torch.eye(4, dtype=torch.float64)
    moved[:3, 3] = point
    return moved


if __name__ == "__main__":
    main()
