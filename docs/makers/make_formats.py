"""Write docs/formats.md: what the readers take, assume, doubt and refuse, read from their sources.

uv run python docs/makers/make_formats.py

An assumption or a doubt is a call of `Origin` whose tag is ASSUMED or DOUBT; a refusal is an error that is raised.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/formats.md"
SOURCE = ROOT / "packages/render/src/xraykit/render"
SECTIONS = {
    "NIfTI": ("storage/nifti.py", "storage/nifti_header.py"),
    "NRRD": ("storage/nrrd.py", "storage/nrrd_header.py"),
    "MetaImage": ("storage/metaimage.py",),
    "TIFF stacks": ("files/tiff_stack.py",),
    "Every volume": (
        "files/volumes.py", "files/plausibility.py", "storage/declared_grid.py", "storage/raw_voxels.py",
        "storage/text_header.py", "storage/confined_path.py", "storage/named_place.py",
    ),
    "Every DICOM file": (
        "storage/dicom_header.py", "storage/dicom_pixels.py", "storage/dicom_unpack.py", "storage/dicom_values.py",
    ),
    "DICOM as CT or MR": (
        "files/dicom_series.py", "files/dicom_folder.py", "files/dicom_slices.py", "files/dicom_stacks.py",
        "files/dicom_steps.py", "files/series_provenance.py",
    ),
    "DICOM as X-ray": (
        "radiographs/dicom.py", "radiographs/camera_tags.py", "radiographs/polarity.py", "radiographs/dicom_doubts.py",
        "radiographs/unread_tags.py", "radiographs/private_tags.py",
    ),
    "Pictures": (
        "radiographs/read.py", "radiographs/raster.py", "radiographs/deep_colour.py", "radiographs/colour_rule.py",
        "radiographs/rare_tiff.py",
    ),
    "Pictures as MetaImage, NRRD and NIfTI": ("radiographs/grid_image.py",),
    "Camera files": (
        "files/camera_files.py", "converters/calibration_text.py", "converters/mayacam.py", "converters/jointtrack.py",
        "converters/rtk_xml.py",
    ),
    "Labels": ("files/label_files.py", "files/label_grid.py", "files/seg_labels.py"),
}  # fmt: skip
TAGS = {"ASSUMED": "assumed", "assumed": "assumed", "DOUBT": "doubt", "doubt": "doubt"}
FINDINGS = ("Origin", "Rescale", "_fact")
FILES = ("path", "file", "folder")
ERRORS = ("FileError", "InputError", "GeometryError")
LEAD = """# What is read, what is assumed, what is refused

Written by `docs/makers/make_formats.py` from the readers themselves. Whatever a file does not state and is taken for
granted is an assumption, whatever contradicts itself, is implausible or was lost is a doubt: `Volume.assumptions`,
`Volume.doubts` and the same of a `Radiograph` hold them, every command prints them (`note`, `warning`), `xraykit render
info FILE` lists them after the facts, and the record beside a result keeps them. An ellipsis stands for what the file
says. How DICOM folders are read in words: [dicom.md](dicom.md); X-rays: [radiographs.md](radiographs.md); how many
files of each kind are read as other programs read them: [reader_matrix.md](reader_matrix.md).
"""


@dataclass(frozen=True)
class Found:
    """One thing that a reader says: what kind, of which field, in which words."""

    kind: str
    field: str
    words: str


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    PAGE.write_text(text(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {PAGE.stat().st_size / 1000:.0f} kB")


def text() -> str:
    """The whole page."""
    parts = [LEAD]
    for title, files in SECTIONS.items():
        found = [one for file in files for one in said_by(SOURCE / file)]
        first = ast.get_docstring(ast.parse((SOURCE / files[0]).read_text(encoding="utf-8"))) or ""
        parts.append(f"## {title}\n\n{first.partition(chr(10))[0]}\n")
        for kind, heading in (("assumed", "Assumed"), ("doubt", "Doubted"), ("refused", "Refused")):
            lines = list(dict.fromkeys(_line(one) for one in found if one.kind == kind and re.search(r"\w", one.words)))
            if lines:
                parts.append("\n".join([f"**{heading}**\n", *lines, ""]))
    return "\n".join(parts).rstrip() + "\n"


def said_by(path: Path) -> list[Found]:
    """The assumptions, doubts and refusals of one module, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[tuple[int, Found]] = []
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            names = _assigned_before(node, function)
            if node.func.id in ERRORS:
                found.append((node.lineno, Found("refused", "", words(node.args[0], names))))
            elif node.func.id in FINDINGS and len(node.args) > 2:
                field, said = _field_of(node, function), words(node.args[-1], names)
                found += [(node.lineno, Found(kind, field, said)) for kind in _kinds(node.args[-2])]
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _assigned_before(call: ast.Call, function: ast.FunctionDef) -> dict[str, ast.expr]:
    """What each name of a function was last given before a call."""
    given = [
        (node.lineno, target.id, node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and node.lineno < call.lineno
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return {name: value for _, name, value in sorted(given, key=lambda one: one[0])}


def words(node: ast.expr, names: dict[str, ast.expr]) -> str:
    """An f-string or text as a reader sees it, an ellipsis for each value."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        last = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        return "FILE" if last in FILES else "..."
    if isinstance(node, ast.Name) and node.id in names and not isinstance(names[node.id], ast.Name):
        return words(names[node.id], {})
    if isinstance(node, ast.IfExp):
        return " / ".join(words(part, names) for part in (node.body, node.orelse))
    return "..."


def _kinds(tag: ast.expr) -> Iterator[str]:
    for node in ast.walk(tag):
        name = node.id if isinstance(node, ast.Name) else node.value if isinstance(node, ast.Constant) else None
        if name in TAGS:
            yield TAGS[str(name)]


def _field_of(call: ast.Call, function: ast.FunctionDef) -> str:
    """The key under which an `Origin` is kept: of an assignment, a dictionary or a pair."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and call in ast.walk(node.value):
            keys = [target.slice for target in node.targets if isinstance(target, ast.Subscript)]
            if keys:
                return words(keys[0], {})
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if value is call and key is not None:
                    return words(key, {})
    return ""


def _line(one: Found) -> str:
    said = re.sub(r"(\.\.\.[ ,]*){2,}", "... ", one.words).strip().replace("....", "...")
    return f"- `{one.field}`: {said}" if one.field and one.field != "..." else f"- {said}"


if __name__ == "__main__":
    main()
