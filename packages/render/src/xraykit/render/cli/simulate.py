"""`xraykit render simulate`: one X-ray of a scene file, with every mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..commands.findings import say_findings, say_lines
from ..commands.options import flat
from ..commands.progress import Steps
from ..commands.shared_settings import MeshUnits
from ..extras import missing
from ..rendering.devices import usable_device
from ..rendering.options import Backend
from ..storage.brief import brief


@dataclass(frozen=True)
class SimulateSettings:
    """A scene to simulate; the scene file has settings of its own."""

    scene: Path = field(metadata={"positional": True})
    """SCENE.yaml: bodies, tools, camera, view, beam, dose, scatter, detector."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for the results; made if need be, all files of an earlier run are replaced."""
    seg: bool = False
    """Demand the DICOM segmentation; without this it is written where highdicom is installed (extra `export`)."""
    camera: tuple[Path, ...] = ()
    """Camera files in place of the scene's camera and view, as for `xraykit render drr`; their world is the scene's.
    Several views go to DIR/view_1, DIR/view_2 and so on."""
    mesh_units: MeshUnits | None = None
    """Unit of the mesh files whose tool states no scale; without this what the file states, or mm."""
    seed: int | None = None
    """Seed of the noise, in place of the scene's."""
    backend: Backend | None = None
    """Implementation, in place of the scene's."""
    device: str = "cpu"
    """cpu, cuda or cuda:N."""


def simulate(settings: SimulateSettings) -> None:
    """Simulate the X-ray of a scene: polychromatic, with tools, scatter, noise and every mask.

    DIR then holds image.png, overlay.png, image.dcm, intensity.tiff, line_integrals.npy, path_lengths.npy,
    masks.coco.json, masks.dcm, pose.json, simulation.json and scene.yaml (the scene with all defaults filled in).

    Args:
        settings: The scene, and where to write.
    """
    from ..geometry.plausible_camera import camera_doubts
    from ..scenes import save as results
    from ..scenes.scene_yaml import read_scene
    from ..simulation.simulation import simulate as run
    from ..storage.atomic_write import check_result_folder

    device = usable_device(settings.device)
    if settings.seg and not results.has_export("highdicom"):
        raise missing("highdicom", extra="export", what="--seg")
    with Steps(total=3) as steps:
        with steps.step("read the scene"):
            plan = read_scene(settings.scene, mesh_scale=_scale(settings)).with_options(
                seed=settings.seed, backend=settings.backend
            )
            plans = plan.seen_by(settings.camera) if settings.camera else [plan]
            folders = [settings.output]
            if len(plans) > 1:
                folders = [settings.output / f"view_{n}" for n in range(1, len(plans) + 1)]
            for folder in folders:
                check_result_folder(folder)
        for body in plan.scene.bodies:
            say_findings(f"{settings.scene}, body {body.name}", body.volume)
        grids = [(body.volume.affine, tuple(body.volume.shape)) for body in plan.scene.bodies]
        odd = (line for one in plans for line in camera_doubts(one.camera, one.pose, grids=grids))
        say_lines(warnings=list(dict.fromkeys(odd)))
        with steps.step("simulate the X-ray" if len(plans) == 1 else f"simulate {len(plans)} X-rays"):
            scene = plan.scene.to(device)
            simulations = [run(scene, one.camera, one.pose, one.settings, seed=one.seed) for one in plans]
        written = []
        with steps.step("write the results"):
            for one, folder, simulation in zip(plans, folders, simulations, strict=True):
                written += results.save_simulation(folder, simulation, one, seg=settings.seg or None)
    for tool in plan.scene.tools:
        _say(brief(tool.name), "mended", tool.mesh.repairs)
        _say(brief(tool.name), "doubtful", tool.mesh.doubts)
    if not results.has_export("pycocotools"):
        print(f"masks.coco.json was left out: {missing('pycocotools', extra='export', what='it')}")
    print("wrote " + ", ".join(str(path) for path in written))


def _scale(settings: SimulateSettings) -> float | None:
    from ..files.mesh_header import MESH_UNITS

    return None if settings.mesh_units is None else MESH_UNITS[settings.mesh_units]


def _say(name: str, what: str, phrases: tuple[str, ...]) -> None:
    if phrases:
        print(f"{name}, {what}: {'; '.join(brief(phrase, limit=300) for phrase in phrases)}")


command = flat(simulate, SimulateSettings)
