"""How much of each tissue every ray meets: area densities, from one march through the volume's tissues."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.checks import check_samples, pose_batch
from ..geometry.rays import voxel_rays
from ..materials.materials import Material, find_material
from ..rendering.backends import choose_backend
from ..rendering.march import march, march_stack
from ..rendering.options import DEFAULT_SAMPLES, Backend, Method
from ..volumes.volume import Volume
from ..volumes.voxel_memory import spread_rows
from .equivalents import equivalents
from .tissue import TISSUES, TissueLaw

_LAW = TissueLaw()
_STORAGE = (torch.int16, torch.float16, torch.bfloat16, torch.float32, torch.float64)
_SLICES_AT_ONCE = 8
_LARGEST_TABLE = 2**16


@dataclass(frozen=True, eq=False)
class MaterialVolume:
    """The mass of each material in every voxel. Made once from a `Volume`, projected as often as wanted.

    Args:
        densities: Grams of each material per cm3 of voxel, (D, H, W, M): floating point, or int16 codes to be
            multiplied by `scales`.
        materials: The M materials.
        affine: Voxel (i, j, k) to world RAS [mm], (4, 4).
        scales: Density of one code [g/cm3], one per material; 1 for floating point.
    """

    densities: Tensor
    materials: tuple[Material, ...]
    affine: Tensor
    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        count = len(self.materials)
        if self.densities.ndim != 4 or self.densities.shape[3] != count or len(self.scales) != count:
            raise InputError(
                f"densities must be (D, H, W, M) with one scale for each of {count} materials, got "
                f"{tuple(self.densities.shape)} and {len(self.scales)} scales."
            )

    @classmethod
    def from_volume(
        cls,
        volume: Volume,
        *,
        law: TissueLaw = _LAW,
        labels: Mapping[int | str, str | Material] | None = None,
        storage: torch.dtype = torch.int16,
        with_air: bool = False,
        basis: Sequence[str | Material] | None = None,
    ) -> MaterialVolume:
        """Split a CT into lung, adipose tissue, soft tissue and cortical bone (and air), and labels into theirs.

        Args:
            volume: A volume that knows its Hounsfield numbers.
            law: What a Hounsfield number is made of.
            labels: The material of some labels, by value or by name, pattern or group ("vertebrae"): such a voxel
                holds that material alone, as much of it as explains the voxel's Hounsfield number. Bone labels keep
                marrow from being taken for soft tissue, and a CT's metal becomes titanium.
            storage: int16 divides the range of each material into 32767 steps (off by at most 6e-5 g/cm3 for a
                maximum of 4 g/cm3); float16 and bfloat16 round to 11 and 8 bits; float32 and float64 are exact.
            with_air: Keep the air. Without it the intensity is relative to a beam through air, as measured.
            basis: Carry every material as the mixture of these that attenuates X-rays as it does (see `equivalents`),
                "soft_tissue" and "cortical_bone" for tissues: the images are the same to a few parts in a thousand of
                the line integral, and two quantities are marched in place of four. Some voxels hold less than none of
                a basis material then. None keeps every material by itself.

        Raises:
            InputError: The volume has no Hounsfield numbers or labels, an option is unknown, or the basis cannot carry
                a material.

        Gradients: none; make `MaterialVolume(densities=...)` from `law.partial_densities(hu)` for gradients in HU.
        """
        if volume.hu is None:
            raise InputError("materials need Hounsfield numbers, but volume.hu is None; use Volume.from_hu.")
        if storage not in _STORAGE:
            raise InputError(f"storage must be one of {', '.join(map(str, _STORAGE))}, got {storage}.")
        own = {
            value: find_material(material)
            for wanted, material in (labels or {}).items()
            for value in ((wanted,) if isinstance(wanted, int) else volume.find_labels(wanted))
        }
        if own and volume.labels is None:
            raise InputError("materials by label need a volume with a label map, got none.")
        tissues = tuple(find_material(name) for name in TISSUES[0 if with_air else 1 :])
        held = tuple(dict.fromkeys((*tissues, *own.values())))
        hu = volume.hu.detach()
        peaks = _peaks(hu, law, held, own.values())
        carried, materials = None, held
        if basis is not None:
            materials = tuple(find_material(material) for material in basis)
            carried = torch.tensor(equivalents(held, materials), dtype=hu.dtype, device=hu.device)
            peaks = (carried.abs() * carried.new_tensor(peaks)[:, None]).amax(dim=0).tolist()
        scales = tuple(peak / 32767 if storage == torch.int16 else 1.0 for peak in peaks)
        densities = _room(hu, len(materials), storage)
        for start in range(0, hu.shape[0], _SLICES_AT_ONCE):
            part = slice(start, start + _SLICES_AT_ONCE)
            labelled = volume.labels[part] if own and volume.labels is not None else None
            mixed = _mix(hu[part], labelled, own, law, len(tissues), held)
            mixed = mixed if carried is None else mixed @ carried
            codes = mixed / mixed.new_tensor(scales)
            densities[part] = (codes.round() if storage == torch.int16 else codes).to(storage)
        return cls(densities, materials, volume.affine, scales)

    def to(self, device: torch.device | str) -> MaterialVolume:
        """The same materials on another device."""
        return MaterialVolume(self.densities.to(device), self.materials, self.affine, self.scales)


def area_densities(
    volume: MaterialVolume,
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    method: Method = "trilinear",
    samples: int = DEFAULT_SAMPLES,
    backend: Backend = "auto",
    scale: Float[Tensor, " materials"] | Float[Tensor, "#batch materials"] | None = None,
) -> Float[Tensor, "batch materials {camera.height} {camera.width}"]:
    r"""Mass per area of each material along every ray: (B, M, H, W) in g/cm2.

        A_m = scale_m / 10 * integral of rho_m dl

    Args:
        volume: The materials of the patient.
        camera: Intrinsics, shared or one per pose.
        pose: Camera to world RAS [mm], (B, 4, 4) or (4, 4), a proper rigid motion.
        method: As for `render`; "trilinear" marches once for all materials where the backend can.
        samples: Samples per ray inside the volume; only for trilinear.
        backend: As for `render`.
        scale: Factor on the density of each material, (M,) or (B, M), for instance 0.8 for osteoporotic bone.

    Returns:
        float32 (float64 for float64 densities), in the order of `volume.materials`.

    Raises:
        InputError: An option outside its range.
        GeometryError: The pose is no rigid motion.

    Gradients: with respect to pose, intrinsics, scale and floating-point densities.
    """
    pose = pose_batch(pose)
    check_samples(samples)
    stack = volume.densities
    name = choose_backend(backend, device=stack.device, dtype=stack.dtype, voxels=stack.numel(), method=method)
    rays, length = voxel_rays(camera, pose, volume.affine)
    rays, size = rays.to(stack.device), {"height": camera.height, "width": camera.width, "samples": samples}
    if method == "trilinear":
        integral = march_stack(stack, rays, name, **size)
    else:
        layers = (march(rho, None, rays, name, method=method, soft=False, **size) for rho in stack.unbind(dim=3))
        integral = torch.cat(list(layers), dim=1)
    factor = integral.new_tensor(volume.scales)[None] / 10
    if scale is not None:
        factor = factor * scale.to(integral)
    return integral * (length.to(integral)[:, None] * factor[:, :, None, None])


def _peaks(hu: Tensor, law: TissueLaw, materials: tuple[Material, ...], labelled: Collection[Material]) -> list[float]:
    """The largest density [g/cm3] that each material can have in this volume."""
    highest = torch.tensor(float(hu.max()), dtype=torch.float64)
    open_ended = {find_material(TISSUES[-1]), *labelled}
    return [
        max(material.density, float(law.density_as(material, highest))) if material in open_ended else material.density
        for material in materials
    ]


def _room(hu: Tensor, channels: int, storage: torch.dtype) -> Tensor:
    """Uninitialised voxels (D, H, W, M), rows spread as the kernels like them."""
    empty = torch.empty((*hu.shape, channels), dtype=storage, device=hu.device)
    return spread_rows(empty)


def _mix(
    hu: Tensor,
    labels: Tensor | None,
    own: Mapping[int, Material],
    law: TissueLaw,
    tissues: int,
    materials: tuple[Material, ...],
) -> Tensor:
    """Partial densities of some slices, (d, H, W, M)."""
    parts = _tissues(hu, law, tissues)
    out = parts if len(materials) == tissues else pad(parts, (0, len(materials) - tissues))
    for value, material in own.items():
        here = labels == value
        out[here] = 0.0
        out[..., materials.index(material)][here] = law.density_as(material, hu[here]).to(out)
    return out


def _tissues(hu: Tensor, law: TissueLaw, tissues: int) -> Tensor:
    """Partial densities of the denser `tissues` tissues, (d, H, W, tissues).

    Scanners write whole Hounsfield numbers: each is then worked out once and looked up.
    """
    low, high = (int(value) for value in torch.stack(torch.aminmax(hu)).tolist())
    if high - low < _LARGEST_TABLE and bool((hu == hu.round()).all()):
        known = torch.arange(low, high + 1, dtype=hu.dtype, device=hu.device)
        table = law.partial_densities(known)[-tissues:].T.contiguous()
        return table[(hu - low).long()]
    return law.partial_densities(hu)[-tissues:].movedim(0, -1).contiguous()
