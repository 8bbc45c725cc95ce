"""`xraykit render simulate`: one X-ray of a scene file, with every mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..commands.progress import Steps
from ..extras import missing
from .settings import ConfigOption


@dataclass(frozen=True)
class SimulateConfig:
    """Options of `xraykit render simulate`."""

    scene: Path
    """SCENE.yaml: bodies, tools, camera, view, beam, dose, scatter, detector."""
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(kw_only=True)
    """Folder for the results; made if need be, all files of an earlier run are replaced."""
    seg: bool = field(default=False, kw_only=True)
    """Demand the DICOM segmentation; without this it is written where highdicom is installed (extra `export`)."""
    seed: int | None = field(default=None, kw_only=True)
    """Seed of the noise, in place of the scene's."""
    backend: Literal["auto", "torch", "numba", "triton"] | None = field(default=None, kw_only=True)
    """Implementation, in place of the scene's."""
    device: str = field(default="cpu", kw_only=True)
    """cpu, cuda or cuda:N."""


def simulate(config: Annotated[SimulateConfig, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Simulate the X-ray of a scene: polychromatic, with tools, scatter, noise and every mask.

    DIR then holds image.png, overlay.png, image.dcm, intensity.tiff, line_integrals.npy, path_lengths.npy,
    masks.coco.json, masks.dcm, pose.json, simulation.json and scene.yaml (the scene with all defaults filled in).

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from ..scenes import save as results
    from ..scenes.scene_yaml import read_scene
    from ..simulation.simulation import simulate as run
    from ..storage.atomic_write import check_result_folder
    from .drr import usable_device

    device = usable_device(config.device)
    if config.seg and not results.has_export("highdicom"):
        raise missing("highdicom", extra="export", what="--seg")
    with Steps(total=3) as steps:
        with steps.step("read the scene"):
            plan = read_scene(config.scene).with_options(seed=config.seed, backend=config.backend)
            check_result_folder(config.output)
        with steps.step("simulate the X-ray"):
            simulation = run(plan.scene.to(device), plan.camera, plan.pose, plan.settings, seed=plan.seed)
        with steps.step("write the results"):
            written = results.save_simulation(config.output, simulation, plan, seg=config.seg or None)
    if not results.has_export("pycocotools"):
        print("masks.coco.json was left out: it needs pip install 'xraykit-render[export]'")
    print("wrote " + ", ".join(str(path) for path in written))
