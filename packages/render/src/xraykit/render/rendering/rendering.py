"""The one public projector: volume, camera and pose in, line integrals out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..geometry.checks import check_samples, pose_batch
from ..geometry.rays import voxel_rays
from ..geometry.torch_modes import full_precision
from ..volumes.volume import Volume
from .backends import choose_backend
from .march import march, march_label_bits
from .options import DEFAULT_SAMPLES, Backend, Method


@full_precision
def render(
    volume: Volume | Sequence[Volume],
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    method: Method = "trilinear",
    samples: int = DEFAULT_SAMPLES,
    backend: Backend = "auto",
    labels: Literal["hard", "soft"] | None = None,
    chunk: int | None = None,
) -> Float[Tensor, "batch channels {camera.height} {camera.width}"]:
    r"""Line integrals of attenuation from the source to every pixel centre.

        I(r, c) = integral over the ray of mu dl = |ray| * integral_0^1 mu(x(alpha)) d alpha

    Args:
        volume: The patient, or one volume per pose (their grids may differ).
        camera: Intrinsics, shared or one per pose.
        pose: Camera to world RAS [mm], (B, 4, 4) or (4, 4), a proper rigid motion.
        method: "trilinear" samples the trilinear interpolant at `samples` midpoints of the ray's part inside the
            volume; "siddon" is exact for constant voxels; "joseph" takes one bilinear sample per slice.
        samples: Samples per ray inside the volume; only for trilinear.
        backend: "torch", "numba" (CPU), "triton" (CUDA) or "auto"; see `explain_backend`.
        labels: None gives one channel. "hard" gives a sample to the label of its nearest voxel, "soft" gives each
            voxel's share to that voxel's own label; channel c is label c and the channels add up to the image.
        chunk: Most rays that the torch backend handles at once (None: bounded to a few hundred megabytes). The
            kernels keep nothing per sample and need no chunks. Never changes a bit of the result.

    Returns:
        (B, C, H, W) line integrals, dimensionless, float32 (float64 for float64 voxels); C = 1, or the largest
        label + 1.

    Raises:
        InputError: An option outside its range, or no labels in the volume.
        GeometryError: The pose is no rigid motion (checked on the CPU; elsewhere it would wait for the device), or the
            batch sizes disagree.
        BackendUnavailableError: The backend cannot run here.

    Warns:
        UserWarning: On the CPU, when no ray meets the volume (all-zero image).

    Gradients: with respect to pose, sdd, pixel_spacing, principal_point, affine and mu (floating-point storage), for
    every method and backend; twice with backend "torch". Label assignment itself has no gradient ("soft" makes the
    channels differentiable in the pose nevertheless). Integer mu has none.
    """
    pose = pose_batch(pose)
    if isinstance(volume, Volume):
        return _render(volume, camera, pose, method, samples, backend, labels, chunk)
    if len(volume) != len(pose):
        raise GeometryError(f"give one volume per pose, got {len(volume)} volumes and {len(pose)} poses.")
    parts = [
        _render(v, _camera_of(camera, b), pose[b : b + 1], method, samples, backend, labels, chunk)
        for b, v in enumerate(volume)
    ]
    channels = max(part.shape[1] for part in parts)
    return torch.cat([torch.nn.functional.pad(p, (0, 0, 0, 0, 0, channels - p.shape[1])) for p in parts])


@full_precision
def label_masks(
    volume: Volume,
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    backend: Backend = "auto",
) -> Bool[Tensor, "batch labels {camera.height} {camera.width}"]:
    """Every label's mask in one march: (B, L, H, W) booleans, true where a ray crosses a voxel of label l < L.

    L is the largest label + 1.
    Masks are amodal: a rib behind the heart is in both masks. Channel 0 is the unlabelled background inside the grid.
    For many labels at high resolution prefer `label_bits`, which needs one bit per label.
    """
    bits = label_bits(volume, camera, pose, backend=backend)
    label = torch.arange(volume.highest_label + 1, device=bits.device)
    return (bits[:, label // 32] >> (label % 32)[:, None, None]) & 1 == 1


@full_precision
def label_bits(
    volume: Volume,
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    backend: Backend = "auto",
) -> Int[Tensor, "batch words {camera.height} {camera.width}"]:
    """The labels that each ray crosses, as int32 words (B, W, H, W'): label l is bit l % 32 of word l // 32."""
    labels = _labels_of(volume)
    rays, _ = voxel_rays(camera, pose_batch(pose), volume.affine)
    name = choose_backend(backend, device=labels.device, dtype=torch.int16, voxels=labels.numel())
    words = volume.highest_label // 32 + 1
    return march_label_bits(labels, rays.to(labels.device), name, height=camera.height, width=camera.width, words=words)


def _render(
    volume: Volume,
    camera: Camera,
    pose: Tensor,
    method: Method,
    samples: int,
    backend: Backend,
    labels: Literal["hard", "soft"] | None,
    chunk: int | None,
) -> Tensor:
    check_samples(samples)
    if labels not in (None, "hard", "soft"):
        raise InputError(f"labels must be None, 'hard' or 'soft', got {labels!r}.")
    name = choose_backend(backend, device=volume.device, dtype=volume.mu.dtype, voxels=volume.mu.numel(), method=method)
    rays, length = voxel_rays(camera, pose, volume.affine)
    integral = march(
        volume.mu,
        None if labels is None else _labels_of(volume),
        rays.to(volume.device),
        name,
        method=method,
        height=camera.height,
        width=camera.width,
        samples=samples,
        soft=labels == "soft",
        channels=1 if labels is None else volume.highest_label + 1,
        chunk=chunk,
    )
    image = integral * (length * volume.mu_scale).to(integral)[:, None]
    if image.device.type == "cpu" and not torch.compiler.is_compiling() and not bool(image.detach().any()):
        warnings.warn("no ray meets any attenuating voxel: the image is zero; check pose and isocenter.", stacklevel=4)
    return image


def _camera_of(camera: Camera, index: int) -> Camera:
    """The camera of one pose of a batch."""
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    pick = [t if len(t) == 1 else t[index : index + 1] for t in (sdd, spacing, centre)]
    return Camera(sdd=pick[0], height=camera.height, width=camera.width, pixel_spacing=pick[1], principal_point=pick[2])


def _labels_of(volume: Volume) -> Tensor:
    if volume.labels is None:
        raise InputError(
            "labels need a volume with a label map, got none; read it with Volume.from_file(ct, labels=seg)."
        )
    return volume.labels
