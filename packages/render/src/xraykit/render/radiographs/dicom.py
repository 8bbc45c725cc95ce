"""DICOM X-ray images (XA, XRF, RF, DX, CR, Enhanced XA/XRF) into radiographs."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path

import numpy as np
import pydicom
import torch
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from ..errors import FileError
from ..storage.brief import brief
from ..storage.dicom_header import DICOM_DAMAGE
from .camera_tags import Facts, camera_from_tags
from .options import DetectorOrigin
from .polarity import polarity_from_tags
from .radiograph import Origin, Polarity, Radiograph
from .tags import number, numbers, tag_name, text

X_RAY = ("XA", "RF", "XRF", "DX", "CR", "DR", "RG")
MAX_DEPTH = 32
MAX_INFLATION = 200  # deflate and the image codecs rarely pass this; more is taken for a bomb


def read_dicom_radiograph(
    path: str | Path, *, polarity: Polarity | None = None, detector_active_origin: DetectorOrigin = None
) -> Radiograph:
    """One DICOM X-ray file as a radiograph in its modality units (rescale or Modality LUT applied).

    VOI LUT and window are deliberately not applied: they choose a picture, not a measurement. What the values mean is
    decided in polarity.py, the camera in camera_tags.py; `provenance` names the tag behind each fact. Shutters,
    flips and rotations of the field of view are recorded, never undone.

    Args:
        path: The file.
        polarity: Overrules the tags; None follows them.
        detector_active_origin: See `camera_from_tags`.

    Returns:
        The radiograph, pixels float32 (integers of up to 24 bits are exact).

    Raises:
        FileError: Missing, empty, truncated or damaged file; no X-ray image; colour; no decoder for its compression.
    """
    path = Path(path)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        dataset = load(path)
        modality = _modality(path, dataset)
        stored = _stored_pixels(path, dataset)
        values, facts, slope_sign = _modality_values(path, dataset, stored)
        facts |= _header_facts(dataset, modality)
    if polarity is None:
        polarity, facts["polarity"] = polarity_from_tags(dataset, modality=modality, slope_sign=slope_sign)
    else:
        facts["polarity"] = Origin(polarity, "caller", "overrules the tags")
    if heard:
        # Only up to the first quotation mark: what is quoted may be a patient's name.
        what = brief(str(heard[0].message).split("'")[0], limit=200)
        facts["warnings"] = Origin(what, "pydicom", f"the first of {len(heard)}")
    height, width = values.shape[1:]
    camera, geometry = camera_from_tags(
        dataset, height=height, width=width, detector_active_origin=detector_active_origin
    )
    facts |= geometry
    full_scale = None
    if polarity == "inverted_intensity":
        full_scale = _full_scale(dataset, values, facts)
    return Radiograph(
        torch.from_numpy(values),
        polarity,
        camera=camera,
        full_scale=full_scale,
        frame_times=_frame_times(dataset, len(values), facts),
        provenance=facts,
        source=path,
        modality=modality,
    )


def load(path: Path) -> Dataset:
    """The parsed data set, refused unless it is whole, small enough when inflated, and nested less than MAX_DEPTH."""
    try:
        _check_inflated_size(path)
        dataset = pydicom.dcmread(path)
        _check_depth(path, dataset)
    except RecursionError as error:
        raise FileError(f"{path} must nest sequences less than {MAX_DEPTH} deep, got far more; refused.") from error
    except FileError:
        raise
    except DICOM_DAMAGE as error:
        why = brief(error) or type(error).__name__
        raise FileError(f"{path} must be a whole DICOM file, got a damaged one ({why}); get it again.") from error
    return dataset


def _check_inflated_size(path: Path) -> None:
    size = path.stat().st_size
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    limit = size * MAX_INFLATION
    inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        file.seek(128 + 4 + 12 + int(meta.FileMetaInformationGroupLength))
        chunk = file.read(1 << 16)
        while chunk and not inflater.eof:
            total += len(inflater.decompress(chunk, 1 << 20))
            if total > limit:
                raise FileError(f"{path} must inflate to at most {MAX_INFLATION} times its size, got more; refused.")
            chunk = inflater.unconsumed_tail or file.read(1 << 16)


def _check_depth(path: Path, dataset: Dataset) -> None:
    level, depth = [dataset], 0
    while level:
        if depth > MAX_DEPTH:
            raise FileError(f"{path} must nest sequences less than {MAX_DEPTH} deep, got more; refused.")
        values = [element.value for item in level for element in item if element.VR == "SQ"]
        level = [item for value in values if isinstance(value, Sequence) for item in value]
        depth += 1


def _modality(path: Path, dataset: Dataset) -> str:
    said = text(dataset, "Modality")
    sop_class = text(dataset, "SOPClassUID")
    name = "no SOP class" if sop_class is None else UID(sop_class[0]).name
    modality = "" if said is None else said[0].upper()
    if modality in X_RAY:
        return modality
    by_class = {"X-Ray Angiographic": "XA", "X-Ray Radiofluoroscopic": "RF", "Digital X-Ray": "DX", "Enhanced XA": "XA"}
    by_class |= {"Enhanced XRF": "RF", "Computed Radiography": "CR"}
    guess = next((kind for key, kind in by_class.items() if name.startswith(key)), None)
    if modality or guess is None:
        came = f"modality {brief(modality, limit=16) or 'missing'} ({brief(name, limit=60)})"
        raise FileError(f"{path} must be an X-ray image (modality {', '.join(X_RAY)}), got {came}.")
    return guess


def _stored_pixels(path: Path, dataset: Dataset) -> np.ndarray:
    """(frames, rows, columns) as stored, after checking the declared size against the bytes that are there."""
    keyword = next((k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset), None)
    if keyword is None:
        raise FileError(f"{path} must hold an image, got a DICOM file without {tag_name('PixelData')}; choose another.")
    shape = {}
    for name, least in (("Rows", 1), ("Columns", 1), ("BitsAllocated", 8)):
        got = number(dataset, name)
        if got is None or got[0] < least:
            raise FileError(f"{path} must state {tag_name(name)} of at least {least}, got {got and got[0]}.")
        shape[name] = int(got[0])
    samples, photometric = number(dataset, "SamplesPerPixel"), text(dataset, "PhotometricInterpretation")
    kind = "missing" if photometric is None else photometric[0].upper()
    if kind not in ("MONOCHROME1", "MONOCHROME2") or (samples is not None and samples[0] != 1):
        raise FileError(
            f"{path} must be a grey image (MONOCHROME1 or 2), got {brief(kind, limit=16)}; convert it first."
        )
    frames = number(dataset, "NumberOfFrames")
    n_frames = 1 if frames is None else int(frames[0])
    if n_frames < 1:
        raise FileError(f"{path} must state at least one frame, got NumberOfFrames={n_frames}; not readable.")
    _check_bytes(path, dataset, keyword, n_frames * shape["Rows"] * shape["Columns"] * shape["BitsAllocated"] // 8)
    try:
        return np.asarray(dataset.pixel_array).reshape(n_frames, shape["Rows"], shape["Columns"])
    except DICOM_DAMAGE as error:
        raise FileError(f"{path} holds pixel data that do not decode ({brief(error)}); get it again.") from error


def _check_bytes(path: Path, dataset: Dataset, keyword: str, expected: int) -> None:
    syntax = UID(str(getattr(dataset.file_meta, "TransferSyntaxUID", "")))
    held = len(dataset[keyword].value or b"")
    if not syntax.is_transfer_syntax:
        raise FileError(f"{path} must name a transfer syntax, got {brief(syntax) or 'none'}; not readable.")
    if not syntax.is_compressed:
        if held < expected:
            raise FileError(f"{path} must hold {expected} bytes of pixel data, got {held}; it is cut off.")
        return
    if expected > MAX_INFLATION * max(held, 1):
        raise FileError(f"{path} declares {expected} bytes of pixels in {held} compressed bytes; refused as damaged.")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise FileError(f"{path} is compressed as {syntax.name}, which is no readable image; convert it.") from error
    if not decoder.is_available:
        needed = "; ".join(decoder.missing_dependencies) or "a decoder"
        raise FileError(f"{path} is compressed as {syntax.name} and no decoder is installed; install one of: {needed}.")


def _modality_values(path: Path, dataset: Dataset, stored: np.ndarray) -> tuple[np.ndarray, Facts, float]:
    """Pixel values in modality units as float32, what was applied, and the sign of the slope."""
    if "ModalityLUTSequence" in dataset:
        try:
            values = np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)
        except DICOM_DAMAGE as error:
            raise FileError(
                f"{path} holds a Modality LUT that is no table ({brief(error)}); get the file again."
            ) from error
        facts = {"rescale": Origin("table", tag_name("ModalityLUTSequence"), "applied")}
        return values, facts, 1.0
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if "RescaleSlope" in dataset and (slope is None or slope[0] == 0):
        raise FileError(f"{path} must state a finite, non-zero {tag_name('RescaleSlope')}, got another; not readable.")
    m, b = 1.0 if slope is None else slope[0], 0.0 if intercept is None else intercept[0]
    values = stored.astype(np.float32) if (m, b) == (1.0, 0.0) else (stored * m + b).astype(np.float32)
    if not np.isfinite(values).all():
        raise FileError(f"{path} must hold finite pixels, got NaN or infinity; repair the file first.")
    tag = "default" if slope is None and intercept is None else f"{tag_name('RescaleSlope')}, intercept"
    return values, {"rescale": Origin((m, b), tag, "slope and intercept, applied")}, 1.0 if m > 0 else -1.0


def _header_facts(dataset: Dataset, modality: str) -> Facts:
    said = "Modality" if text(dataset, "Modality") is not None else "SOPClassUID"
    facts: Facts = {"modality": Origin(modality, tag_name(said))}
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
    for keyword in ("VOILUTSequence", "PixelIntensityRelationshipLUTSequence"):
        if keyword in dataset:
            facts[keyword] = Origin("present", tag_name(keyword), "not applied")
    return facts


def _full_scale(dataset: Dataset, values: np.ndarray, facts: Facts) -> float:
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


def _frame_times(dataset: Dataset, n_frames: int, facts: Facts) -> tuple[float, ...] | None:
    steps = numbers(dataset, "FrameTimeVector", n_frames)
    if steps is not None and n_frames > 1:
        facts["frame_times"] = Origin(n_frames, steps[1], "ms increments, stored in seconds")
        return tuple(float(t) for t in np.cumsum(steps[0]) / 1000)
    step = number(dataset, "FrameTime")
    if step is not None and step[0] > 0 and n_frames > 1:
        facts["frame_times"] = Origin(step[0], step[1], "ms between frames")
        return tuple(n * step[0] / 1000 for n in range(n_frames))
    return None
