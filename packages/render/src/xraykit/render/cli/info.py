"""`xraykit render info`: what a CT or X-ray says of its geometry, which tag gave what, what was assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..commands.options import flat
from ..commands.shared_settings import CameraSettings
from ..commands.terminal import console
from ..errors import InputError
from .drr_settings import PlacementSettings

if TYPE_CHECKING:
    from ..radiographs.radiograph import Radiograph

RASTER = (".png", ".tif", ".tiff", ".jpg", ".jpeg")


@dataclass(frozen=True)
class InfoSettings:
    """A file that shall say what it knows."""

    file: Path = field(metadata={"positional": True})
    """A CT or MR (NIfTI, NRRD, MHA/MHD, DICOM folder) or an X-ray (DICOM, PNG, TIFF, JPEG)."""
    labels: Path | None = None
    """Label map of a CT, whose labels are then listed."""
    picture: Path | None = None
    """Draw the geometry (.png): a CT between source and detector, or an X-ray with axes. Needs the extra `plot`."""


def info(settings: InfoSettings) -> None:
    """Say what a CT or X-ray file knows of its geometry: each fact, which tag gave it, what was assumed.

    Args:
        settings: The file, and what to make of it.
    """
    if settings.picture is not None:
        _check_picture(settings.picture)
    if _is_radiograph(settings.file):
        if settings.labels is not None:
            raise InputError(f"--labels belongs to a CT, but {settings.file} is an X-ray; leave it out.")
        _radiograph(settings)
    else:
        _volume(settings)


command = flat(info, InfoSettings)


def _is_radiograph(path: Path) -> bool:
    """Pictures are X-rays; a DICOM file is one unless its header describes slices."""
    if path.is_dir() or not path.is_file():
        return path.suffix.lower() in RASTER
    if path.suffix.lower() in RASTER:
        return True
    from ..storage.dicom_header import is_dicom, reading_dicom

    with reading_dicom(path, "DICOM tags"):
        if not is_dicom(path):
            return False
        from pydicom import dcmread

        modality = str(dcmread(path, stop_before_pixels=True, specific_tags=["Modality"]).get("Modality", ""))
    return modality not in ("CT", "MR", "SEG", "PT")


def _volume(settings: InfoSettings) -> None:
    from ..files.describe import describe_volume

    print_table(str(settings.file), describe_volume(settings.file, labels=settings.labels))
    if settings.picture is None:
        return
    from ..geometry.camera import Camera
    from ..geometry.carm import VIEWS, carm_pose
    from ..pictures.plot import explain_geometry
    from ..rendering.rendering import render
    from ..volumes.volume import Volume

    volume = Volume.from_file(settings.file, labels=settings.labels)
    usual = CameraSettings()
    height, width = usual.size
    camera = Camera(sdd=usual.sdd, height=height // 4, width=width // 4, pixel_spacing=4 * usual.pixel_spacing)
    pose = carm_pose(lao_rao=VIEWS["ap"].lao_rao, sod=PlacementSettings().sod, isocenter=volume.center)
    image = render(volume, camera, pose, samples=200)
    title = f"{settings.file.name} in the AP view with the defaults of `xraykit render drr`"
    explain_geometry(volume, camera, pose, image=image, title=title).savefig(settings.picture, dpi=120)
    print(f"wrote {settings.picture}")


def _radiograph(settings: InfoSettings) -> None:
    from ..radiographs.describe import describe_radiograph
    from ..radiographs.read import read_radiograph

    radiograph = read_radiograph(settings.file)
    print_table(str(settings.file), describe_radiograph(radiograph))
    if settings.picture is not None:
        _picture(radiograph, settings.picture)
        print(f"wrote {settings.picture}")


def _picture(radiograph: Radiograph, path: Path) -> None:
    from ..pictures.plot import plot_xray

    frame = radiograph.pixels[len(radiograph.pixels) // 2]
    title = f"{radiograph.source.name if radiograph.source else 'X-ray'}: pixels are {radiograph.polarity}"
    plot_xray(frame, radiograph.camera, title=title).savefig(path, dpi=120)


def _check_picture(path: Path) -> None:
    from ..pictures.plot import require_matplotlib
    from ..storage.atomic_write import check_folder

    if path.suffix.lower() != ".png":
        raise InputError(f"--picture needs a name that ends in .png, got {path}.")
    check_folder(path)
    require_matplotlib()


def print_table(title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print rows (field, value, origin) in columns; assumptions and gaps stand out on a terminal."""
    from rich.table import Table
    from rich.text import Text

    terminal = console()
    rows = [(name, " ".join(str(value).split()), origin) for name, value, origin in rows]
    if not terminal.is_terminal:
        widths = [max(len(row[n]) for row in rows) for n in (0, 1)]
        print(title)
        for name, value, origin in rows:
            print(f"{name:{widths[0]}}  {value:{min(widths[1], 60)}}  {origin}".rstrip())
        return
    table = Table("field", "value", "where it comes from", title=Text(title))
    for name, value, origin in rows:
        doubtful = origin.startswith(("assumed", "missing"))
        table.add_row(Text(name), Text(value), Text(origin), style="yellow" if doubtful else "")
    terminal.print(table)
