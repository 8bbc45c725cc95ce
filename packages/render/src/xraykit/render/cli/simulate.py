"""`xraykit render simulate`: one X-ray of a scene file, with every mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..commands.findings import say_findings
from ..commands.options import flat
from ..commands.progress import Steps
from ..extras import missing
from ..rendering.devices import usable_device
from ..rendering.options import Backend


@dataclass(frozen=True)
class SimulateSettings:
    """A scene to simulate; the scene file has settings of its own."""

    scene: Path = field(metadata={"positional": True})
    """SCENE.yaml: bodies, tools, camera, view, beam, dose, scatter, detector."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for the results; made if need be, all files of an earlier run are replaced."""
    seg: bool = False
    """Demand the DICOM segmentation; without this it is written where highdicom is installed (extra `export`)."""
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
    from ..scenes import save as results
    from ..scenes.scene_yaml import read_scene
    from ..simulation.simulation import simulate as run
    from ..storage.atomic_write import check_result_folder

    device = usable_device(settings.device)
    if settings.seg and not results.has_export("highdicom"):
        raise missing("highdicom", extra="export", what="--seg")
    with Steps(total=3) as steps:
        with steps.step("read the scene"):
            plan = read_scene(settings.scene).with_options(seed=settings.seed, backend=settings.backend)
            check_result_folder(settings.output)
        for body in plan.scene.bodies:
            say_findings(f"{settings.scene}, body {body.name}", body.volume)
        with steps.step("simulate the X-ray"):
            simulation = run(plan.scene.to(device), plan.camera, plan.pose, plan.settings, seed=plan.seed)
        with steps.step("write the results"):
            written = results.save_simulation(settings.output, simulation, plan, seg=settings.seg or None)
    if not results.has_export("pycocotools"):
        print(f"masks.coco.json was left out: {missing('pycocotools', extra='export', what='it')}")
    print("wrote " + ", ".join(str(path) for path in written))


command = flat(simulate, SimulateSettings)
