"""How much of each ray lies inside each mesh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..geometry.checks import common_batch, pose_batch
from ..geometry.detector_plane import pixel_axes
from ..geometry.torch_modes import full_precision
from ..kernels import mesh_ops
from ..projectors.triangles import Hits, depth_of, find_hits, sum_signed
from ..rendering.backends import choose_backend
from ..rendering.options import Backend
from .mesh import Mesh


class Sight(NamedTuple):
    """Meshes as B cameras see them: vertices in the camera frame and the slopes of the rays, float64.

    points (B, V, 3) [mm]; faces (F, 3) into V; mesh (F,), the number of each face's mesh; across (B, W) and
    down (B, H), x / z and y / z of the rays through pixel centres; far (B,), z of the detector [mm].
    """

    points: Float[Tensor, "batch vertices 3"]
    faces: Int[Tensor, "faces 3"]
    mesh: Int[Tensor, " faces"]
    across: Float[Tensor, "batch width"]
    down: Float[Tensor, "batch height"]
    far: Float[Tensor, " batch"]


@full_precision
def thickness(
    meshes: Sequence[Mesh],
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    poses: Float[Tensor, "meshes 4 4"] | Float[Tensor, "#batch meshes 4 4"] | None = None,
    backend: Backend = "auto",
) -> Float[Tensor, "batch meshes {camera.height} {camera.width}"]:
    r"""The length of each ray inside each mesh, between the source and the pixel centre [mm].

        T_m(r, c) = |d| sum over hits of sign * clamp(z, 0, sdd),   d = (across, down, 1)

    with sign = +1 where the ray leaves the solid and -1 where it enters, z the depth of the hit in the camera frame.
    A source inside the solid and a solid that reaches behind the source or the detector need no special case.

    Args:
        meshes: M closed meshes, each in its own frame.
        camera: Intrinsics, shared or one per view.
        pose: Camera to world [mm], (B, 4, 4) or (4, 4), a proper rigid motion.
        poses: Mesh to world [mm], (M, 4, 4), or (B, M, 4, 4) for others in each view; rigid. None leaves each mesh
            frame on the world's.
        backend: "numba" (CPU), "triton" (CUDA), "torch" (any device), or "auto".

    Returns:
        (B, M, H, W) [mm], float32, or float64 if the vertices of a mesh are float64. Zero where a mesh is out of view.

    Raises:
        InputError: No mesh, or meshes on several devices.
        GeometryError: A pose that is no rigid motion, or shapes that do not fit.
        BackendUnavailableError: The backend cannot run here.
        InputError: On backward with backend "triton", if intrinsics want a deterministic gradient: atomics add it.

    Gradients: with respect to vertices, poses, pose, sdd, pixel_spacing and principal_point, through the plane of
    each triangle that is hit: dz / d vertex = lambda n / (n . d). Undefined on silhouettes parallel to the ray. Second
    derivatives with backend "torch" only.

    Accuracy: exact for the polyhedron, to about 1e-12 of sdd in float64. A ray through an edge or a vertex counts it
    once; the sum has the same bits for every order of triangles (projectors/triangles.py, projectors/fixed_point.py).
    """
    sight = see_meshes(meshes, camera, pose, poses)
    depth = _depth(sight, len(meshes), mesh_backend(backend, sight))
    slope = (1 + sight.across[:, None, :] ** 2 + sight.down[:, :, None] ** 2).sqrt()
    return (depth * slope[:, None]).to(_dtype(meshes))


def see_meshes(meshes: Sequence[Mesh], camera: Camera, pose: Tensor, poses: Tensor | None) -> Sight:
    """Put meshes and camera into the frame where `thickness` computes; arguments and errors as there."""
    if len(meshes) == 0:
        raise InputError("meshes must hold at least one mesh, got none.")
    device = meshes[0].vertices.device
    if any(mesh.vertices.device != device for mesh in meshes):
        raise InputError("meshes must be on one device, got several; move them with mesh.to(device).")
    pose = pose_batch(pose).to(device, torch.float64)
    placed = _placed(poses, len(meshes), device)
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device=device)
    intrinsics = {"sdd": len(sdd), "pixel_spacing": len(spacing), "principal_point": len(centre)}
    batch = common_batch(pose=len(pose), poses=1 if placed is None else len(placed), **intrinsics)
    u, v = pixel_axes(camera.height, camera.width, dtype=torch.float64, device=device)
    # detector_axes at z = 1; its x / sdd would round otherwise
    across = (u - centre[:, :1]) * (spacing[:, 1:] / sdd[:, None])
    down = (v - centre[:, 1:]) * (spacing[:, :1] / sdd[:, None])
    offsets = torch.tensor([0, *(len(mesh.vertices) for mesh in meshes)], device=device).cumsum(0)
    return Sight(
        torch.cat([_in_camera(mesh, m, pose, placed, batch) for m, mesh in enumerate(meshes)], dim=1),
        torch.cat([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)]),
        torch.cat([torch.full((len(mesh.faces),), m, device=device) for m, mesh in enumerate(meshes)]),
        across.expand(batch, -1),
        down.expand(batch, -1),
        sdd.expand(batch),
    )


def hits_of(sight: Sight, view: int, backend: str) -> tuple[Hits, Tensor]:
    """Every hit of one view in front of the source, unsorted, and its z [mm] (N,), differentiable as `thickness`."""
    points, across, down = sight.points[view], sight.across[view], sight.down[view]
    find = find_hits if backend == "torch" else mesh_ops.triangles(backend).find_hits
    hits = Hits(*find(points, sight.faces, across, down))
    return hits, depth_of(points, sight.faces, across, down, hits)


def _depth(sight: Sight, meshes: int, backend: str) -> Tensor:
    if backend != "torch":
        return mesh_ops.mesh_depth(*sight, meshes, backend)
    height, width = sight.down.shape[1], sight.across.shape[1]
    views = []
    for view, far in enumerate(sight.far):
        hits, z = hits_of(sight, view, backend)
        slot = (sight.mesh[hits.face] * height + hits.row) * width + hits.column
        views.append(sum_signed(torch.minimum(z, far), hits.sign, slot, meshes * height * width, float(far.detach())))
    return torch.stack(views).reshape(-1, meshes, height, width)


def mesh_backend(backend: Backend, sight: Sight) -> str:
    """Who computes for meshes on this device: "numba", "triton" or "torch"."""
    return choose_backend(backend, device=sight.points.device, dtype=torch.float32, voxels=len(sight.faces))


def _in_camera(mesh: Mesh, number: int, pose: Tensor, placed: Tensor | None, batch: int) -> Tensor:
    """Vertices in the camera frame (B, V, 3), written out: a batched matmul may change its rounding with B."""
    vertices = mesh.vertices.to(torch.float64)[None]
    if placed is not None:
        vertices = _turned(placed[:, number, :3, :3], vertices) + placed[:, number, None, :3, 3]
    # The inverse, not the transpose: a float32 pose is orthonormal to 1e-7, and volumes see its columns as they are.
    return _turned(torch.linalg.inv(pose[:, :3, :3]), vertices - pose[:, None, :3, 3]).expand(batch, -1, -1)


def _turned(rotation: Tensor, points: Tensor) -> Tensor:
    return (rotation[:, None] * points[:, :, None, :]).sum(dim=-1)


def _placed(poses: Tensor | None, meshes: int, device: torch.device) -> Tensor | None:
    if poses is None:
        return None
    poses = poses[None] if poses.ndim == 3 else poses
    if poses.ndim != 4 or poses.shape[1:] != (meshes, 4, 4):
        raise GeometryError(
            f"poses must be ({meshes}, 4, 4) or (B, {meshes}, 4, 4), one per mesh, got {tuple(poses.shape)}."
        )
    pose_batch(poses.reshape(-1, 4, 4), name="poses")
    return poses.to(device, torch.float64)


def _dtype(meshes: Sequence[Mesh]) -> torch.dtype:
    return torch.float64 if any(mesh.vertices.dtype == torch.float64 for mesh in meshes) else torch.float32
