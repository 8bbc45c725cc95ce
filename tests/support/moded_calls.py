"""A call of every public function of geometry, converters, rendering and registration, on one small patient."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from torch import Tensor
from xraykit.render import Scene, Volume, converters, geometry, rendering, simulate
from xraykit.render.meshes import instrument, thickness
from xraykit.render.simulation import Body
from xraykit.render.volumes import Ellipsoid, label_centroids, line_integrals, project_landmarks, voxelise
from xraykit.xvr import evaluate, refine, start, template, trust
from xraykit.xvr.refine import RegistrationSettings

Call = Callable[[], Any]
SMALL = RegistrationSettings(scales=(16, 24), iterations=3)
POINTS = {"a": (-30.0, 10.0, 20.0), "b": (20.0, -25.0, 5.0), "c": (0.0, 30.0, -30.0), "d": (25.0, 20.0, 40.0)}


@cache
def volume() -> Volume:
    return lopsided()


def pose() -> Tensor:
    """In float32, as a training has it."""
    return true_pose(volume()).float()


def geometry_calls() -> dict[str, Call]:
    g, turn = geometry, pose()[:, :3, :3]
    points = torch.tensor([[30.0, -20.0, 15.0], [10.0, 5.0, -20.0]])
    grid = volume().affine.float()
    numbers = torch.tensor([[3.0, -2.0, 1.0, 0.2, 0.1, -0.3]])
    new = g.crop_camera(CAMERA, top=3, left=4, height=20, width=24)
    image = torch.rand(1, 1, 40, 48, generator=torch.Generator().manual_seed(0))
    angle, other, plain = torch.tensor(20.0), g.se3_exp(numbers) @ pose(), {"dtype": torch.float32}
    matrix = g.intrinsic_matrix(CAMERA)
    itk = g.affine_to_itk(volume().affine)
    return {
        "affine_from_itk": lambda: g.affine_from_itk(origin=itk[0], spacing=itk[1], direction=itk[2]),
        "affine_to_itk": lambda: g.affine_to_itk(grid),
        "back_project": lambda: g.back_project(points[:, :2], CAMERA, pose(), depth=700.0),
        "box_corners": lambda: g.box_corners((3, 4, 5), grid),
        "camera_doubts": lambda: g.camera_doubts(CAMERA, pose(), grids=[(grid, (3, 4, 5))]),
        "camera_from_intrinsic": lambda: g.camera_from_intrinsic(matrix, height=40, width=48, sdd=1000.0),
        "carm_angles": lambda: g.carm_angles(pose()),
        "carm_parameters": lambda: g.carm_parameters(pose(), isocenter=(1.0, 2.0, 3.0)),
        "carm_pose": lambda: g.carm_pose(lao_rao=angle, sod=700.0, isocenter=points[0], offset=points[1]),
        "check_pose": lambda: g.check_pose(pose()),
        "compose": lambda: g.compose(pose(), pose(), pose()),
        "crop_camera": lambda: g.crop_camera(CAMERA, top=3, left=4, height=20, width=24),
        "geodesic_distance": lambda: g.geodesic_distance(pose(), other),
        "homography": lambda: g.homography(CAMERA, new, **plain),
        "intrinsic_matrix": lambda: g.intrinsic_matrix(CAMERA, **plain),
        "nearest_rotation": lambda: g.nearest_rotation(turn + 0.01),
        "parameters_from": lambda: [g.parameters_from(turn, parameterization=p) for p in g.PARAMETERIZATIONS],
        "pixel_centers": lambda: g.pixel_centers(CAMERA, **plain),
        "pixel_rays": lambda: g.pixel_rays(points[:, :2], CAMERA, pose()),
        "project": lambda: g.project(points, CAMERA, pose()),
        "resample": lambda: g.resample(image, old=CAMERA, new=new),
        "rescale_camera": lambda: g.rescale_camera(CAMERA, 0.5),
        "resize_camera": lambda: g.resize_camera(CAMERA, height=20, width=24),
        "rigid_inverse": lambda: g.rigid_inverse(pose()),
        "rigid_matrix": lambda: g.rigid_matrix(turn, points[:1]),
        "rotation_about": lambda: g.rotation_about("Y", numbers[0]),
        "rotation_angle": lambda: g.rotation_angle(turn),
        "rotation_from": lambda: g.rotation_from(numbers[:, 3:], parameterization="euler_angles"),
        "se3_exp": lambda: g.se3_exp(numbers),
        "se3_log": lambda: g.se3_log(pose()),
        "swap_ras_lps_points": lambda: g.swap_ras_lps_points(points),
        "swap_ras_lps_pose": lambda: g.swap_ras_lps_pose(pose()),
        "swap_ras_lps_transform": lambda: g.swap_ras_lps_transform(pose()),
        "transform_points": lambda: g.transform_points(pose(), points),
        "voxel_to_world": lambda: g.voxel_to_world(points, grid),
        "world_to_voxel": lambda: g.world_to_voxel(points, grid),
        "tensor_of": lambda: g.tensor_of(points),
    }


def converter_calls() -> dict[str, Call]:
    c = converters
    deepdrr, fluoro = c.to_deepdrr(CAMERA, pose()), c.to_deepfluoro(CAMERA, pose())
    diffdrr, nanodrr = c.to_diffdrr(CAMERA, pose(), orientation="AP"), c.to_nanodrr(CAMERA, pose())
    matrix, rtk = c.to_projection_matrix(CAMERA, pose()), c.to_rtk(CAMERA, pose())
    corners, tigre = c.to_source_and_corners(CAMERA, pose()), c.to_tigre(CAMERA, pose(), center=volume().center)
    tags = c.to_dicom_tags(CAMERA, pose(), isocenter=volume().center)
    size: dict[str, Any] = {"height": 40, "width": 48}
    turn, shift = torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([[5.0, 700.0, -3.0]])
    extrinsic = c.diffdrr_extrinsic(turn, shift)
    return {
        "diffdrr_extrinsic": lambda: c.diffdrr_extrinsic(turn, shift),
        "diffdrr_parameters": lambda: c.diffdrr_parameters(extrinsic),
        "from_astra": lambda: c.from_astra(c.to_astra(CAMERA, pose()), det_row_count=40, det_col_count=48),
        "from_deepdrr": lambda: c.from_deepdrr(*deepdrr[:2], **size, sdd=1000.0),
        "from_deepfluoro": lambda: c.from_deepfluoro(
            fluoro.extrinsic, fluoro.intrinsic, num_rows=40, num_cols=48, pixel_spacing=4.0
        ),
        "from_dicom_tags": lambda: c.from_dicom_tags(tags, isocenter=volume().center),
        "from_diffdrr": lambda: c.from_diffdrr(
            diffdrr.extrinsic, orientation="AP", reverse_x_axis=diffdrr.reverse_x_axis, sdd=1000.0, delx=4.0, **size
        ),
        "from_krt": lambda: c.from_krt(*c.to_krt(CAMERA, pose()), **size, sdd=1000.0),
        "from_nanodrr": lambda: c.from_nanodrr(nanodrr.k_inv, nanodrr.sdd, nanodrr.rt_inv, **size),
        "from_projection_matrix": lambda: c.from_projection_matrix(matrix, **size, sdd=1000.0),
        "from_rtk": lambda: c.from_rtk(rtk),
        "from_source_and_corners": lambda: c.from_source_and_corners(*corners, **size),
        "from_tigre": lambda: c.from_tigre(**tigre._asdict(), center=volume().center),
        "read_itk_transform": lambda: _through_a_file(),
        "read_jointtrack": lambda: _written("read_jointtrack"),
        "read_mayacam": lambda: _written("read_mayacam"),
        "read_rtk": lambda: _written("read_rtk"),
        "to_astra": lambda: c.to_astra(CAMERA, pose()),
        "to_deepdrr": lambda: c.to_deepdrr(CAMERA, pose()),
        "to_deepfluoro": lambda: c.to_deepfluoro(CAMERA, pose()),
        "to_dicom_tags": lambda: c.to_dicom_tags(CAMERA, pose(), isocenter=volume().center),
        "to_diffdrr": lambda: c.to_diffdrr(CAMERA, pose(), orientation="AP"),
        "to_krt": lambda: c.to_krt(CAMERA, pose()),
        "to_nanodrr": lambda: c.to_nanodrr(CAMERA, pose()),
        "to_projection_matrix": lambda: c.to_projection_matrix(CAMERA, pose()),
        "to_rtk": lambda: c.to_rtk(CAMERA, pose()),
        "to_source_and_corners": lambda: c.to_source_and_corners(CAMERA, pose()),
        "to_tigre": lambda: c.to_tigre(CAMERA, pose(), center=volume().center),
        "write_itk_transform": lambda: _through_a_file(),
        "write_jointtrack": lambda: _written("read_jointtrack"),
        "write_mayacam": lambda: _written("read_mayacam"),
        "write_rtk": lambda: _written("read_rtk"),
    }


def rendering_calls() -> dict[str, Call]:
    ball = Ellipsoid((14, 10, 18), mu=0.03, center=(18, 8, 20))
    tool = instrument("k_wire")
    hu = Volume.from_hu(1000 * (volume().mu / 0.02 - 1), volume().affine)
    return {
        "label_centroids": lambda: label_centroids(volume()),
        "label_masks": lambda: rendering.label_masks(volume(), CAMERA, pose()),
        "line_integrals": lambda: line_integrals([ball], CAMERA, pose()),
        "path_lengths": lambda: rendering.path_lengths(volume(), CAMERA, pose()),
        "project_landmarks": lambda: project_landmarks(POINTS, CAMERA, pose()).uv,
        "render": lambda: [rendering.render(volume(), CAMERA, pose(), backend=b) for b in ("torch", "auto")],
        "render_jacobian": lambda: [
            rendering.render_jacobian(volume(), CAMERA, pose(), pivot=volume().center, intrinsics=True, backend=b)
            for b in ("torch", "auto")
        ],
        "simulate": lambda: simulate(Scene((Body.from_volume(hu),)), CAMERA, pose()).intensity,
        "thickness": lambda: thickness([tool], CAMERA, pose()),
        "voxelise": lambda: voxelise([ball], spacing=8.0).mu,
    }


def registration_calls() -> dict[str, Call]:
    shot, truth = shot_of(volume(), true_pose(volume())), true_pose(volume()).double()
    near = twisted(truth, (2.0, -1.0, 1.0), (4.0, -3.0, 5.0))
    points, center = torch.tensor(list(POINTS.values()), dtype=torch.float64), volume().center
    found = registration_at(near[None], near)
    other = shot_of(volume(), near).image[None, None]
    image = shot.image[None, None]
    seen = {name: uv.tolist() for name, uv in zip(POINTS, geometry.project(points, CAMERA, truth).uv[0], strict=True)}
    starts = torch.cat([near, truth])[:, None]
    return {
        "register": lambda: refine.register_structures(shot, volume(), near, SMALL).poses,
        "register by adam": lambda: refine.register_structures(shot, volume(), near, ADAM).poses,
        "similarities": lambda: [f(image, other) for f in (refine.ncc, refine.mncc, refine.gradient_ncc)],
        "patch_ncc": lambda: refine.patch_ncc(image, other),
        "misplacement": lambda: refine.misplacement(near, truth, points),
        "structure_of": lambda: refine.structure_of(volume(), [1]).mu,
        "displaced_pose": lambda: start.displaced_pose(truth, center, torch.tensor([[1.0, 2, 3, 4, 5, 6]]).double()),
        "distinct_starts": lambda: start.distinct_starts(starts, points),
        "landmark_pose": lambda: start.landmark_pose(POINTS, seen, CAMERA).poses,
        "spread_starts": lambda: start.spread_starts(starts, center),
        "starts_from_angles": lambda: start.starts_from_angles(center, sod=700.0, lao_rao=20.0),
        "starts_from_views": lambda: start.starts_from_views(["ap"], volume(), [CAMERA]),
        "rigid_part": lambda: template.rigid_part(truth[0], center),
        "judge": lambda: trust.judge(found, [shot], [volume()]).success_probability,
        "pose_errors": lambda: evaluate.pose_errors(near, truth, camera=CAMERA, fiducials=points, center=center),
        "dgeo": lambda: evaluate.dgeo(near, truth, sdd=1000.0, center=center),
    }


ADAM = RegistrationSettings(scales=(16,), iterations=3, optimizer="adam")


def _through_a_file() -> Tensor:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.tfm"
        converters.write_itk_transform(path, pose()[0], direction="moving_to_fixed")
        return converters.read_itk_transform(path, direction="moving_to_fixed")


def _written(reader: str) -> Any:
    """What a reader of camera files finds in a file that its writer wrote."""
    with TemporaryDirectory() as folder:
        path, c = Path(folder) / "camera", converters
        if reader == "read_jointtrack":
            c.write_jointtrack(path, CAMERA)
            return c.read_jointtrack(path, height=40, width=48)
        if reader == "read_mayacam":
            c.write_mayacam(path, CAMERA, pose())
            return c.read_mayacam(path, sdd=1000.0)
        c.write_rtk(path, c.to_rtk(CAMERA, pose()))
        return [view.matrix for view in c.read_rtk(path, size=(48, 40), spacing=(4.0, 4.0))]
