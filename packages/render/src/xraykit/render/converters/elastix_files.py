"""elastix's TransformParameters.0.txt: one linear transform as ITK would write it, and the one that acts before it.

Source: the elastix manual, section on transforms (order of parameters, centre of rotation, initial transforms).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..errors import FileError
from ..storage.brief import brief

_FIELD = re.compile(r"\s*\((\w{1,60})((?:\s+(?:\"[^\"]*\"|[^\s\")]+))*)\s*\)\s*(?://.*)?")
_VALUE = re.compile(r"\"([^\"]*)\"|([^\s\"]+)")
_KINDS = {
    "EulerTransform": "Euler3DTransform",
    "AffineTransform": "AffineTransform",
    "SimilarityTransform": "Similarity3DTransform",
    "TranslationTransform": "TranslationTransform",
}
_INITIAL = ("InitialTransformParameterFileName", "InitialTransformParametersFileName")
_NO_INITIAL = "NoInitialTransform"


def is_elastix(lines: Sequence[str]) -> bool:
    """Whether the first line that says something is a field in parentheses."""
    said = (line.strip() for line in lines)
    first = next((line for line in said if line and not line.startswith("//")), "")
    return _FIELD.fullmatch(first) is not None


def elastix_transform(
    path: Path, lines: Sequence[str]
) -> tuple[str, tuple[float, ...], tuple[float, ...], Path | None]:
    """ITK's name of the transform, parameters, fixed parameters, and the file of the transform that acts before it.

    Raises:
        FileError: A line that is no field, no linear 3D transform, transforms that are added up, or no numbers.
    """
    fields: dict[str, list[str]] = {}
    for line in lines:
        if not line.strip() or line.lstrip().startswith("//"):
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            raise FileError(f"{path} must be elastix's transform parameters, got the line {brief(line, limit=60)!r}.")
        fields[match[1]] = [quoted or plain for quoted, plain in _VALUE.findall(match[2])]
    kind = " ".join(fields.get("Transform", ()))
    if kind not in _KINDS:
        raise FileError(
            f"{path} must hold a linear transform ({', '.join(_KINDS)}), got {brief(kind, limit=60) or 'none'}."
        )
    if fields.get("UseDirectionCosines", ["true"]) != ["true"]:
        raise FileError(f"{path} must use direction cosines, it leaves them out; register again with them.")
    fixed = _numbers(path, fields.get("CenterOfRotationPoint", []))
    if kind == "EulerTransform" and fields.get("ComputeZYX", ["false"]) == ["true"]:
        fixed = (*fixed, 1.0)
    if kind == "TranslationTransform":
        fixed = ()
    initial = next((fields[name][0] for name in _INITIAL if fields.get(name)), _NO_INITIAL)
    if initial != _NO_INITIAL and fields.get("HowToCombineTransforms", ["Compose"]) != ["Compose"]:
        raise FileError(f"{path} must compose its transforms, it adds them up; register again with Compose.")
    before = None if initial == _NO_INITIAL else path.parent / PurePosixPath(initial.replace("\\", "/")).name
    return f"{_KINDS[kind]}_double_3_3", _numbers(path, fields.get("TransformParameters", [])), fixed, before


def _numbers(path: Path, words: Sequence[str]) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in words)
    except ValueError as error:
        raise FileError(
            f"{path} must give its parameters as numbers, got {brief(' '.join(words), limit=60)!r}."
        ) from error
