"""`xraykit render info`: what a CT or X-ray says of its geometry, which tag gave what, what was assumed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..commands.findings import say_lines
from ..commands.options import flat
from ..commands.shared_settings import CameraSettings, VolumeSettings
from ..commands.terminal import console
from ..errors import InputError
from ..radiographs.options import Colour
from ..storage.brief import brief
from ..storage.provenance import Provenance, assumptions, doubts, finding_sentences, grouped, rows
from .drr_settings import PlacementSettings

if TYPE_CHECKING:
    from ..radiographs.radiograph import Radiograph

RASTER = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jp2", ".j2k", ".bmp")


@dataclass(frozen=True)
class InfoSettings:
    """A file that shall say what it knows."""

    file: Path = field(metadata={"positional": True})
    """A CT or MR (NIfTI, NRRD, MHA/MHD, DICOM folder) or an X-ray (DICOM, PNG, TIFF, JPEG, MHA of two axes)."""
    labels: Path | None = None
    """Label map of a CT, whose labels are then listed."""
    json: bool = False
    """Print facts, assumptions and doubts as JSON instead of a table."""
    frame: int | None = None
    """Frame of an X-ray of several, counted from 0: what it says of this one."""
    colour: Colour = None
    """luma: take the brightness of a colour X-ray."""
    volume: VolumeSettings = field(default_factory=VolumeSettings)
    picture: Path | None = None
    """Draw the geometry (.png): a CT between source and detector, or an X-ray with axes. Needs the extra `plot`."""


def info(settings: InfoSettings) -> None:
    """Say what a CT or X-ray file knows of its geometry: facts and which tag gave them, assumptions, then doubts.

    Args:
        settings: The file, and what to make of it.
    """
    if settings.picture is not None:
        _check_picture(settings.picture)
    stack = settings.volume.voxel_spacing is not None  # a TIFF without it is a picture
    if not stack and _is_radiograph(settings.file, frame=settings.frame):
        if settings.labels is not None or settings.volume != VolumeSettings():
            others = "--series, --modality, --resample-slices or --voxel-spacing"
            option = "--labels" if settings.labels is not None else others
            raise InputError(f"{option} belongs to a CT, but {settings.file} is an X-ray; leave it out.")
        _radiograph(settings)
    else:
        if settings.frame is not None or settings.colour is not None:
            option = "--frame" if settings.frame is not None else "--colour"
            raise InputError(f"{option} belongs to an X-ray, but {settings.file} is a CT; leave it out.")
        _volume(settings)


command = flat(info, InfoSettings)


def _is_radiograph(path: Path, *, frame: int | None = None) -> bool:
    """Pictures are X-rays, so are DICOM files but those of slices, and grids of one layer or where a frame is named."""
    if path.is_dir() or not path.is_file():
        return path.suffix.lower() in RASTER
    if path.suffix.lower() in RASTER:
        return True
    from ..radiographs.grid_image import is_flat, is_grid_image
    from ..storage.dicom_header import read_dicom
    from ..storage.dicom_kinds import dicom_kind
    from ..storage.dicom_sniff import is_dicom

    if is_grid_image(path):
        return frame is not None or is_flat(path)
    if not is_dicom(path):
        return False
    dataset = read_dicom(path)
    kind = dicom_kind(dataset)
    is_placed = kind in ("CT", "MR", "PET", "segmentation", "directory") or "ImagePositionPatient" in dataset
    return kind == "X-ray" or not is_placed


def _volume(settings: InfoSettings) -> None:
    from ..files.describe import volume_provenance

    choice = settings.volume
    found = volume_provenance(
        settings.file,
        labels=settings.labels,
        modality=choice.modality,
        series=choice.series,
        resample_slices=choice.resample_slices,
        voxel_spacing=choice.voxel_spacing,
    )
    _say(settings, found)
    if settings.picture is None:
        return
    from ..geometry.camera import Camera
    from ..geometry.carm import VIEWS, carm_pose
    from ..geometry.intrinsics import rescale_camera
    from ..pictures.plot import explain_geometry
    from ..rendering.rendering import render
    from ..volumes.volume import Volume

    volume = Volume.from_file(settings.file, labels=settings.labels, **settings.volume.reading)
    usual = CameraSettings()
    height, width = usual.size
    camera = Camera(sdd=usual.sdd, height=height, width=width, pixel_spacing=usual.pixel_spacing)
    camera = rescale_camera(camera, 0.25)
    pose = carm_pose(lao_rao=VIEWS["ap"].lao_rao, sod=PlacementSettings().sod, isocenter=volume.center)
    image = render(volume, camera, pose, samples=200)
    title = f"{settings.file.name} in the AP view with the defaults of `xraykit render drr`"
    explain_geometry(volume, camera, pose, image=image, title=title).savefig(settings.picture, dpi=120)
    print(f"wrote {settings.picture}")


def _radiograph(settings: InfoSettings) -> None:
    from ..radiographs.describe import radiograph_provenance
    from ..radiographs.read import read_radiograph

    radiograph = read_radiograph(settings.file, frame=settings.frame, colour=settings.colour)
    _say(settings, radiograph_provenance(radiograph))
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


def _say(settings: InfoSettings, found: Provenance) -> None:
    if settings.json:
        print(json.dumps({"file": str(settings.file), **grouped(found)}, indent=2))
    else:
        print_table(brief(settings.file, limit=400), rows(found))
    said = brief(settings.file, limit=200)
    notes, warnings = finding_sentences(assumptions(found)), finding_sentences(doubts(found))
    say_lines(notes=[f"{said}: {line}" for line in notes], warnings=[f"{said}: {line}" for line in warnings])


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
        doubtful = origin.startswith(("assumed", "missing")) or name.startswith("warning")
        table.add_row(Text(name), Text(str(value)), Text(origin), style="yellow" if doubtful else "")
    terminal.print(table)
