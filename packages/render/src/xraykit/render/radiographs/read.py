"""Read an X-ray image from whatever file it is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import FileError
from ..geometry.camera import Camera
from ..storage.brief import brief
from ..storage.dicom_sniff import is_dicom
from ..storage.grid_files import GRID_READERS
from ..storage.named_place import kind_at
from ..storage.provenance import Origin
from .grid_image import is_grid_image, read_grid_radiograph
from .options import Colour, DetectorOrigin
from .radiograph import Polarity, Radiograph
from .raster import SUFFIXES, read_raster_radiograph

MAGIC = {
    **{b"\x89PNG\r\n\x1a\n": "PNG", b"II*\x00": "TIFF", b"MM\x00*": "TIFF", b"\xff\xd8\xff": "JPEG", b"BM": "BMP"},
    **{b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG 2000", b"\xff\x4f\xff\x51": "JPEG 2000"},
}


def read_radiograph(
    path: str | Path,
    *,
    polarity: Polarity | None = None,
    camera: Camera | None = None,
    detector_active_origin: DetectorOrigin = None,
    colour: Colour = None,
    frame: int | None = None,
) -> Radiograph:
    """An X-ray image from a DICOM file (XA, XRF, RF, DX, CR, RTIMAGE) or a picture (PNG, TIFF, JPEG, JPEG 2000, BMP).

    The content decides which it is, not the name; only pictures and stacks of them as MetaImage, NRRD or NIfTI are
    known by their suffix.

    Nothing is normalised, windowed, mirrored or cropped; see dicom.py and raster.py for the
    rules, and `Radiograph.provenance` for which tag gave what and what was assumed.

    Args:
        path: The file.
        polarity: What the pixel values mean, overruling the file; None follows it.
        camera: Intrinsics of this image, overruling the file; None follows it.
        detector_active_origin: "xvr" for the remixed data of xvr, see `camera_from_tags`.
        colour: "luma" turns colour pictures grey, see `read_raster_radiograph`.
        frame: This one alone, counted from 0, negative from the end; None is all.

    Returns:
        The radiograph on the CPU, float32 (frames, height, width).

    Raises:
        FileError: The file is missing, a folder, empty, damaged, no X-ray image, or gone while it is read.
        InputError: `camera` has another size, or an option is unknown.
    """
    path = Path(path)
    kind = kind_at(path)
    if kind == "folder":
        raise FileError(f"{path} must be one X-ray file, got a folder; name a file in it.")
    if kind is None:
        raise FileError(f"{path} does not exist; check the path.")
    try:
        radiograph = _by_content(path, polarity, detector_active_origin, colour, frame)
    except OSError as error:  # not permitted, or a disk or share that went away
        raise FileError(f"{path} cannot be read ({error.strerror or brief(error)}); check the path.") from error
    if camera is None:
        return radiograph
    facts = {**radiograph.provenance, "camera": Origin("given", "caller", "overrules the file")}
    return replace(radiograph, camera=camera, provenance=facts, of_frames=())


def _by_content(
    path: Path, polarity: Polarity | None, origin: DetectorOrigin, colour: Colour, frame: int | None
) -> Radiograph:
    with path.open("rb") as file:
        head = file.read(132)
    if not head:
        raise FileError(f"{path} must hold an image, got an empty file; get it again.")
    is_picture = head.startswith(tuple(MAGIC))
    if not is_picture and is_dicom(path):
        from .dicom import read_dicom_radiograph  # with pydicom, which pictures can do without

        return read_dicom_radiograph(path, polarity=polarity, detector_active_origin=origin, frame=frame, colour=colour)
    if is_picture:
        radiograph = read_raster_radiograph(path, polarity=polarity, colour=colour)
    elif is_grid_image(path):
        radiograph = read_grid_radiograph(path, polarity=polarity)
    else:
        legal = ", ".join(("DICOM", *SUFFIXES, *GRID_READERS))
        raise FileError(f"{path} must be an X-ray image ({legal}), got a file of another kind; convert it.")
    return radiograph if frame is None else radiograph.with_frame(frame)


def count_frames(path: str | Path) -> int:
    """How many frames the X-ray in a file has; of DICOM the tags say it, without unpacking pixels.

    Raises:
        FileError: As for `read_radiograph`.
    """
    path = Path(path)
    if kind_at(path) == "file" and path.stat().st_size and is_dicom(path):
        from ..storage.dicom_header import read_dicom  # with pydicom as well
        from ..storage.dicom_pixels import pixel_layout

        return pixel_layout(path, read_dicom(path)).frames
    return read_radiograph(path, colour="luma").n_frames
