"""SCENE.yaml: bodies, tools, camera, view and settings of one simulated X-ray, checked key by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from ..errors import InputError
from ..files.camera_files import CameraNeeds, read_cameras
from ..files.pose_json import read_pose
from ..geometry.camera import Camera
from ..geometry.carm import VIEWS, carm_pose
from ..rendering.options import DEFAULT_SDD, Backend
from ..simulation.scene import Body, Scene
from ..simulation.settings import SimulationSettings
from ..storage.atomic_write import write_atomically
from ..volumes.label_names import match_names
from .members import BODY, TOOL, body_from, matrix, place, tool_from
from .scene_table import Table, read_checked_table
from .settings import SETTINGS, settings_from, settings_record

SCENE = ("bodies", "tools", "landmarks", "camera", "view", "seed", *SETTINGS)
CAMERA = ("sdd", "size", "pixel_spacing", "principal_point")
ANGLES = ("lao_rao", "cra_cau", "roll")
VIEW = ("name", *ANGLES, "sod", "isocenter", "offset", "pose", "camera_to_world", "mirrored")


@dataclass(frozen=True, eq=False)
class ScenePlan:
    """What a scene file asks for.

    Args:
        scene: Bodies, tools and landmarks.
        camera: Intrinsics.
        pose: Camera to world RAS [mm], (1, 4, 4) float64.
        settings: Beam, dose, scatter, detector, march.
        seed: Of the noise.
        mirrored: Whether a picture for the eye is mirrored, as the view asks; arrays and DICOM never are.
        record: The same as plain data: every default filled in, every place worked out, files with full paths.
        stated: What the file itself says of the camera, for camera files that leave it open.
    """

    scene: Scene
    camera: Camera
    pose: Tensor
    settings: SimulationSettings
    seed: int
    mirrored: bool
    record: dict[str, Any]
    stated: CameraNeeds = field(default_factory=CameraNeeds)

    def seen_by(self, cameras: Sequence[str | Path]) -> list[ScenePlan]:
        """The plan with the camera and pose of each view of camera files, whose world is the scene's, in their order.

        Raises:
            FileError: A file is no camera, or lacks or contradicts what the scene says of it.
        """
        views = [view for path in cameras for view in read_cameras(path, self.stated).views()]
        return [
            replace(
                self,
                camera=view.camera,
                pose=view.pose,
                record={**self.record, **_view_record(view.camera, view.pose, mirrored=self.mirrored)},
            )
            for view in views
        ]

    def with_options(self, *, seed: int | None = None, backend: Backend | None = None) -> ScenePlan:
        """The plan with another seed or backend; None keeps the one it has.

        Raises:
            InputError: A negative seed.
        """
        if seed is not None and not 0 <= seed < 2**63:
            raise InputError(f"seed must be a whole number from 0 up, got {seed}.")
        march = self.settings.march if backend is None else replace(self.settings.march, backend=backend)
        settings = replace(self.settings, march=march)
        seed = self.seed if seed is None else seed
        record = {**self.record, "seed": seed, **settings_record(settings)}
        return replace(self, seed=seed, settings=settings, record=record)


def read_scene(path: str | Path, *, mesh_scale: float | None = None) -> ScenePlan:
    """Read a scene file; every key has a default but the members, and examples/scenes shows them at work.

    - bodies: list of {name, torso: {spacing, seed} or file with labels, label_names, series; density_scale:
      {material: factor}; label_materials: {label: material}}.
    - tools: list of {name, instrument with seed, or file with scale [mm per unit]; material; density [g/cm3];
      displaces; position [x, y, z] or at: label, offset, direction (of the mesh's z axis), turn [degrees], or
      mesh_to_world 4x4}.
    - landmarks: {name: [x, y, z] or label}. World RAS [mm], as all places.
    - camera: {sdd, size [rows, columns], pixel_spacing, principal_point}.
    - view: {name, or lao_rao, cra_cau, roll; sod; isocenter [x, y, z] or label; offset; mirrored}, or
      {pose: pose.json}, or {camera_to_world: 4x4}.
    - beam: {kvp, filtration: {material: mm}, anode_angle, or energy_kev; shutter: {rectangle, circle or polygon};
      penumbra; leakage; anode_direction; oblique}; dose, scatter, detector, march: the fields of `DoseSettings`,
      `ScatterSettings` (with widths and weights of its kernel), `Detector` and `MarchSettings`.
    - masks, path_lengths, seed.

    Args:
        path: YAML of at most 1 MiB; files that it names are relative to it.
        mesh_scale: mm per unit of mesh files whose tool has no scale; None is what `read_mesh` takes.

    Raises:
        FileError: The file, or one that it names, is missing or damaged; a key is unknown (the nearest legal one is
            named) or given twice; a value is out of range (kVp outside the table, density or dose not above 0), of the
            wrong kind, or names no material, instrument or label.
    """
    table = read_checked_table(path, SCENE)
    settings = settings_from(table.content, table.file)
    seed = table.whole("seed", 0)
    frame = table.table("camera", CAMERA)
    view = table.table("view", VIEW)
    camera, pose = _posed(frame, view) if "pose" in view else (_camera(frame), None)
    bodies = [body_from(entry, n) for n, entry in enumerate(table.tables("bodies", BODY))]
    members = [body for body, _ in bodies]
    _check_labels(table, settings.path_lengths, members)
    tools = [tool_from(entry, members, mesh_scale=mesh_scale) for entry in table.tables("tools", TOOL)]
    points = Table(table.content.get("landmarks"), "landmarks", file=table.file, keys=_names(table))
    landmarks = {name: place(points, name, members) for name in points.content}
    with table.naming():
        scene = Scene(
            tuple(members),
            tuple(tool for tool, _ in tools),
            {name: point for name, point in landmarks.items() if point is not None},
        )
    if pose is None:
        pose = _pose(view, camera, scene)
    mirrored = view.flag("mirrored", "name" in view and VIEWS[str(view.text("name"))].mirrored_display)
    record = {
        "bodies": [entry for _, entry in bodies],
        "tools": [entry for _, entry in tools],
        "landmarks": {name: point.tolist() for name, point in scene.landmarks.items()},
        **_view_record(camera, pose, mirrored=mirrored),
        "seed": seed,
        **settings_record(settings),
    }
    said = {name: getattr(camera, name) for name in ("sdd", "pixel_spacing") if name in frame}
    size = (camera.height, camera.width) if "size" in frame else (None, None)
    return ScenePlan(scene, camera, pose, settings, seed, mirrored, record, CameraNeeds(*size, **said))


def write_scene(path: str | Path, plan: ScenePlan) -> Path:
    """Write a plan's record as a scene file that gives the same scene, camera, pose and settings again.

    Raises:
        OutputError: The file could not be written.
    """
    text = yaml.safe_dump(plan.record, sort_keys=False, default_flow_style=None, width=120)
    return write_atomically(path, lambda file: file.write(text.encode()))


def _view_record(camera: Camera, pose: Tensor, *, mirrored: bool) -> dict[str, Any]:
    """Camera and view as plain data."""
    spacing, centre = (part[0].tolist() for part in camera.tensors(dtype=torch.float64, device="cpu")[1:])
    size = [camera.height, camera.width]
    return {
        "camera": {"sdd": camera.sdd, "size": size, "pixel_spacing": spacing, "principal_point": centre},
        "view": {"camera_to_world": pose[0].tolist(), "mirrored": mirrored},
    }


def _check_labels(table: Table, wanted: tuple[str, ...], bodies: list[Body]) -> None:
    """What simulate would refuse too, but only after the march."""
    for name in wanted:
        if not any(body.volume.labels is not None and match_names(body.volume.label_names, name) for body in bodies):
            raise table.error(f"must name labels or groups of a body, got {name!r}", "path_lengths")


def _names(table: Table) -> tuple[str, ...]:
    """The landmarks' own names: any text will do."""
    content = table.content.get("landmarks")
    if not isinstance(content, dict):
        return ("name",)
    bad = [name for name in content if not isinstance(name, str)]
    if bad:
        raise table.error(f"must have text for names, got {bad[0]!r}", "landmarks")
    return tuple(content)


def _camera(table: Table) -> Camera:
    sdd, size = table.positive("sdd", DEFAULT_SDD), table.numbers("size", 2, (512, 512))
    spacing = table.content.get("pixel_spacing", 0.6)
    step = table.numbers("pixel_spacing", 2) if isinstance(spacing, list) else table.positive("pixel_spacing", 0.6)
    height, width = size or (512, 512)
    if not 1 <= height <= 16384 or not 1 <= width <= 16384:
        raise table.error(f"must be 1 to 16384 rows and columns, got {size}", "size")
    centre = table.numbers("principal_point", 2)
    with table.naming():
        return Camera(
            sdd,
            height,  # type: ignore[arg-type]  # a whole number, or Camera says so
            width,  # type: ignore[arg-type]
            pixel_spacing=step or 0.6,
            principal_point=centre,
        )


def _posed(frame: Table, view: Table) -> tuple[Camera, Tensor]:
    """Camera and pose from a pose.json."""
    also = [key for key in VIEW if key not in ("pose", "mirrored") and key in view] + list(frame.content)
    if also:
        raise view.error(f"already holds camera and pose, got also {also[0]}; leave one out", "pose")
    path = view.path("pose")
    with view.naming("pose"):
        return read_pose(path)  # type: ignore[arg-type]  # the key is there


def _pose(view: Table, camera: Camera, scene: Scene) -> Tensor:
    if "camera_to_world" in view:
        also = [key for key in VIEW if key not in ("camera_to_world", "mirrored") and key in view]
        if also:
            raise view.error(f"is set by camera_to_world, got also {also[0]}; leave one out")
        return matrix(view, "camera_to_world")[None]
    angles = {name: view.number(name, 0.0) for name in ANGLES}
    given = [name for name in ANGLES if name in view]
    name = view.text("name", None if given else "ap", among=tuple(VIEWS))
    if name is not None:
        if given:
            raise view.error(f"sets all three angles, got also {given[0]}; leave one out", "name")
        angles = VIEWS[name].angles
    sod = view.positive("sod", 0.8 * camera.sdd_mm)
    if sod >= camera.sdd_mm:
        raise view.error(f"must be smaller than sdd, got {sod} mm and sdd={camera.sdd} mm; did you swap them?", "sod")
    isocenter = place(view, "isocenter", scene.bodies)
    offset = torch.tensor(view.numbers("offset", 3, (0.0, 0.0, 0.0)), dtype=torch.float64)
    with view.naming():
        return carm_pose(**angles, sod=sod, isocenter=_middle(scene) if isocenter is None else isocenter, offset=offset)


def _middle(scene: Scene) -> Tensor:
    """The centre of the first body, or of the first tool's bounding box."""
    bodies: tuple[Body, ...] = scene.bodies
    if bodies:
        return bodies[0].volume.center
    tool = scene.tools[0]
    centre = tool.mesh.bounds.to(torch.float64).mean(dim=0)
    return tool.pose[:3, :3].to(torch.float64) @ centre + tool.pose[:3, 3].to(torch.float64)
