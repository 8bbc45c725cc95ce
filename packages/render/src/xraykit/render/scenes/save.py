"""A simulated X-ray as a folder: picture, numbers, DICOM, masks, pose, and the scene that made it."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, TiffImagePlugin

from ..files.coco import coco_record, write_coco
from ..files.dicom_seg import write_dicom_seg
from ..files.pose_json import write_pose
from ..geometry.camera import Camera
from ..pictures.grey_and_overlay import save_png, to_grey
from ..pictures.labelled import labelled_picture
from ..radiographs.own_description import MARK
from ..radiographs.raster import TIFF_DESCRIPTION
from ..radiographs.save import geometry_record, save_image
from ..simulation.simulation import Simulation
from ..storage.atomic_write import write_atomically
from ..storage.provenance import findings_record
from ..storage.staged_folder import atomic_folder
from .scene_yaml import ScenePlan, write_scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = (
    *("image.png", "image.dcm", "intensity.tiff", "line_integrals.npy", "path_lengths.npy", "overlay.png"),
    *("masks.coco.json", "masks.dcm", "pose.json", "simulation.json", "scene.yaml"),
)
WINDOW_QUANTILES = (0.002, 0.998)


def save_simulation(
    folder: str | Path, simulation: Simulation, plan: ScenePlan, *, seg: bool | None = None
) -> list[Path]:
    """Write one simulated view into a folder: every file, or none at all.

    - image.png: -ln(intensity), bone and metal bright, mirrored if the view is shown so; overlay.png: masks over it.
    - image.dcm: -ln(intensity) with geometry tags; `read_radiograph` finds camera and pose in it.
    - intensity.tiff: 32-bit intensity relative to air, with camera and pose.
    - line_integrals.npy: float32 (1, 1, H, W), without noise and scatter.
    - path_lengths.npy: float32 (N, H, W) [mm] of the tools and of the labels that were asked for, named in
      simulation.json.
    - masks.coco.json and masks.dcm (DICOM segmentation), if the extra `export` is installed.
    - pose.json; simulation.json (how it was made, landmarks); scene.yaml, from which the same comes out again.

    Args:
        folder: Made if need be; files of these names in it are replaced, or removed where this run has none.
        simulation: Of one view.
        plan: Camera, pose and settings it was made with.
        seg: True demands the DICOM segmentation and False leaves it out; None writes it where highdicom is installed.

    Returns:
        The files.

    Raises:
        BackendUnavailableError: seg is True and highdicom is not installed.
        OutputError: The folder cannot be made or written.
    """
    folder = Path(folder)
    with atomic_folder(folder, owned=NAMES) as staging:
        _fill(staging, simulation, plan, seg)
        names = sorted(path.name for path in staging.iterdir())
    return [folder / name for name in names]


def has_export(package: str) -> bool:
    """Whether pycocotools or highdicom is installed."""
    return importlib.util.find_spec(package) is not None


def _fill(folder: Path, simulation: Simulation, plan: ScenePlan, seg: bool | None) -> None:
    camera, pose = plan.camera, plan.pose
    measured = simulation.log_attenuation.detach().cpu()
    window = _window(simulation)
    shown = torch.where(_is_open(simulation), measured, window[0])  # what the collimator covers is black, as on screens
    save_image(folder / "image.png", shown, window=window, mirrored=plan.mirrored)
    image = save_image(folder / "image.dcm", measured, camera=camera, pose=pose, uid_seed=_seed(plan))
    save_image(folder / "line_integrals.npy", simulation.line_integrals.detach().cpu())
    tiff = _intensity_tiff(simulation, camera, pose)
    write_atomically(folder / "intensity.tiff", lambda file: file.write(tiff))
    write_pose(folder / "pose.json", camera, pose)
    write_scene(folder / "scene.yaml", plan)
    bodies = {body.name: findings_record(body.volume.provenance) for body in plan.scene.bodies}
    record = json.dumps({**_facts(simulation), "bodies_as_read": bodies}, indent=2) + "\n"
    write_atomically(folder / "simulation.json", lambda file: file.write(record.encode()))
    lengths = _lengths(simulation)
    if lengths:
        stack = np.stack(list(lengths.values()))
        write_atomically(folder / "path_lengths.npy", lambda file: np.save(file, stack, allow_pickle=False))
    if simulation.masks is None:
        return
    save_png(folder / "overlay.png", _overlay(simulation, shown[0, 0].numpy(), window, mirrored=plan.mirrored))
    if has_export("pycocotools"):
        write_coco(
            folder / "masks.coco.json",
            coco_record(simulation.masks, camera, pose, file_names=["intensity.tiff"]),
        )
    seen = bool(simulation.masks.areas().any())
    if seen and (seg or (seg is None and has_export("highdicom"))):
        write_dicom_seg(folder / "masks.dcm", simulation.masks, image, uid_seed=_seed(plan))


def _seed(plan: ScenePlan) -> str:
    """Equal plans give files with equal identifiers."""
    return json.dumps(plan.record, sort_keys=True, default=str)


def _window(simulation: Simulation) -> tuple[float, float]:
    """Black and white of the picture, from the pixels that the collimator leaves open."""
    values = simulation.log_attenuation.detach().cpu()[_is_open(simulation)].double().numpy()
    low, high = np.quantile(values, WINDOW_QUANTILES)
    return float(low), float(max(high, low + 1e-6))


def _is_open(simulation: Simulation) -> torch.Tensor:
    """Pixels that get at least half of the beam, (1, 1, H, W) bool."""
    air = simulation.air.detach().cpu().expand_as(simulation.primary)
    return air >= 0.5 * air.max()


def _intensity_tiff(simulation: Simulation, camera: Camera, pose: torch.Tensor) -> bytes:
    record = {"polarity": "intensity", "views": 1, "channels": 1, **geometry_record(camera, pose)}
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[TIFF_DESCRIPTION] = json.dumps({MARK: record})
    buffer = io.BytesIO()
    page = Image.fromarray(simulation.intensity[0, 0].detach().cpu().float().numpy())
    page.save(buffer, format="TIFF", tiffinfo=tags)
    return buffer.getvalue()


def _facts(simulation: Simulation) -> dict[str, Any]:
    points = simulation.landmarks
    landmarks = {
        name: {
            "world": points.world[n].tolist(),
            "uv": points.uv[0, n].tolist(),
            "visible": bool(points.visible[0, n]),
        }
        for n, name in enumerate(points.names)
    }
    return {**simulation.metadata, "path_lengths": list(_lengths(simulation)), "landmarks": landmarks}


def _lengths(simulation: Simulation) -> dict[str, NDArray[np.float32]]:
    tools = [tool["name"] for tool in simulation.metadata["tools"]]
    lengths = {name: simulation.tool_lengths[0, n] for n, name in enumerate(tools)}
    lengths |= {name: length[0] for name, length in simulation.path_lengths.items()}
    return {name: length.detach().cpu().float().numpy() for name, length in lengths.items()}


def _overlay(
    simulation: Simulation, shown: NDArray[np.float32], window: tuple[float, float], *, mirrored: bool
) -> NDArray[np.uint8]:
    masks = simulation.masks
    if masks is None or not masks.entries:
        return to_grey(shown, window=window, mirrored=mirrored)
    stack = masks.stack()[0].cpu().numpy()
    seen: dict[str, NDArray[np.bool_]] = {}
    for entry, mask in zip(masks.entries, stack, strict=True):
        if mask.any():
            seen[entry.name] = seen[entry.name] | mask if entry.name in seen else mask
    tools = [entry.name for entry in masks.entries if entry.kind == "tool"]
    return labelled_picture(to_grey(shown, window=window), seen, tools=tools, mirrored=mirrored)
