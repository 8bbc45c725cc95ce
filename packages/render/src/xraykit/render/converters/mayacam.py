"""MayaCam 2.0 text of XMALab and Autoscoper, and plain text of K, R and t or of a 3x4 projection matrix."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import FileError, GeometryError
from ..geometry.arrays import tensor_of
from ..geometry.camera import Camera, Pair, Scalar
from ..storage.atomic_write import write_atomically
from .calibration_text import check_image_size, numbers_in, read_calibration_text, sections_of
from .krt import KRT, from_krt, to_krt
from .pinhole import PeerView
from .projection_matrix import PixelCenter, World, from_projection_matrix

HEADINGS = {
    **dict.fromkeys(("image size", "size", "image size (width,height)"), "image size"),
    **dict.fromkeys(("camera matrix", "k", "intrinsic", "intrinsics", "intrinsic matrix"), "camera matrix"),
    **dict.fromkeys(("rotation", "r", "rotation matrix"), "rotation"),
    **dict.fromkeys(("translation", "t", "translation vector"), "translation"),
    **dict.fromkeys(("projection matrix", "p", "projection"), "projection matrix"),
}
"""How files call what they hold."""
COUNTS = {"image size": 2, "camera matrix": 9, "rotation": 9, "translation": 3, "projection matrix": 12}


class StatedCamera(NamedTuple):
    """What a text says: (width, height) or None, and either K, R, t (float64, (3, 3), (3, 3), (3,)) or P (3, 4)."""

    size: tuple[int, int] | None
    krt: KRT | None
    matrix: Tensor | None


def read_mayacam(
    path: str | Path,
    *,
    height: int | None = None,
    width: int | None = None,
    sdd: Scalar | None = None,
    pixel_spacing: Pair | None = None,
    world: World = "RAS",
    pixel_center: PixelCenter = "integer",
) -> PeerView:
    """The view of a MayaCam 2.0 file, or of plain text that says the same.

    Read are the headings "image size" (width, height), "camera matrix" (K), "rotation" and "translation", also as K, R
    and t; bare numbers, 21 for K, R, t or 12 for a 3x4 projection matrix; and "projection matrix" (P). Points are in
    mm, x_camera = R X + t, pixels count from the top left corner. P is taken with the sign that has the world's origin
    in front.

    Args:
        path: The text.
        height: Image rows, where the file does not state them; must agree where it does.
        width: Image columns.
        sdd: Source to detector [mm], as for `from_krt`; without it and the spacing, 1.5 times the distance of the
            world's origin.
        pixel_spacing: (row, column) [mm].
        world: The world of the points.
        pixel_center: As for `from_krt`.

    Returns:
        camera, pose (1, 4, 4) float64 to world RAS, and `mirrored`.

    Raises:
        FileError: No such text, or MayaCam 1.0; a size that is missing or another one; numbers that are no camera.
    """
    stated = parse_camera_text(path, read_calibration_text(path))
    rows, columns = check_image_size(path, stated.size, height, width)
    try:
        if stated.krt is not None:
            return from_krt(
                *stated.krt,
                height=rows,
                width=columns,
                sdd=sdd,
                pixel_spacing=pixel_spacing,
                world=world,
                pixel_center=pixel_center,
            )
        matrix = torch.as_tensor(stated.matrix)
        if sdd is None and pixel_spacing is None:
            sdd = 1.5 * torch.linalg.vector_norm(torch.linalg.solve(matrix[:, :3], matrix[:, 3]))
        return from_projection_matrix(
            matrix,
            height=rows,
            width=columns,
            sdd=sdd,
            pixel_spacing=pixel_spacing,
            world=world,
            pixel_center=pixel_center,
            in_front=(0.0, 0.0, 0.0),
        )
    except (GeometryError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]  # documented
        raise FileError(f"{path} states no camera: {error}") from error


def parse_camera_text(path: str | Path, text: str) -> StatedCamera:
    """The numbers of a camera's text.

    Raises:
        FileError: It is none.
    """
    sections = sections_of(path, text, HEADINGS)
    if "" in sections and len(sections) == 1:
        numbers = numbers_in(path, sections[""], what="a camera")
        if len(numbers) == 15:
            raise FileError(f"{path} must be MayaCam 2.0, got MayaCam 1.0; export it from XMALab as MayaCam 2.0.")
        if len(numbers) not in (12, 21):
            raise FileError(
                f"{path} must hold headings, or 21 numbers for K, R and t or 12 for a projection matrix, got "
                f"{len(numbers)} numbers without headings."
            )
        found = {"projection matrix": numbers} if len(numbers) == 12 else {}
        if len(numbers) == 21:
            found = {"camera matrix": numbers[:9], "rotation": numbers[9:18], "translation": numbers[18:]}
    else:
        stray = sections.pop("", None)
        if stray is not None:
            raise FileError(f"{path} must begin with a heading ({', '.join(COUNTS)}), got numbers before the first.")
        found = {name: numbers_in(path, said, count=COUNTS[name], what=name) for name, said in sections.items()}
    size = _size(path, found["image size"]) if "image size" in found else None
    values = {name: torch.tensor(numbers, dtype=torch.float64) for name, numbers in found.items()}
    if "projection matrix" in values and len(set(found) - {"image size"}) == 1:
        return StatedCamera(size, None, values["projection matrix"].reshape(3, 4))
    missing = [name for name in ("camera matrix", "rotation", "translation") if name not in found]
    if missing or "projection matrix" in found:
        raise FileError(
            f"{path} must state camera matrix, rotation and translation, or a projection matrix alone, got "
            f"{', '.join(found) or 'nothing'}."
        )
    K, R = values["camera matrix"].reshape(3, 3), values["rotation"].reshape(3, 3)
    return StatedCamera(size, KRT(K, R, values["translation"]), None)


def write_mayacam(path: str | Path, camera: Camera, pose: Tensor, *, mirrored: bool = False) -> None:
    """Write one view as MayaCam 2.0 text, whole or not at all; sdd and spacing are not in it, only their ratio.

    Args:
        path: The file to write; an older one is replaced.
        camera: Intrinsics of one view.
        pose: Camera to world RAS, (1, 4, 4) or (4, 4).
        mirrored: For the left-right flipped image.

    Raises:
        GeometryError: The pose is not rigid, or there is more than one view.
        OutputError: The file cannot be written.
    """
    krt = to_krt(camera, tensor_of(pose).detach().cpu().double(), mirrored=mirrored)
    if len(krt.intrinsic) != 1:
        raise GeometryError(f"a MayaCam file holds one view, got {len(krt.intrinsic)}; write one file for each.")
    K, R, t = (part[0].detach().tolist() for part in krt)
    blocks = {
        "image size": [[camera.width, camera.height]],
        "camera matrix": K,
        "rotation": R,
        "translation": [[value] for value in t],
    }
    text = "\n\n".join("\n".join([name, *(",".join(map(repr, row)) for row in rows)]) for name, rows in blocks.items())
    write_atomically(path, lambda file: file.write(f"{text}\n".encode()))


def _size(path: str | Path, numbers: list[float]) -> tuple[int, int]:
    if any(number != int(number) or not 1 <= number <= 1 << 16 for number in numbers):
        raise FileError(f"{path} must state the image size as two whole numbers of pixels, got {numbers}.")
    return int(numbers[0]), int(numbers[1])
