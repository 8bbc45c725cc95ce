"""Prompts on disk: JSON lines or CSV, one text a line, every one checked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.storage import parse_json_object, text_of, write_atomically

from ..vocabulary.targets import find_target
from ..vocabulary.text_check import check_text
from .text_prompt import KINDS, WORDINGS, TextPrompt
from .view_names import check_view

_COLUMNS = tuple(f.name for f in fields(TextPrompt))
_LIMIT = 1 << 30
_LONG_FROM = 7  # words, where the file does not say


def write_prompts(path: str | Path, prompts: Iterable[TextPrompt]) -> Path:
    """Write prompts as .jsonl or .csv, whole or not at all.

    Raises:
        InputError: Another suffix.
        OutputError: The file cannot be written.
    """
    path = _suffixed(Path(path), InputError)
    file = io.StringIO(newline="")
    if path.suffix == ".csv":
        table = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(one) for one in prompts)
    else:
        file.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in prompts)
    return write_atomically(path, lambda out: out.write(file.getvalue().encode()))


def read_prompts(path: str | Path, *, tools: Collection[str] = (), source: str = "") -> tuple[TextPrompt, ...]:
    """The prompts of a .jsonl or .csv file: target and text, and what else there is of kind, split, source and view.

    Without a kind, texts of 7 words and more are long; without a split they are for training; without a source it is
    the file's name.

    Args:
        path: The file.
        tools: Targets beyond the known ones: kinds of a tool library.
        source: In place of the file's name.

    Raises:
        FileError: The file cannot be read, or a line is no legal prompt; the line is named.
    """
    path = _suffixed(Path(path), FileError)
    try:
        if path.stat().st_size > _LIMIT:
            raise FileError(f"{path} must be under 1 GiB of prompts, got {path.stat().st_size} bytes; split it.")
        text = text_of(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} must be a readable text file in UTF-8, got: {error}.") from error
    rows = _csv_rows(path, text) if path.suffix == ".csv" else _json_rows(path, text)
    prompts = tuple(_prompt(place, row, tools, source or path.name) for place, row in rows)
    if not prompts:
        raise FileError(f"{path} must hold at least one prompt, got none.")
    return prompts


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in table:
            place = f"{path}, line {table.line_num}"
            if None in row or None in row.values():
                raise FileError(f"{place}: expected the columns {', '.join(table.fieldnames or ())}; quote commas.")
            yield place, {key: value for key, value in row.items() if value}
    except csv.Error as error:
        raise FileError(f"{path}, line {table.line_num} must be CSV, got: {error}.") from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{path}, line {number}", parse_json_object(line, place=f"{path}, line {number}")


def _prompt(place: str, row: Mapping[str, Any], tools: Collection[str], source: str) -> TextPrompt:
    unknown = next((key for key in row if key not in _COLUMNS), None)
    missing = next((key for key in ("target", "text") if key not in row), None)
    if unknown or missing:
        raise FileError(
            f"{place}: expected target, text and any of {', '.join(_COLUMNS[2:])}, got "
            f"{f'an unknown {unknown!r}' if unknown else f'no {missing}'}."
        )
    wrong = next((key for key, value in row.items() if not isinstance(value, str)), None)
    if wrong:
        raise FileError(f"{place}: {wrong} must be text, got {row[wrong]!r:.60}.")
    try:
        target, text = row["target"], check_text(row["text"])
        if target not in tools:
            target = find_target(target).name
        view = check_view(row.get("view", ""))
    except InputError as error:
        raise FileError(f"{place}: {error}") from error
    kind = row.get("kind") or ("long" if len(text.split()) >= _LONG_FROM else "short")
    split = row.get("split") or "train"
    if kind not in KINDS or split not in WORDINGS:
        raise FileError(f"{place}: kind must be short or long and split train or held_out, got {kind} and {split}.")
    return TextPrompt(target, text, kind, split, row.get("source") or source, view)


def _suffixed(path: Path, error: type[InputError]) -> Path:
    if path.suffix not in (".jsonl", ".csv"):
        raise error(f"a prompt file must end in .jsonl or .csv, got {path}.")
    return path
