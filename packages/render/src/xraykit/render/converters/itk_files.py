"""ITK's transform files (text, MATLAB 4, HDF5) and elastix's as names and numbers; no code of ITK sees a byte."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import FileError
from ..storage.brief import brief
from ..storage.declared_grid import MAX_LENGTH
from ..storage.decoded_text import text_of
from ..storage.plain_hdf5 import Value, parse_hdf5
from .elastix_files import elastix_transform, is_elastix

LARGEST = 1 << 20  # bytes; a chain of a hundred affine transforms takes a twentieth
LONGEST_CHAIN = 20  # of initial transforms that each have one
_FIXED = "fixed"  # what ITK calls the second matrix of each transform in a MATLAB file
_MATLAB_ORDERS = {b"\0\0\0\0": "<", b"\n\0\0\0": "<", b"\0\0\3\xe8": ">", b"\0\0\3\xf2": ">"}  # double, single
_NUMBERED = re.compile(r"/TransformGroup/(\d{1,4})/TransformType")
_Numbers = tuple[float, ...]


class StoredTransform(NamedTuple):
    """One transform as its file says it: "AffineTransform_double_3_3" and its numbers."""

    name: str
    parameters: _Numbers
    fixed: _Numbers


def read_stored_transforms(path: Path) -> list[StoredTransform]:
    """The transforms in a file, in its order; its first bytes say of which of the four kinds it is.

    Raises:
        FileError: Missing, larger than 1 MiB, none of the four, damaged, or a number that is not finite.
    """
    data = _bytes(path)
    if data.startswith(b"\x89HDF"):
        found = list(_hdf5(path, data))
    elif data[:4] in _MATLAB_ORDERS:
        found = list(_matlab(path, data, _MATLAB_ORDERS[data[:4]]))
    else:
        found = list(_text(path, data))
    if not found:
        raise FileError(f"{path} must be a transform that ITK writes, got none in it; export it again.")
    for transform in found:
        if not all(abs(number) < MAX_LENGTH for number in (*transform.parameters, *transform.fixed)):
            raise FileError(
                f"{path} must hold a finite, invertible transform, got NaN or numbers beyond {MAX_LENGTH:g}."
            )
    return found


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except (OSError, ValueError) as error:
        said = brief(getattr(error, "strerror", None) or error)
        raise FileError(f"an ITK transform file was expected at {brief(path)}, got {said}; check the path.") from error
    if size > LARGEST:
        raise FileError(
            f"{path} must hold linear transforms, which take less than {LARGEST >> 20} MiB, got {size} bytes; "
            "export the rigid or affine part alone."
        )
    return data


def _text(path: Path, data: bytes) -> Iterator[StoredTransform]:
    lines = _lines(path, data)
    if is_elastix(lines):
        yield from _elastix(path, lines)
        return
    rows: list[dict[str, str]] = []
    for line in lines:
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if key == "Transform":
            rows.append({key: value})
        elif colon and rows and key in ("Parameters", "FixedParameters") and key not in rows[-1]:
            rows[-1][key] = value
        else:
            raise FileError(f"{path} must be a transform that ITK writes, got the line {brief(line, limit=60)!r}.")
    for row in rows:
        parameters, fixed = (_numbers(path, row.get(key, "")) for key in ("Parameters", "FixedParameters"))
        yield StoredTransform(row["Transform"], parameters, fixed)


def _lines(path: Path, data: bytes) -> list[str]:
    try:
        return text_of(data).splitlines()
    except UnicodeDecodeError as error:
        raise FileError(f"{path} must be a transform that ITK writes, got bytes that are no text.") from error


def _elastix(path: Path, lines: list[str]) -> Iterator[StoredTransform]:
    """A composite: the last one's initial transforms, which lie beside it, act before it."""
    yield StoredTransform("CompositeTransform_double_3_3", (), ())
    for _ in range(LONGEST_CHAIN):
        name, parameters, fixed, before = elastix_transform(path, lines)
        yield StoredTransform(name, parameters, fixed)
        if before is None:
            return
        path, lines = before, _lines(before, _bytes(before))
    raise FileError(f"{path} must begin with no initial transform, got a chain of more than {LONGEST_CHAIN}.")


def _numbers(path: Path, text: str) -> _Numbers:
    try:
        return tuple(float(word) for word in text.split())
    except ValueError as error:
        raise FileError(f"{path} must give its parameters as numbers, got {brief(text, limit=60)!r}.") from error


def _matlab(path: Path, data: bytes, order: str) -> Iterator[StoredTransform]:
    """MATLAB 4: after each head of five whole numbers the name and the numbers; every transform is a pair of these."""
    matrices: list[tuple[str, _Numbers]] = []
    at = 0
    while at < len(data):
        if at + 20 > len(data):
            raise _cut(path)
        kind, rows, columns, complex_, length = struct.unpack_from(f"{order}5i", data, at)
        single = kind % 100 // 10 == 1
        size = rows * columns * (4 if single else 8)
        if (
            kind % 100 not in (0, 10)
            or min(rows, columns, length) < 0
            or complex_
            or at + 20 + length + size > len(data)
        ):
            raise _cut(path)
        name = data[at + 20 : at + 20 + length].partition(b"\0")[0].decode("utf-8", "replace")
        at += 20 + length
        matrices.append((name, struct.unpack_from(f"{order}{rows * columns}{'f' if single else 'd'}", data, at)))
        at += size
    if len(matrices) % 2 or any(name != _FIXED for name, _ in matrices[1::2]):
        raise FileError(f"{path} must hold pairs of parameters and fixed parameters, as ITK and ANTs write them.")
    for (name, parameters), (_, fixed) in zip(matrices[::2], matrices[1::2], strict=True):
        yield StoredTransform(name, parameters, fixed)


def _cut(path: Path) -> FileError:
    return FileError(
        f"{path} must be a whole MATLAB file of ITK (version 4), got one cut off or damaged; save it again."
    )


def _hdf5(path: Path, data: bytes) -> Iterator[StoredTransform]:
    values = parse_hdf5(data, source=str(path))
    found = (_NUMBERED.fullmatch(key) for key in values)
    for number in sorted(int(key[1]) for key in found if key):
        name = values[f"/TransformGroup/{number}/TransformType"]
        if not isinstance(name, str):
            raise FileError(f"{path} must name the type of each transform as text, got none for number {number}.")
        parameters, fixed = _under(values, number, "Parameters"), _under(values, number, "FixedParameters")
        if not isinstance(parameters, tuple) or not isinstance(fixed, tuple):
            raise FileError(
                f"{path} must hold a linear 3D transform, got {brief(name)} with more numbers than one has."
            )
        yield StoredTransform(name, parameters, fixed)


def _under(values: Mapping[str, Value], number: int, name: str) -> Value:
    """_Numbers of a transform, none where it has none; ITK 4 wrote "Tranform"."""
    place = f"/TransformGroup/{number}"
    return values.get(f"{place}/Transform{name}", values.get(f"{place}/Tranform{name}", ()))
