"""Small files in the layouts of the published registration data sets, from balls whose X-ray is known.

The pixels follow from each layout's own definition of a projection, not from the converters that the readers use.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from support.motions import random_rotations
from support.xray_dicom import write_xray, xray_dataset
from xraykit.render import Volume, render, write_volume
from xraykit.render.materials import Attenuation
from xraykit.render.volumes import Ellipsoid, line_integrals, voxelise

F = np.diag([-1.0, -1.0, 1.0])
HEIGHT, WIDTH, SPACING, SDD = 120, 108, 2.5, 1000.0
OPEN_BEAM = 60_000.0
# World RAS [mm] about the centre: no symmetry that a flip, a half turn or swapped axes could hide behind.
BALLS = np.array([[0, 0, 0], [34, 5, -12], [-20, 28, 30], [11, -31, 22], [-28, -14, -33], [6, 18, -38.0]])


def assert_close_to_balls(xray, fiducials) -> None:
    """Every pixel of the shot is the exact X-ray of balls at the fiducials, through its camera from its pose."""
    expected = line_integrals(balls(fiducials.numpy()), xray.shot.camera, xray.pose)[0, 0]
    assert float(expected.max()) > 0.5
    torch.testing.assert_close(xray.shot.image.double(), expected, atol=6e-3, rtol=0)


def balls(points: np.ndarray) -> list[Ellipsoid]:
    """A ball of 7 mm about each point, dense like the bone that shows as 1000 HU."""
    mu = float(Attenuation()(torch.tensor([1000.0]))[0])
    return [Ellipsoid(radii=(7.0, 7.0, 7.0), center=tuple(point), mu=mu) for point in points]


def likeness(xray, volume: Volume) -> float:
    """Correlation of the shot with a rendering of the CT at its true pose."""
    drr = render(volume, xray.shot.camera, xray.pose[None], method="trilinear", samples=100, backend="torch")[0, 0]
    return float(torch.corrcoef(torch.stack([drr.flatten().double(), xray.shot.image.flatten().double()]))[0, 1])


@dataclass
class Phantom:
    """Balls about `center`, as solids and as voxels of Hounsfield numbers on a grid with the given RAS affine."""

    center: np.ndarray
    affine: np.ndarray
    shape: tuple[int, int, int]

    @property
    def points(self) -> np.ndarray:
        return BALLS + self.center

    @property
    def solids(self) -> list[Ellipsoid]:
        return balls(self.points)

    def hu(self) -> np.ndarray:
        """[k, j, i] int16."""
        solids = self.solids
        mu = voxelise(solids, affine=torch.from_numpy(self.affine), shape=self.shape).mu
        return (-1000 + 2000 * mu / solids[0].mu).round().numpy().astype(np.int16)

    def xray(self, source: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Intensity (H, W) behind the balls, for rays from `source` to `targets` (H, W, 3), world RAS."""
        start, end = torch.from_numpy(source), torch.from_numpy(targets)
        total = sum(solid.mu * solid.chord(start.expand_as(end), end) for solid in self.solids)
        return OPEN_BEAM * np.exp(-np.asarray(total))


def phantom(*, spacing: float = 3.0) -> Phantom:
    """A grid off the origin whose axes run to the patient's left, back and head (as in LPS volumes)."""
    shape, center = (36, 33, 35), np.array([13.0, -24.0, 310.0])
    affine = np.diag([-spacing, -spacing, spacing, 1.0])
    affine[:3, 3] = center - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Phantom(center, affine, shape)


def rays_of_matrix(P: np.ndarray, toward: np.ndarray, *, first_centre: float) -> tuple[np.ndarray, np.ndarray]:
    """Source and far ends of the rays through all pixels of P (3, 4), the first pixel's centre at `first_centre`."""
    inverse = np.linalg.inv(P[:, :3])
    source = -inverse @ P[:, 3]
    v, u = np.meshgrid(np.arange(HEIGHT) + first_centre, np.arange(WIDTH) + first_centre, indexing="ij")
    directions = np.stack([u, v, np.ones_like(u)], axis=-1) @ inverse.T
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    directions *= np.sign(directions @ (toward - source))[..., None]
    return source, source + 1500.0 * directions


def intrinsic() -> np.ndarray:
    """K with the negative focal lengths of xReg: z runs from the detector to the source."""
    focal = SDD / SPACING
    return np.array([[-focal, 0, WIDTH / 2 + 4.5], [0, -focal, HEIGHT / 2 - 6.0], [0, 0, 1]])


def write_deepfluoro(path: Path, *, turned: bool = False) -> Phantom:
    """One specimen with one projection; the left femur has a pose of its own, the right one was out of view."""
    import h5py

    body = phantom()
    R = random_rotations(3, seed=7).numpy()
    extrinsic, to_pelvis, to_femur = np.eye(4), np.eye(4), np.eye(4)
    extrinsic[:3, :3] = R[0]
    extrinsic[:3, 3] = [3.0, -5.0, -700.0]  # the patient stands at negative z
    to_pelvis[:3, :3], to_pelvis[:3, 3] = R[1], F @ body.center  # C-arm world's origin lies in the patient
    to_femur[:3, :3], to_femur[:3, 3] = R[2], F @ body.center
    P = intrinsic() @ (extrinsic @ np.linalg.inv(to_pelvis))[:3] @ np.diag([-1.0, -1.0, 1.0, 1.0])  # from RAS
    pixels = body.xray(*rays_of_matrix(P, body.center, first_centre=0.0))
    with h5py.File(path, "w") as file:
        for name, value in {
            "extrinsic": extrinsic,
            "intrinsic": intrinsic(),
            "num-rows": HEIGHT,
            "num-cols": WIDTH,
            "pixel-row-spacing": SPACING,
            "pixel-col-spacing": SPACING,
        }.items():
            file[f"proj-params/{name}"] = value
        lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ body.affine
        for group, voxels in (("vol", body.hu()), ("vol-seg/image", (body.hu() > 0).astype(np.uint8) * 5)):
            file[f"17-1882/{group}/pixels"] = voxels
            file[f"17-1882/{group}/spacing"] = np.linalg.norm(lps[:3, :3], axis=0)[:, None]
            file[f"17-1882/{group}/origin"] = lps[:3, 3:]
            file[f"17-1882/{group}/dir-mat"] = lps[:3, :3] / np.linalg.norm(lps[:3, :3], axis=0)
        file["17-1882/vol-seg/labels-def/1"] = "left hemipelvis"
        file["17-1882/vol-seg/labels-def/5"] = "left femur"
        for name, point in zip(("FH-l", "FH-r", "GSN-l", "GSN-r", "ASIS-l", "ASIS-r"), body.points, strict=True):
            file[f"17-1882/vol-landmarks/{name}"] = (F @ point)[:, None]
        shot = "17-1882/projections/000"
        file[f"{shot}/image/pixels"] = pixels.astype(np.float32)
        file[f"{shot}/rot-180-for-up"] = int(turned)
        for name, value in {
            "cam-to-pelvis-vol": to_pelvis,
            "cam-to-left-femur-vol": to_femur,
            "cam-to-right-femur-vol": np.eye(4),
            "left-femur-good-fov": 1,
            "right-femur-good-fov": 0,
        }.items():
            file[f"{shot}/gt-poses/{name}"] = value
    return body


def write_ljubljana(path: Path) -> Phantom:
    """One subject with both views; voxels are kept as [i, j, k] with i backwards."""
    import h5py

    body = phantom()
    body.affine = np.abs(body.affine) * np.eye(4)
    body.affine[:3, 3] = body.center - body.affine[:3, :3] @ ((np.array(body.shape[::-1]) - 1) / 2)
    with h5py.File(path, "w") as file:
        share = (body.hu().astype(np.float32) + 1000) / 2000  # of each voxel that a ball fills
        voxels = 900 * (share < 0.3) + 4000 * share * (share >= 0.3)
        file["subject01/volume/pixels"] = voxels.transpose(2, 1, 0)[::-1]
        file["subject01/volume/spacing"] = np.diag(body.affine)[:3]
        file["subject01/volume/origin"] = body.affine[:3, 3]
        file["subject01/points"] = body.points
        for name, R in zip(("ap", "lat"), random_rotations(2, seed=9).numpy(), strict=True):
            extrinsic = np.eye(4)
            extrinsic[:3, :3], extrinsic[:3, 3] = R, np.array([2.0, 4.0, -720.0]) - R @ body.center
            P = intrinsic() @ extrinsic[:3]
            file[f"subject01/proj-{name}/pixels"] = body.xray(*rays_of_matrix(P, body.center, first_centre=0.5))
            file[f"subject01/proj-{name}/extrinsic"] = extrinsic
            file[f"subject01/proj-{name}/intrinsic"] = intrinsic()
            file[f"subject01/proj-{name}/row-spacing"] = SPACING
            file[f"subject01/proj-{name}/col-spacing"] = SPACING
    return body


def diffdrr_rays(E: np.ndarray, orientation: str, *, reverse: bool, offset: tuple[float, float]) -> tuple:
    """Source and pixel targets of DiffDRR about the volume's centre; `offset` (X, Y) [mm] of the principal point."""
    sign = 1.0 if orientation == "PA" else -1.0
    O = np.array([[1.0, 0, 0], [0, 0, sign], [0, 1.0, 0]])  # noqa: E741 - as the paper calls it
    x0, y0 = (offset[0] if reverse else -offset[0]), offset[1]
    row, column = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing="ij")
    x = (-1 if reverse else 1) * (column - (WIDTH - 1) / 2) * SPACING + x0
    y = ((HEIGHT - 1) / 2 - row) * SPACING + y0
    target = np.stack([x, y, np.full_like(x, SDD)], axis=-1)
    return E[:3, 3], target @ (E[:3, :3] @ O).T + E[:3, 3]


def write_remixed(folder: Path, collection: str, *, reverse: bool) -> Phantom:
    """subject01 with one posed X-ray, in DeepFluoro's PA or the others' AP."""
    body = phantom()
    orientation = "PA" if collection == "deepfluoro" else "AP"
    E = np.eye(4)
    E[:3, :3] = random_rotations(1, seed=11)[0].numpy()
    E[:3, 3] = E[:3, :3] @ np.array([6.0, -700.0 if orientation == "PA" else 700.0, -9.0])
    offset = (5.0, -7.0)
    source, targets = diffdrr_rays(E, orientation, reverse=reverse, offset=offset)
    pixels = body.xray(source + body.center, targets + body.center)
    xrays = folder / "subject01" / "xrays"
    xrays.mkdir(parents=True)
    voxels = body.hu()
    if collection == "ljubljana":
        voxels = np.where(voxels < -400, 0, voxels + 3000).astype(np.int16)
    else:
        write_volume(folder / "subject01" / "mask.nii.gz", (voxels > 0).astype(np.uint8) * 3, body.affine)
    write_volume(folder / "subject01" / "volume.nii.gz", voxels, body.affine)
    (folder / "subject01" / "warp2template.txt").write_text("#Insight Transform File V1.0\n")
    torch.save(torch.from_numpy(BALLS[None]).float(), folder / "subject01" / "fiducials.pt")
    numbers = {"sdd": SDD, "delx": SPACING, "dely": SPACING, "x0": offset[0], "y0": offset[1]}
    truth = {"pose": torch.from_numpy(E[None]).float(), "intrinsics": numbers | {"height": HEIGHT, "width": WIDTH}}
    torch.save(truth, xrays / "000.pt")
    tags = {
        "PixelSpacing": [str(SPACING), str(SPACING)],
        "DistanceSourceToDetector": str(SDD),
        "DetectorActiveOrigin": [str(offset[1]), str(offset[0])],
    }
    for name in ("000", "000_max"):
        write_xray(xrays / f"{name}.dcm", xray_dataset(pixels.round().astype(np.uint16), modality="RF", **tags))
    return body
