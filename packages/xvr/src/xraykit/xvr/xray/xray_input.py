"""An X-ray file made ready for registration: one frame, bone bright, its camera known, its unexposed border out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Radiograph, read_radiograph
from xraykit.render.files import CameraFile
from xraykit.render.geometry import camera_doubts
from xraykit.render.radiographs import (
    burnt_in,
    exposed_field,
    is_stored_mirrored,
    relative_line_integrals,
    stored_roll,
)
from xraykit.render.storage import finding_sentences, is_dicom

from .calibration import CameraChoice, assigned_cameras, stated_camera
from .guesses import guesses_of
from .names import xray_names
from .settings import XraySettings
from .shot import Greys, Shot

BINS = 256
PROCESSED = ("log_intensity", "log_attenuation")  # greys on a scale of their own
OF_CAMERA = ("sdd:", "pixel_spacing:", "principal_point:")  # notes on what a camera file states
OF_MACHINE = {"source to detector", "detector size"}  # doubts that the file itself raised


def read_shot(
    path: str | Path,
    settings: XraySettings | None = None,
    *,
    name: str | None = None,
    camera: str | Path | None = None,
) -> Shot:
    r"""One X-ray from a DICOM, PNG, TIFF or JPEG file, as registration compares it.

    Polarity, geometry and their defaults are those of `read_radiograph`. Intensities become -ln(I / I0) with I0 their
    99.5th percentile (similarities ignore gain and offset); zeros count as half the smallest positive intensity.
    Values already logarithmic or processed for display keep their own scale, bone bright. An image that its tags say
    is mirrored is mirrored back.

    Args:
        path: The file.
        settings: What overrules the file, and how it is read; None is all defaults.
        name: Of the shot; None is the file's stem.
        camera: File that states its camera, see `read_cameras`; wins over the tags.

    Returns:
        The shot, float32 on the CPU; `notes` names every assumption.

    Raises:
        FileError: Missing, damaged, NaN, colour, or no X-ray.
        InputError: No sdd or spacing (says which option supplies it), several frames and no choice, or a setting that
            does not fit the image.
    """
    path, settings = Path(path), (settings or XraySettings()).of_view(0, 1)
    if settings.frame == "all":
        raise InputError("one shot shows one frame, got frame='all'; read_shots makes a shot of each.")
    (choice,) = assigned_cameras(() if camera is None else (camera,), (path,))
    (shot,) = shots_of(path, settings, name=name, choice=choice)
    return shot


def radiograph_of(path: Path, settings: XraySettings) -> Radiograph:
    """The file as the settings read it, all frames of it."""
    details = settings.details
    return read_radiograph(
        path,
        polarity=settings.polarity,
        detector_active_origin=details.detector_active_origin,
        colour=settings.colour,
    )


def shot_of(
    path: Path, radiograph: Radiograph, settings: XraySettings, name: str, choice: CameraChoice | None = None
) -> Shot:
    """One shot of a file that was read, by settings that say which frame."""
    radiograph, frame = _chosen(path, radiograph, settings)
    notes, doubts = _assumptions(radiograph, settings), tuple(finding_sentences(radiograph.doubts))
    mirrored = bool(is_stored_mirrored(radiograph)) if settings.mirror is None else settings.mirror
    stated = None
    if choice is None:
        camera = _camera(path, radiograph, settings)
    else:
        stated = stated_camera(choice, settings, height=radiograph.height, width=radiograph.width)
        mirrored, camera = stated.mirrored, _as_stored(stated)
        settings = replace(settings, mirror=mirrored)
        notes = [note for note in notes if not note.startswith(OF_CAMERA)]
        notes += [f"camera: as {stated.path.name} states it ({stated.kind})", *stated.assumptions]
    guesses = guesses_of(radiograph, settings, mirror_said_by=None if stated is None else stated.path.name)
    turned_as_stored = radiograph
    if camera.principal_point is None:
        notes.append("principal_point: nothing states it, so the image's centre is taken")
    if not OF_MACHINE & set(radiograph.doubts):
        doubts = (*doubts, *camera_doubts(camera))
    radiograph = replace(radiograph, camera=camera, of_frames=())
    valid = torch.ones(camera.height, camera.width, dtype=torch.bool)
    if settings.field_of_view != "whole" and is_dicom(path):
        from xraykit.render.radiographs import shutter_field  # with pydicom, which pictures can do without

        valid = shutter_field(path, height=camera.height, width=camera.width)
    if mirrored:
        radiograph, valid = _mirrored(radiograph), valid.flip(-1)
        notes.append("the image was mirrored left to right, so that it shows what the tube sees")
    roll = stored_roll(turned_as_stored, mirrored=mirrored)
    if roll:
        notes.append(f"the image is stored turned: its camera is rolled by {roll:g} degrees, and starts are with it")
    radiograph, valid = _sized(radiograph, valid, settings, notes)
    image = _line_integrals(radiograph, valid, settings)
    if settings.field_of_view == "auto":
        valid &= exposed_field(image)
    if settings.details.burnt_in and bool(valid.any()):
        valid &= ~burnt_in(image, valid)
    if settings.subtract_background and bool(valid.any()):
        image = (image - _most_frequent(image[valid])).clamp_min(0)
    hidden = 1 - float(valid.float().mean())
    if hidden > 5e-4:
        notes.append(f"{100 * hidden:.1f} % of the image is left out: outside the exposed field, or burnt-in marks")
    whole = _known(radiograph.camera)
    return Shot(
        image,
        whole,
        valid=valid if hidden else None,
        name=name,
        notes=tuple(notes),
        doubts=doubts,
        frame=frame,
        source=path,
        pose=None if stated is None else stated.pose[0],
        roll=roll,
        guesses=guesses,
        greys=_greys(path, turned_as_stored, settings),
    )


def read_shots(
    paths: Sequence[str | Path], settings: XraySettings | None = None, *, cameras: Sequence[str | Path] = ()
) -> tuple[Shot, ...]:
    """X-rays of several files, in their order, see `read_shot`; two of one name are told apart as `xray_names` says.

    `frame` "all" makes a shot of every frame, called NAME_0, NAME_1 and so on where a file holds several. `cameras` are
    files that state the camera of each X-ray, or one for all; shots of one calibration then know their places relative
    to each other, `Shot.pose`.

    Raises:
        InputError: Also, another number of cameras than X-rays, or cameras in another order.
    """
    files, settings = [Path(path) for path in paths], settings or XraySettings()
    each = [settings.of_view(n, len(files)) for n in range(len(files))]
    known = zip(files, each, xray_names(files), assigned_cameras(cameras, files), strict=True)
    return tuple(shot for file, own, name, choice in known for shot in shots_of(file, own, name=name, choice=choice))


def shots_of(
    path: str | Path,
    settings: XraySettings | None = None,
    *,
    name: str | None = None,
    choice: CameraChoice | None = None,
) -> tuple[Shot, ...]:
    """The X-rays of one file, of which there are several where `frame` is "all"; see `read_shots`."""
    path, settings = Path(path), (settings or XraySettings()).of_view(0, 1)
    if settings.field_of_view not in ("auto", "tags", "whole"):
        raise InputError(f"field_of_view must be auto, tags or whole, got {settings.field_of_view!r}.")
    name, radiograph = name or path.stem, radiograph_of(path, settings)
    if settings.frame != "all":
        return (shot_of(path, radiograph, settings, name, choice),)
    count = radiograph.n_frames
    names = [name] if count == 1 else [f"{name}_{n}" for n in range(count)]
    return tuple(shot_of(path, radiograph, replace(settings, frame=n), names[n], choice) for n in range(count))


def _greys(path: Path, radiograph: Radiograph, settings: XraySettings) -> Greys:
    """What the values are, and whether that was assumed."""
    if radiograph.polarity not in PROCESSED:
        return "line_integral"
    guessed = settings.polarity is None and "polarity" in radiograph.assumptions and not is_dicom(path)
    return "assumed" if guessed else "processed"


def _as_stored(stated: CameraFile) -> Camera:
    """The camera of the image as its file holds it, which may be mirrored."""
    if not stated.mirrored:
        return stated.camera
    x, y = stated.camera.principal_point  # type: ignore[misc]  # views() gives plain numbers
    return replace(stated.camera, principal_point=(stated.camera.width - float(x), float(y)))


def _assumptions(radiograph: Radiograph, settings: XraySettings) -> list[str]:
    """What no tag said and nobody stated, one sentence each."""
    found = {name: origin.note for name, origin in radiograph.assumptions.items()}
    return [f"{name}: {note}" for name, note in found.items() if note and getattr(settings, name, None) is None]


def _camera(path: Path, radiograph: Radiograph, settings: XraySettings) -> Camera:
    """The camera of the stored image: the settings first, then the file."""
    given = radiograph.camera
    known = {} if given is None else {"sdd": given.sdd, "pixel_spacing": given.pixel_spacing}
    for name, option in (("sdd", "--sdd MM"), ("pixel_spacing", "--pixel-spacing MM")):
        origin = radiograph.provenance.get(name)
        if getattr(settings, name) is not None:
            known[name] = getattr(settings, name)
        elif name not in known and origin is not None and origin.value is not None:
            known[name] = origin.value
        elif name not in known:
            what = "source to detector distance" if name == "sdd" else "pixel spacing at the detector"
            why = f" ({origin.note})" if origin is not None and origin.note else ""
            raise InputError(f"{path} states no {what}{why}; give it with {option} (XraySettings.{name}).")
    centre = settings.principal_point or (None if given is None else given.principal_point)
    return Camera(
        sdd=known["sdd"],  # type: ignore[arg-type]
        height=radiograph.height,
        width=radiograph.width,
        pixel_spacing=known["pixel_spacing"],  # type: ignore[arg-type]
        principal_point=centre,
    )


def _chosen(path: Path, radiograph: Radiograph, settings: XraySettings) -> tuple[Radiograph, int | None]:
    """The asked frame with its number, or all of them where they are to be reduced."""
    if isinstance(settings.frame, int):
        if settings.reduce is not None:
            raise InputError("give either frame or reduce, got both; a single frame needs no reduction.")
        return radiograph.with_frame(settings.frame), settings.frame % radiograph.n_frames
    if radiograph.n_frames > 1 and settings.reduce is None:
        raise InputError(
            f"{path} holds {radiograph.n_frames} frames; choose one with --frame N, register each with --frame all, or "
            "make one of them with --reduce mean, median, max or min (XraySettings.frame, .reduce)."
        )
    return radiograph, None


def _mirrored(radiograph: Radiograph) -> Radiograph:
    camera = _known(radiograph.camera)
    _, _, centre = camera.tensors(dtype=torch.float64, device="cpu")
    x, y = centre[0].tolist()
    flipped = replace(camera, principal_point=(camera.width - x, y))
    return replace(radiograph, pixels=radiograph.pixels.flip(-1), camera=flipped)


def _sized(
    radiograph: Radiograph, valid: Tensor, settings: XraySettings, notes: list[str]
) -> tuple[Radiograph, Tensor]:
    """Cropped, and averaged in blocks until it is no larger than asked."""
    crop, (height, width) = settings.crop, valid.shape
    if crop < 0 or 2 * crop >= min(height, width):
        raise InputError(f"crop must lie between 0 and half the image of {height}x{width}, got {crop} px.")
    if settings.details.longest < 16:
        raise InputError(f"longest must be at least 16 px, got {settings.details.longest}.")
    radiograph = radiograph.crop(top=crop, left=crop, height=height - 2 * crop, width=width - 2 * crop)
    valid = valid[crop : height - crop, crop : width - crop]
    factor = math.ceil(max(valid.shape) / settings.details.longest)
    if factor > 1:
        notes.append(f"{factor}x{factor} pixels of {valid.shape[0]}x{valid.shape[1]} were averaged into one")
        radiograph = radiograph.binned(factor)
        valid = torch.nn.functional.avg_pool2d(valid[None, None].float(), factor)[0, 0] > 0.999
    return radiograph, valid


def _line_integrals(radiograph: Radiograph, valid: Tensor, settings: XraySettings) -> Tensor:
    """One image (H, W) that grows with density."""
    integrals = relative_line_integrals(radiograph).pixels
    if len(integrals) > 1 and settings.reduce is not None:
        integrals = replace(radiograph, pixels=integrals, polarity="line_integral").reduce(settings.reduce).pixels
    return integrals[0].contiguous()


def _most_frequent(values: Tensor) -> float:
    """The middle of the fullest of 256 bins."""
    low, high = float(values.min()), float(values.max())
    counts = torch.histc(values, bins=BINS, min=low, max=high)
    return low + (int(counts.argmax()) + 0.5) * (high - low) / BINS


def _known(camera: Camera | None) -> Camera:
    if camera is None:
        raise InputError("an X-ray needs its camera, got none.")
    return camera
