"""The forward model: scene, camera and pose in; the detector's image, its ingredients and every mask out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..geometry.checks import pose_batch
from ..geometry.torch_modes import full_precision
from ..materials.materials import Material
from ..meshes.displacement import displaced
from ..meshes.mesh_thickness import thickness
from ..physics.area_density import area_densities
from ..physics.beer_lambert import transmission
from ..physics.material_field import material_field
from ..physics.scatter import estimate_scatter
from ..physics.spectrum import Spectrum, mean_energy
from ..rendering.masks import MaskSet, path_lengths, scene_masks
from ..volumes.label_names import match_names
from ..volumes.landmarks import Landmarks, project_landmarks
from .exposure import beam_in_air, detector_readout, quanta_in_air, quanta_in_place
from .scene import PlacedTool, Scene
from .settings import SimulationSettings
from .tool_edges import finer, pixel_means, transmission_over_pixels

_DEFAULTS = SimulationSettings()
_FAINTEST = 1e-6


@dataclass(frozen=True, eq=False)
class Simulation:
    """B simulated X-rays and what is known about them.

    Args:
        intensity: The detector's signal relative to the central ray in air, (B, 1, H, W): scatter, noise and blur
            included. Lungs are bright, metal dark. Readout noise can make it negative.
        primary: The same for primary radiation alone, without the beam's shape, scatter, noise and blur, (B, 1, H, W).
        air: The beam with nothing in it, relative to the central ray, (B or 1, 1, H, W): collimator, heel effect.
        scatter: Scattered radiation in the same unit, before noise and blur, (B, 1, H, W).
        area_densities: Mass per area of each material [g/cm2], (B, M, H, W): tools added, displaced tissue off.
        materials: The M materials.
        tool_lengths: Path length in each tool [mm], mean over each pixel's `tool_rays`, (B, T, H, W).
        path_lengths: {name: (B, H, W) [mm]} of the labels and groups that the settings ask for.
        masks: Amodal masks of organs and tools, or None if the settings want none.
        landmarks: The scene's landmarks on the detector.
        metadata: Numbers, texts and lists that say how the images were made.
    """

    intensity: Tensor
    primary: Tensor
    air: Tensor
    scatter: Tensor
    area_densities: Tensor
    materials: tuple[Material, ...]
    tool_lengths: Tensor
    path_lengths: dict[str, Tensor]
    masks: MaskSet | None
    landmarks: Landmarks
    metadata: dict[str, Any]

    @property
    def line_integrals(self) -> Tensor:
        """-ln(primary), (B, 1, H, W), dimensionless; without noise, scatter and blur; at most 13.8."""
        return -torch.log(self.primary.clamp(min=_FAINTEST))

    @property
    def log_attenuation(self) -> Tensor:
        """-ln(intensity), (B, 1, H, W): what a flat panel's logarithmic image shows; -14 to 13.8."""
        return -torch.log(self.intensity.clamp(min=_FAINTEST))


@full_precision
def simulate(
    scene: Scene, camera: Camera, pose: Tensor, settings: SimulationSettings = _DEFAULTS, *, seed: int = 0
) -> Simulation:
    r"""X-ray a scene: polychromatic, with tools, scatter, noise and blur, and every mask.

        A_m = sum over bodies of scale_m / 10 integral rho_m dl - (displaced by tools) + sum over tools rho T / 10
        primary = sum_E N s exp(-sum_m (mu/rho)_m A_m) / sum_E N s
        intensity = blur(quantum noise(F primary + scatter)) + readout noise,    F the beam in air

    Args:
        scene: Bodies, tools and landmarks.
        camera: Intrinsics, shared or one per view.
        pose: Camera to world RAS [mm], (B, 4, 4) or (4, 4), a proper rigid motion.
        settings: Beam, dose, scatter, detector, march.
        seed: Of the noise. View b's noise depends on the seed and b alone, so equal calls give equal bits.

    Returns:
        A `Simulation`.

    Raises:
        GeometryError: The pose is no rigid motion, or batch sizes differ.
        InputError: A setting out of range, or noise that counts (law "poisson") where a gradient is wanted.
        BackendUnavailableError: The backend cannot run here.

    Gradients: of the images and path lengths with respect to pose, intrinsics, tools' poses, vertices and densities,
    `Body.density_scale` and floating-point material densities; noise is held fixed with law "gaussian". Complete:
    nothing that moves with these is left out; masks alone have none. The image is smooth but for kinks where a ray
    meets an edge of a mesh or a sample a face between voxels, which are met with probability zero.
    """
    pose = pose_batch(pose).to(scene.device)
    rays = settings.march.tool_rays
    fine = _tool_lengths(scene, finer(camera, rays), pose, settings)
    lengths = pixel_means(fine, rays)
    area, materials = _area_densities(scene, camera, pose, settings, lengths)
    primary = transmission_over_pixels(
        area,
        fine,
        [materials.index(tool.material) for tool in scene.tools],
        _tool_densities(scene, fine),
        rays,
        lambda a: transmission(a, materials, settings.beam.spectrum, detector=settings.detector),
    )
    air = beam_in_air(camera, settings, primary)
    spacing = camera.tensors(dtype=primary.dtype, device=primary.device)[1]
    scatter = estimate_scatter(
        primary,
        settings.scatter.scatter_to_primary,
        pixel_spacing=spacing,
        field=air,
        kernel=settings.scatter.kernel,
    )
    quanta = quanta_in_air(camera, settings)
    local = quanta_in_place(quanta, area, materials, primary, settings)
    intensity = detector_readout(air * primary + scatter, spacing, settings, local, seed, readout=quanta)
    names = [tool.name for tool in scene.tools]
    bodies = [body.volume for body in scene.bodies]
    backend = settings.march.backend
    masks = None
    if settings.masks:
        masks = scene_masks(bodies, camera, pose, thickness=lengths, tool_names=names, backend=backend)
    return Simulation(
        intensity=intensity,
        primary=primary,
        air=air.expand(len(air), 1, camera.height, camera.width),
        scatter=scatter,
        area_densities=area,
        materials=materials,
        tool_lengths=lengths,
        path_lengths=_path_lengths(scene, camera, pose, settings),
        masks=masks,
        landmarks=project_landmarks(scene.landmarks, camera, pose),
        metadata=_metadata(scene, settings, quanta, seed),
    )


def _tool_poses(tools: tuple[PlacedTool, ...], views: int, device: torch.device) -> Tensor:
    """(T, 4, 4), or (B, T, 4, 4) where a tool moves between views."""
    poses = [tool.pose.to(device, torch.float64) for tool in tools]
    if all(pose.ndim == 2 for pose in poses):
        return torch.stack(poses)
    for tool, pose in zip(tools, poses, strict=True):
        if pose.ndim == 3 and len(pose) not in (1, views):
            raise GeometryError(f"pose of {tool.name} must be (4, 4) or ({views}, 4, 4), got {tuple(pose.shape)}.")
    return torch.stack([pose.expand(views, 4, 4) for pose in poses], dim=1)


def _tool_lengths(scene: Scene, camera: Camera, pose: Tensor, settings: SimulationSettings) -> Tensor:
    if not scene.tools:
        return torch.zeros(len(pose), 0, camera.height, camera.width, device=scene.device)
    poses = _tool_poses(scene.tools, len(pose), scene.device)
    meshes = [tool.mesh for tool in scene.tools]
    return thickness(meshes, camera, pose, poses=poses, backend=settings.march.backend)


def _tool_densities(scene: Scene, like: Tensor) -> Tensor:
    """Density of each tool [g/cm3], (T,), keeping the graph of tensors."""
    densities = [torch.as_tensor(tool.mass_density).to(like) for tool in scene.tools]
    return torch.stack(densities) if densities else like.new_zeros(0)


def _area_densities(
    scene: Scene, camera: Camera, pose: Tensor, settings: SimulationSettings, lengths: Tensor
) -> tuple[Tensor, tuple[Material, ...]]:
    """Mass per area of every material in the scene (B, M, H, W), and the materials."""
    parts: list[tuple[Material, Tensor]] = []
    displacing = tuple(tool for tool in scene.tools if tool.displaces)
    march = settings.march
    for body in scene.bodies:
        scales = body.scales()
        options = {"method": march.method, "samples": march.samples, "backend": march.backend}
        area = area_densities(body.materials, camera, pose, scale=scales, **options)
        if displacing:
            gone = displaced(
                material_field(body.materials),
                [tool.mesh for tool in displacing],
                camera,
                pose,
                poses=_tool_poses(displacing, len(pose), scene.device),
                step=march.displacement_step,
                backend=settings.march.backend,
            )
            area = area - (gone * (scales / 10)[:, None, None]).to(area)
        parts += zip(body.materials.materials, area.unbind(dim=1), strict=True)
    masses = lengths * (_tool_densities(scene, lengths) / 10)[:, None, None]
    parts += zip([tool.material for tool in scene.tools], masses.unbind(dim=1), strict=True)
    materials = tuple(dict.fromkeys(material for material, _ in parts))
    sums = [torch.stack([area for m, area in parts if m == material]).sum(dim=0) for material in materials]
    return torch.stack(sums, dim=1), materials


def _path_lengths(scene: Scene, camera: Camera, pose: Tensor, settings: SimulationSettings) -> dict[str, Tensor]:
    """The wanted path lengths, added up over bodies; each name must be found in at least one."""
    total: dict[str, Tensor] = {}
    labelled = [body.volume for body in scene.bodies if body.volume.labels is not None]
    for name in settings.path_lengths:
        holders = [volume for volume in labelled if match_names(volume.label_names, name)]
        if not holders:
            raise InputError(f"path_lengths must name labels of the scene, got {name!r}, which no body has.")
        for volume in holders:
            found = path_lengths(volume, camera, pose, wanted=[name], backend=settings.march.backend)[name]
            total[name] = total[name] + found if name in total else found
    return total


def _metadata(scene: Scene, settings: SimulationSettings, quanta: float | None, seed: int) -> dict[str, Any]:
    spectrum = settings.beam.spectrum
    tube = {"kvp": spectrum.kvp} if isinstance(spectrum, Spectrum) else {"energy_kev": spectrum.energy_kev}
    return {
        **tube,
        "mean_energy_kev": mean_energy(spectrum),
        "quanta_per_pixel_in_air": quanta,
        "scatter_to_primary": settings.scatter.scatter_to_primary,
        "seed": seed,
        "bodies": [body.name for body in scene.bodies],
        "tools": [
            {
                "name": tool.name,
                "material": tool.material.name,
                "description": tool.mesh.description,
                "repairs": list(tool.mesh.repairs),
                "doubts": list(tool.mesh.doubts),
            }
            for tool in scene.tools
        ],
    }
