"""The stored pixels of a DICOM image, one way for every encoding: checked against what is declared, then unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, RLELossless

from ..errors import FileError
from .brief import brief
from .codestream import codestream_of, sniffed_syntax
from .dicom_decoders import PackedFrame, by_pydicom
from .dicom_header import ALWAYS_ALLOWED, MAX_INFLATION, reading_dicom
from .dicom_unpack import Unpacker
from .reading_progress import told

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MOST_FRAMES = 1 << 20
"""Of a file: nine hours at 30 a second. More is a damaged tag, and a list of them would fill the memory."""
_BITS = (1, 8, 16, 32, 64)


@dataclass(frozen=True)
class PixelLayout:
    """How the pixels of a file are laid out, as its tags declare."""

    frames: int
    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    is_signed: bool
    keyword: str
    lift: int = 0
    """Bits below the lowest stored one, which HighBit says to be empty"""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one unpacked frame."""
        return -(-self.rows * self.columns * self.samples * self.allocated // 8)

    @property
    def dtype(self) -> np.dtype:
        """Of the stored values."""
        if self.keyword != "PixelData":
            return np.dtype("<f4" if self.keyword == "FloatPixelData" else "<f8")
        return np.dtype(f"<{'i' if self.is_signed else 'u'}{max(self.allocated // 8, 1)}")


def transfer_syntax(dataset: FileDataset) -> UID:
    """How the pixels are packed; where the file does not say, its encoding and the first packed frame do."""
    said = (getattr(dataset, "file_meta", None) or {}).get("TransferSyntaxUID")
    if said is not None:
        return UID(str(said))
    implicit, little = dataset.original_encoding
    found = None
    if dataset.get("PixelData") and dataset["PixelData"].is_undefined_length:
        found = sniffed_syntax(next(generate_frames(dataset.PixelData), b""))
    name = "1.2.840.10008.1.2" + ("" if implicit else ".1" if little else ".2")
    return found or UID(name)


def pixel_layout(path: Path, dataset: Dataset) -> PixelLayout:
    """The layout that the tags declare, checked in itself.

    Raises:
        FileError: There are no pixels, or rows, columns, bits or frames that no image has.
    """
    with reading_dicom(path, "image tags"):
        keyword = next((name for name in PIXELS if name in dataset), "PixelData")
        rows, columns, bits = (_whole(path, dataset, name, 0) for name in ("Rows", "Columns", "BitsAllocated"))
        frames, samples = _whole(path, dataset, "NumberOfFrames", 1), _whole(path, dataset, "SamplesPerPixel", 1)
        if min(rows, columns, frames) < 1:
            raise FileError(f"{path} must hold pixels, it declares {rows} rows, {columns} columns, {frames} frames.")
        if frames > MOST_FRAMES:
            raise FileError(f"{path} must hold at most {MOST_FRAMES} frames, its NumberOfFrames says {frames}.")
        if bits not in _BITS or samples not in (1, 3, 4):
            raise FileError(
                f"{path} must hold pixels of 1, 8, 16, 32 or 64 bits, got {samples} samples of {bits} bits."
            )
        stored = _whole(path, dataset, "BitsStored", bits)
        signed = _whole(path, dataset, "PixelRepresentation", 0) == 1
        stored = stored if 1 <= stored <= bits else bits
        high = _whole(path, dataset, "HighBit", stored - 1)
        lift = high + 1 - stored if stored <= high < bits else 0
        return PixelLayout(frames, rows, columns, samples, bits, stored, signed, keyword, lift)


def spare_frames(path: Path, dataset: FileDataset) -> int:
    """Whole frames of pixels that are not packed, behind those that the tags declare: NumberOfFrames is wrong, or lost.

    Raises:
        FileError: As `pixel_layout`.
    """
    layout = pixel_layout(path, dataset)
    held = dataset.get(layout.keyword)
    if not isinstance(held, bytes) or transfer_syntax(dataset).is_encapsulated:
        return 0
    return max(len(held) // layout.frame_bytes - layout.frames, 0)


def stored_frames(
    path: Path,
    dataset: FileDataset,
    unpacker: Unpacker,
    *,
    frames: Sequence[int] | None = None,
    packing: int = MAX_INFLATION,
) -> NDArray[np.generic]:
    """The pixels as stored, before any rescale.

    Args:
        path: The file, for messages.
        dataset: As read with its pixels.
        unpacker: Who unpacks compressed frames.
        frames: Which, counted from 0; None is all.
        packing: Bytes of pixels that a packed byte may stand for at most.

    Returns:
        (frames, rows, columns), with a last axis for colour samples; native byte order; perhaps read-only.

    Raises:
        FileError: PixelData is missing, shorter than the tags declare, declares more than its bytes can hold or than
            the packed frames do, or cannot be unpacked.
    """
    with reading_dicom(path, "pixels"):
        layout = pixel_layout(path, dataset)
        held = dataset.get(layout.keyword)
        if not isinstance(held, bytes) or not held:
            raise FileError(f"{path} must hold pixels, it has no {layout.keyword}; choose another file.")
        wanted = list(range(layout.frames)) if frames is None else list(frames)
        if wanted and not 0 <= min(wanted) <= max(wanted) < layout.frames:
            raise FileError(f"{path} must hold frame {max(wanted) + 1}, it declares {layout.frames}.")
        syntax = transfer_syntax(dataset)
        if not syntax.is_transfer_syntax:
            raise FileError(f"{path} must name a transfer syntax, got {brief(syntax) or 'none'}; not readable.")
        if not syntax.is_encapsulated:
            return _native(path, dataset, layout, wanted, syntax)
        packed = _packed(path, dataset, layout, syntax, wanted, packing)
        shape = (len(packed), layout.rows, layout.columns, *([layout.samples] if layout.samples > 1 else []))
        values = np.empty(shape, layout.dtype.newbyteorder("="))
        for n, frame in enumerate(told(packed, "frames") if len(packed) > 1 else packed):
            # run-length packed frames need no native code, so no process of their own
            data = by_pydicom(frame) if syntax == RLELossless else unpacker.unpacked(path, frame)
            values[n] = np.frombuffer(data, layout.dtype).reshape(shape[1:])
        return _within_bits(values, layout)


def _native(
    path: Path, dataset: FileDataset, layout: PixelLayout, wanted: list[int], syntax: UID
) -> NDArray[np.generic]:
    data = dataset[layout.keyword].value
    size = layout.rows * layout.columns * layout.samples
    needed = -(-layout.frames * size * layout.allocated // 8)
    if len(data) < needed:
        raise FileError(
            f"{path} must hold {needed} bytes of pixels as its tags declare, its {layout.keyword} has {len(data)}; "
            "it is cut short, copy it again."
        )
    shape = (layout.frames, layout.rows, layout.columns)
    if layout.allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=layout.frames * size, bitorder="little")
        return bits.reshape(shape)[wanted]
    order = ">" if syntax.is_little_endian is False else "<"
    values = np.frombuffer(data, layout.dtype.newbyteorder(order), count=layout.frames * size)
    if layout.samples > 1:
        planar = _whole(path, dataset, "PlanarConfiguration", 0) == 1
        axes = (layout.frames, layout.samples, *shape[1:]) if planar else (*shape, layout.samples)
        values = values.reshape(axes)
        values = np.moveaxis(values, 1, -1) if planar else values
    else:
        values = values.reshape(shape)
    chosen = values if wanted == list(range(layout.frames)) else values[wanted]
    return _within_bits(chosen.astype(layout.dtype.newbyteorder("="), copy=False), layout)


def _within_bits(values: NDArray[np.generic], layout: PixelLayout) -> NDArray[np.generic]:
    """The values of the stored bits alone: what lies above them may hold overlays.

    Bits below them count where they are not empty: programs state HighBit 15 of pixels that begin at bit 0, too.
    """
    spare = layout.allocated - layout.stored
    if spare == 0 or values.dtype.kind not in "iu":
        return values
    if layout.lift and not np.bitwise_and(values, (1 << layout.lift) - 1).any():
        values = np.right_shift(values, layout.lift)
    return np.right_shift(np.left_shift(values, spare), spare)


def _packed(
    path: Path, dataset: FileDataset, layout: PixelLayout, syntax: UID, wanted: list[int], packing: int
) -> list[PackedFrame]:
    """The packed bytes of each frame, none of which declares another size than the tags do."""
    data = dataset.PixelData
    expected, limit = layout.frames * layout.frame_bytes, max(packing * len(data), ALWAYS_ALLOWED)
    if expected > limit:
        raise FileError(
            f"{path} declares {expected} bytes of pixels in {len(data)} compressed bytes; refused as damaged."
        )
    offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    extended = (offsets[0], offsets[1]) if offsets[0] and offsets[1] else None
    pieces = list(generate_frames(data, number_of_frames=layout.frames, extended_offsets=extended))
    if len(pieces) < layout.frames:
        raise FileError(
            f"{path} must hold {layout.frames} frames as its tags declare, it has {len(pieces)}; copy it again."
        )
    photometric = str(dataset.get("PhotometricInterpretation") or "MONOCHROME2")
    for piece in (pieces[n] for n in wanted):
        said = codestream_of(piece)
        if syntax != RLELossless and said is not None and (said.rows, said.columns) != (layout.rows, layout.columns):
            raise FileError(
                f"{path} must pack frames of {layout.rows} x {layout.columns} pixels as its tags declare, one declares "
                f"{said.rows} x {said.columns}; it is damaged."
            )
    tags = {
        "Rows": layout.rows,
        "Columns": layout.columns,
        "SamplesPerPixel": layout.samples,
        "PhotometricInterpretation": photometric,
        "BitsAllocated": layout.allocated,
        "BitsStored": layout.stored,
        "HighBit": layout.stored - 1,
        "PixelRepresentation": int(layout.is_signed),
    }
    return [PackedFrame(pieces[n], syntax, layout.frame_bytes, tags) for n in wanted]


def _whole(path: Path, dataset: Dataset, keyword: str, default: int) -> int:
    value = dataset.get(keyword)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise FileError(f"{path} must state {keyword} as one whole number, got {brief(value, limit=40)}.") from error
