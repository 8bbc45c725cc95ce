"""DICOM X-ray images (XA, XRF, RF, DX, CR, RTIMAGE, Enhanced XA/XRF) into radiographs."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from ..errors import FileError
from ..storage.brief import brief
from ..storage.dicom_header import assumed_encoding, read_dicom
from ..storage.dicom_kinds import dicom_kind
from ..storage.dicom_pixels import pixel_layout, spare_frames, stored_frames
from ..storage.dicom_tags import PER_FRAME, number, numbers, tag_name, text
from ..storage.dicom_unpack import Unpacker
from ..storage.dicom_values import has_modality_table, modality_values, rescale_of
from ..storage.provenance import Found, Origin
from .camera_tags import camera_from_tags
from .colour_rule import check_grey
from .dicom_doubts import dicom_doubts, frame_doubts, geometry_doubts
from .frame_geometry import FrameGeometry
from .options import Colour, DetectorOrigin
from .polarity import polarity_from_tags
from .radiograph import Polarity, Radiograph
from .shutter_tags import shutter_doubts

X_RAY = ("XA", "RF", "XRF", "DX", "CR", "DR", "RG", "RTIMAGE")
GREY = ("MONOCHROME1", "MONOCHROME2")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def read_dicom_radiograph(
    path: str | Path,
    *,
    polarity: Polarity | None = None,
    detector_active_origin: DetectorOrigin = None,
    frame: int | None = None,
    colour: Colour = None,
) -> Radiograph:
    """One DICOM X-ray file as a radiograph in its modality units (rescale or Modality LUT applied, frame by frame).

    VOI LUT and window are deliberately not applied: they choose a picture, not a measurement. What the values mean is
    decided in polarity.py, the camera in camera_tags.py; `provenance` names the tag behind each fact. Shutters,
    flips and rotations of the field of view are recorded, never undone.

    Args:
        path: The file.
        polarity: Overrules the tags; None follows them.
        detector_active_origin: See `camera_from_tags`.
        frame: Unpack this one alone, counted from 0, negative from the end; None is all.
        colour: "luma" turns a colour image grey.

    Returns:
        The radiograph, pixels float32 (integers of up to 24 bits are exact).

    Raises:
        FileError: Missing, empty, truncated or damaged file; no X-ray image; colour; no decoder for its compression.
    """
    path = Path(path)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        dataset = read_dicom(path, pixels=True)
        modality = _modality(path, dataset)
        chosen = _frames(path, dataset, frame)
        values, scale, slope_sign = _modality_values(path, dataset, chosen, colour)
        facts = _header_facts(dataset, modality) | scale
    if polarity is None:
        polarity, facts["polarity"] = polarity_from_tags(dataset, modality=modality, slope_sign=slope_sign)
    else:
        facts["polarity"] = Origin(polarity, "caller", "overrules the tags")
    if heard:
        # Only up to the first quotation mark: what is quoted may be a patient's name.
        what = brief(str(heard[0].message).split("'")[0], limit=200)
        facts["warnings"] = Origin(what, "pydicom", f"the first of {len(heard)}")
    size = {"height": values.shape[1], "width": values.shape[2]}
    geometry = []
    for n in chosen if _may_differ(dataset) else chosen[:1]:
        camera, found = camera_from_tags(dataset, **size, detector_active_origin=detector_active_origin, frame=n)
        geometry.append(FrameGeometry(camera, found | geometry_doubts(found, **size)))
    facts |= dicom_doubts(dataset) | frame_doubts(spare_frames(path, dataset)) | shutter_doubts(dataset, **size)
    full_scale = None
    if polarity == "inverted_intensity":
        full_scale = _full_scale(dataset, values, facts)
    times = _frame_times(dataset, facts)
    return Radiograph(
        torch.from_numpy(values),
        polarity,
        camera=geometry[0].camera,
        full_scale=full_scale,
        frame_times=None if times is None else tuple(times[n] for n in chosen),
        provenance={**facts, **geometry[0].facts},
        source=path,
        modality=modality,
        of_frames=tuple(geometry) if len(geometry) > 1 else (),
    )


def _modality(path: Path, dataset: FileDataset) -> str:
    said, sop_class = text(dataset, "Modality"), text(dataset, "SOPClassUID")
    name = "no SOP class" if sop_class is None else UID(sop_class[0]).name
    modality, kind = "" if said is None else said[0].upper(), dicom_kind(dataset)
    if modality in X_RAY and kind in ("X-ray", "other", "capture"):
        return modality
    by_class = {"X-Ray Angiographic": "XA", "X-Ray Radiofluoroscopic": "RF", "Digital X-Ray": "DX", "Enhanced XA": "XA"}
    by_class |= {"Enhanced XRF": "RF", "Computed Radiography": "CR", "RT Image": "RTIMAGE"}
    guess = next((by for key, by in by_class.items() if name.startswith(key)), None)
    if guess is None:
        came = f"modality {brief(modality, limit=16) or 'missing'} ({brief(name, limit=60)})"
        advice = "; a command that reads a CT takes it" if kind in ("CT", "MR") else ""
        advice = "; name one of the images that it lists" if kind == "directory" else advice
        advice = "; if it shows one, export it as PNG" if kind == "capture" else advice
        raise FileError(f"{path} must be an X-ray image (modality {', '.join(X_RAY)}), got {came}{advice}.")
    return guess


def _frames(path: Path, dataset: FileDataset, frame: int | None) -> list[int]:
    """The frames that are asked for."""
    count = pixel_layout(path, dataset).frames
    if frame is None:
        return list(range(count))
    if not -count <= frame < count:
        raise FileError(f"{path} holds {count} frames, 0 to {count - 1}, got frame {frame}; choose another.")
    return [frame % count]


def _may_differ(dataset: FileDataset) -> bool:
    """Whether the tags say something of each frame by itself."""
    increments = (f"Positioner{which}AngleIncrement" for which in ("Primary", "Secondary"))
    return PER_FRAME in dataset or any(name in dataset for name in increments)


def _modality_values(
    path: Path, dataset: FileDataset, frames: list[int], colour: Colour
) -> tuple[np.ndarray, Found, float]:
    """Pixel values in modality units as float32, what was applied, and the sign of the slope."""
    photometric, samples = text(dataset, "PhotometricInterpretation"), pixel_layout(path, dataset).samples
    kind = "missing" if photometric is None else photometric[0].upper()
    is_grey = samples == 1 and kind in GREY
    if not is_grey and samples != 3:
        raise FileError(
            f"{path} must be a grey image (MONOCHROME1 or 2), got {brief(kind, limit=16)}; convert it first."
        )
    if not is_grey and colour != "luma" and kind != "RGB":
        advice = "--colour luma (colour='luma') takes its brightness"
        raise FileError(f"{path} must be a grey image (MONOCHROME1 or 2), got {brief(kind, limit=16)}; {advice}.")
    with Unpacker() as unpacker:
        stored = stored_frames(path, dataset, unpacker, frames=frames)
    if not is_grey:  # of YBR the first sample is the luma; decoders may have given RGB for it
        if kind == "RGB":  # captures of grey X-rays are stored so
            spread, largest = np.ptp(stored, axis=-1).max(), (1 << int(dataset.get("BitsStored") or 8)) - 1
            check_grey(path, round(255 * int(spread) / largest), colour)
        is_luma = kind.startswith("YBR") and not _is_packed(dataset)
        stored = stored[..., 0] if is_luma else (stored.astype(np.float32) @ LUMA).round()
    values = np.empty(stored.shape, np.float32)
    for n, frame in enumerate(frames):
        values[n] = modality_values(path, dataset, stored[n], frame=frame)
    asked = "caller" if colour == "luma" else "pixel values"
    facts = {} if is_grey else {"colour": Origin("luma", asked, "0.299 R + 0.587 G + 0.114 B")}
    if has_modality_table(path, dataset):
        return values, facts | {"rescale": Origin("table", tag_name("ModalityLUTSequence"), "applied")}, 1.0
    scale = rescale_of(path, dataset, frame=frames[0])
    note = scale.note or "slope and intercept, applied"
    others = {rescale_of(path, dataset, frame=n)[:2] for n in frames[1:]} if PER_FRAME in dataset else set()
    if others - {scale[:2]}:
        note += " frame by frame; this is the first"
    facts["rescale"] = Origin((scale.slope, scale.intercept), scale.tag, note)
    return values, facts, 1.0 if scale.slope > 0 else -1.0


def _is_packed(dataset: FileDataset) -> bool:
    return bool(dataset["PixelData"].is_undefined_length)


def _header_facts(dataset: FileDataset, modality: str) -> Found:
    said = "Modality" if text(dataset, "Modality") is not None else "SOPClassUID"
    facts: Found = {"modality": Origin(modality, tag_name(said))}
    for name, keyword, note in (
        ("photometric", "PhotometricInterpretation", "for display only"),
        ("presentation_lut", "PresentationLUTShape", "for display only, not applied"),
        ("window", "WindowCenter", "for display only, VOI not applied"),
        ("kvp", "KVP", "peak tube voltage, kV"),
        ("pixel_padding", "PixelPaddingValue", "these pixels are no measurement; left as they are"),
    ):
        said = text(dataset, keyword)
        if said is not None:
            facts[name] = Origin(said[0], said[1], note)
    encoding = assumed_encoding(dataset)
    if encoding:
        facts["encoding"] = Origin("incomplete", "assumed", f"the file lacks its {encoding}")
    for keyword in ("VOILUTSequence", "PixelIntensityRelationshipLUTSequence"):
        if keyword in dataset:
            facts[keyword] = Origin("present", tag_name(keyword), "not applied")
    return facts


def _full_scale(dataset: FileDataset, values: np.ndarray, facts: Found) -> float:
    """The value that stands for zero intensity: the stored format's bright end in modality units."""
    bits = number(dataset, "BitsStored")
    signed = number(dataset, "PixelRepresentation")
    rescale = facts["rescale"].value
    if bits is None or not isinstance(rescale, tuple):
        top, note = float(values.max()), "largest pixel value: zero intensity"
    else:
        n = int(bits[0]) - (1 if signed is not None and signed[0] == 1 else 0)
        ends = (0 if n == int(bits[0]) else -(2**n), 2**n - 1)
        top = max(max(end * rescale[0] + rescale[1] for end in ends), float(values.max()))
        note = f"largest value of {int(bits[0])} stored bits: zero intensity"
    facts["full_scale"] = Origin(top, "assumed", note)
    return top


def _frame_times(dataset: FileDataset, facts: Found) -> tuple[float, ...] | None:
    count = number(dataset, "NumberOfFrames")
    n_frames = 1 if count is None else int(count[0])
    steps = numbers(dataset, "FrameTimeVector", n_frames)
    if steps is not None and n_frames > 1:
        facts["frame_times"] = Origin(n_frames, steps[1], "ms increments, stored in seconds")
        return tuple(float(t) for t in np.cumsum(steps[0]) / 1000)
    step = number(dataset, "FrameTime")
    if step is not None and step[0] > 0 and n_frames > 1:
        facts["frame_times"] = Origin(step[0], step[1], "ms between frames")
        return tuple(n * step[0] / 1000 for n in range(n_frames))
    return None
