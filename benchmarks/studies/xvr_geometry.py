"""What stated geometry that is not exact costs, and whether freeing it at the end says so.

python -m benchmarks.studies.xvr_geometry CT [CT ...] --rows FILE

Simulated pairs of X-rays of real CTs (other projector, noise, scatter, collimation) are registered together, the
second view's place turned by 0, 0.5 and 1.5 degrees about the patient, and 10 mm off along its beam; and single X-rays
with the SDD stated as it is, 2 % off, and the pixel spacing 10 % off. Errors are true target registration errors. A
disturbance of 0 counts false alarms. Rows of an interrupted run are kept in --rows and not measured again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.render import Scene, Volume, carm_pose, simulate
from xraykit.render.geometry import rigid_inverse, rigid_matrix, rotation_from
from xraykit.render.simulation import Body
from xraykit.xvr import RegistrationSettings, Shot, Structure, register
from xraykit.xvr.refine import misplacement
from xraykit.xvr.trust.stated_geometry import check_geometry
from xraykit.xvr.trust.target_points import points_in_view, target_points

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.xvr_scenes import SDD, camera_of, settings_of

TURNS = (0.0, 0.5, 1.5)  # degrees that the second view's place is off
DEEPER = 10.0  # mm that the second view's place is off along its beam
CAMERAS = {"as it is": {}, "SDD 2 % off": {"sdd": 1.02 * SDD}, "spacing 10 % off": {"pixel_spacing": 1.1}}
SETTINGS = RegistrationSettings(scales=(64, 128, 256))
OFF = (3.0, 8.0)  # degrees and mm that starts are off


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_geometry", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("cts", type=Path, nargs="+", help="CTs")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of X-rays of each CT")
    parser.add_argument("--rows", type=Path, default=Path("xvr_geometry_rows.jsonl"), help="where rows are kept")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start = Start.now()
    rows = [json.loads(line) for line in asked.rows.read_text().splitlines()] if asked.rows.exists() else []
    known = {(row["ct"], row["pair"], row["case"]) for row in rows}
    for ct in asked.cts:
        volume = Volume.from_file(ct)
        body = Structure.of(volume)
        for pair in range(asked.pairs):
            for row in cases(ct.name.split(".")[0], pair, volume, body, known):
                rows.append(row)
                with asked.rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                say(f"{row['ct']} {row['pair']} {row['case']}: {row['before']} -> {row['after']} mm, {row['said']}")
    scene = {"name": ", ".join(ct.name for ct in asked.cts), "pairs": asked.pairs, "turns_deg": TURNS}
    result = start.result("xvr_geometry", rows, threads={"torch": 1}, scene=scene, summary=summary(rows))
    save(result, RESULTS / "xvr_geometry--cpu.json")


def cases(name: str, pair: int, volume: Volume, body: Structure, known: set) -> Iterator[dict]:
    """Rows of one pair, those in `known` left out."""
    deeper = f"{DEEPER:g} mm deeper"
    wanted = [f"{turn:g} degrees" for turn in TURNS] + [deeper] + list(CAMERAS)
    if all((name, pair, case) in known for case in wanted):
        return
    rng, generator = np.random.default_rng([7, pair]), torch.Generator().manual_seed(pair)
    isocenter = volume.center + torch.from_numpy(rng.uniform(-30, 30, 3))
    poses, shots = simulated_pair(volume, isocenter, rng)
    points = points_in_view(target_points(body.volume), [shot.camera for shot in shots], poses)
    start, axis = rigid_shift(isocenter, generator), random_direction(generator)
    for turn in TURNS:
        if (name, pair, f"{turn:g} degrees") not in known:
            places = torch.stack([poses[0], turned(isocenter, axis, turn) @ poses[1]])
            row = measured(shots, body, start @ places, poses, points)
            yield {"ct": name, "pair": pair, "case": f"{turn:g} degrees", **row}
    if (name, pair, deeper) not in known:
        further = poses[1].clone()
        further[:3, 3] -= DEEPER * further[:3, 2]
        row = measured(shots, body, start @ torch.stack([poses[0], further]), poses, points)
        yield {"ct": name, "pair": pair, "case": deeper, **row}
    for case, change in CAMERAS.items():
        if (name, pair, case) not in known:
            stated = {key: value if key == "sdd" else value * spacing(shots[0]) for key, value in change.items()}
            shot = replace(shots[0], camera=replace(shots[0].camera, **stated))
            yield {"ct": name, "pair": pair, "case": case, **measured([shot], body, start @ poses[:1], poses, points)}


def measured(shots: list[Shot], body: Structure, start: Tensor, truth: Tensor, points: Tensor) -> dict:
    """Errors [mm] of each view before and after the check, what it says, and CPU seconds of both."""
    begun = time.process_time()
    found = register(shots, body, start[None], SETTINGS)
    middle = time.process_time()
    checked = check_geometry(found, shots, (body,), SETTINGS)
    ended = time.process_time()
    before, after = (
        [round(float(misplacement(one.poses[0, v], truth[v], points)), 3) for v in range(len(shots))]
        for one in (found, checked.registration)
    )
    said = "nothing" if not checked.doubts else "SDD" if checked.shift else "places"
    return {"before": before, "after": after, "said": said, "shift": checked.shift, "doubts": list(checked.doubts),
            "cpu_s": [middle - begun, ended - middle]}  # fmt: skip


def simulated_pair(volume: Volume, isocenter: Tensor, rng: np.random.Generator) -> tuple[Tensor, list[Shot]]:
    """Two X-rays, 60 to 95 degrees apart, and their poses (2, 4, 4)."""
    first = float(rng.uniform(-20, 20))
    camera, scene = camera_of(256), Scene((Body.from_volume(volume),))
    poses, shots = [], []
    for view, angle in enumerate((first, first + float(rng.uniform(60, 95)))):
        tilt, sod = float(rng.uniform(-15, 15)), float(rng.uniform(680, 760))
        pose = carm_pose(lao_rao=angle, cra_cau=tilt, roll=0.0, sod=sod, isocenter=isocenter).double()
        found = simulate(scene, camera, pose, settings_of(camera, rng), seed=view)
        image, valid = -torch.log(found.intensity[0, 0].float().clamp_min(1e-4)), found.air[0, 0]
        shots.append(Shot(image, camera, valid=valid > 0.5 * float(valid.max()), name=f"view {view + 1}"))
        poses.append(pose)
    return torch.cat(poses), shots


def rigid_shift(isocenter: Tensor, generator: torch.Generator) -> Tensor:
    """A world motion (4, 4) that is `OFF`."""
    found = turned(isocenter, random_direction(generator), OFF[0])
    found[:3, 3] += OFF[1] * random_direction(generator)
    return found


def turned(about: Tensor, axis: Tensor, degrees: float) -> Tensor:
    """The turn about an axis through a point, (4, 4)."""
    turn = rotation_from(axis * math.radians(degrees), parameterization="axis_angle")
    return rigid_inverse(rigid_matrix(turn.mT, about - turn.mT @ about))


def random_direction(generator: torch.Generator) -> Tensor:
    """A unit vector."""
    found = torch.randn(3, generator=generator, dtype=torch.float64)
    return found / found.norm()


def spacing(shot: Shot) -> float:
    """Of its pixels [mm]."""
    return float(torch.as_tensor(shot.camera.pixel_spacing).reshape(-1)[0])


def summary(rows: list[dict]) -> dict:
    """For each case medians over the views, and what was said how often."""
    found = {}
    for case in dict.fromkeys(row["case"] for row in rows):
        own = [row for row in rows if row["case"] == case]
        found[case] = {
            "cases": len(own),
            **{f"{when}_mm": round(float(np.median([e for row in own for e in row[when]])), 3)
               for when in ("before", "after")},
            **{f"{when}_worst_mm": max(e for row in own for e in row[when]) for when in ("before", "after")},
            **{f"said_{what}": sum(row["said"] == what for row in own) for what in ("places", "SDD")},
            "cpu_s": [round(float(np.median([row["cpu_s"][k] for row in own])), 1) for k in (0, 1)],
        }  # fmt: skip
    return found


if __name__ == "__main__":
    main()
