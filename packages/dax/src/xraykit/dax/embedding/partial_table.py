"""Rows of a table that is not finished yet, beside where it will be; what a killed run leaves can be gone on with."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xraykit.render import FileError, InputError, OutputError
from xraykit.render.storage import make_folder, parse_json_object, read_json_object, write_atomically

from .table import Embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .network_inputs import InputBatch

IDENTITY, FEATURES, BATCHES = "identity.json", "features.f32", "batches.jsonl"
SPOKEN = {
    "backbone": "weights or --field",
    "inputs": "inputs",
    "batch": "--batch",
    "on_error": "--on-error",
    "format": "version of xraykit-dax",
}


def part_folder(output: Path) -> Path:
    """Where the rows of a table lie until it is whole."""
    return output.with_name(output.name + ".part")


class PartialTable:
    """The folder OUTPUT.part with rows that are done, batch by batch.

    A line of batches.jsonl is written after its features; so what a kill leaves behind the last whole line is cut off.

    Args:
        output: The table to be.
        identity: What the rows follow from; a run that goes on must have the same.
        dimension: D of the features.
        resume: Whether rows that are there may be used.

    Raises:
        OutputError: Rows are there and `resume` is not asked for.
        InputError: They follow from something else.
        FileError: They are damaged.
    """

    def __init__(self, output: Path, identity: Mapping[str, Any], dimension: int, *, resume: bool) -> None:
        self.folder = part_folder(output)
        self.identity, self.dimension = dict(identity), dimension
        self.done = self._rows = 0
        if (self.folder / IDENTITY).exists():
            if not resume:
                raise OutputError(
                    f"{self.folder} holds an interrupted run; add --resume to go on, or remove it to begin anew."
                )
            self._check_identity()
            self._cut()

    def append(self, batch: InputBatch, features: NDArray[np.float32]) -> None:
        """Keep a batch with its features, (B, D).

        Raises:
            OutputError: The folder cannot be written.
        """
        if not (self.folder / IDENTITY).exists():
            make_folder(self.folder)
            text = json.dumps(self.identity) + "\n"
            write_atomically(self.folder / IDENTITY, lambda file: file.write(text.encode()))
        rows = [[fact.name, dict(fact.labels), list(fact.notes)] for fact in batch.facts]
        line = json.dumps({"first": batch.first, "end": batch.end, "rows": rows, "skipped": batch.skipped}) + "\n"
        try:
            for name, content in ((FEATURES, features.astype("<f4").tobytes()), (BATCHES, line.encode())):
                with (self.folder / name).open("ab") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(
                f"{self.folder} could not be written ({error.strerror or error}); make room, then add --resume."
            ) from error
        self.done, self._rows = batch.end, self._rows + len(rows)

    def table(self, record: Mapping[str, Any]) -> Embeddings:
        """All rows so far, with the record and what the rows add to it: notes and skipped."""
        names: list[str] = []
        labels: list[Mapping[str, str]] = []
        notes: dict[str, list[int]] = {}
        skipped: list[list[str]] = []
        for line in self._lines():
            skipped += line["skipped"]
            for name, said, assumed in line["rows"]:
                for note in assumed:
                    notes.setdefault(note, []).append(len(names))
                names.append(name)
                labels.append(said)
        kinds = sorted({kind for said in labels for kind in said})
        path = self.folder / FEATURES
        values = np.fromfile(path, dtype="<f4") if path.exists() else np.empty(0)
        return Embeddings(
            tuple(names),
            values.reshape(len(names), self.dimension).astype(np.float32),
            {kind: tuple(said.get(kind, "") for said in labels) for kind in kinds},
            {**record, "notes": notes, "skipped": skipped},
        )

    def remove(self) -> None:
        """Delete the folder: the table is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check_identity(self) -> None:
        before = read_json_object(self.folder / IDENTITY, what="the identity of an interrupted run")
        changed = [name for name in self.identity if before.get(name) != self.identity[name]]
        if changed:
            raise InputError(
                f"--resume must go on with what {self.folder} was begun with, got other "
                f"{' and '.join(SPOKEN.get(name, name) for name in changed)}; use the same, or remove that folder."
            )

    def _lines(self) -> list[dict[str, Any]]:
        path = self.folder / BATCHES
        text = path.read_bytes() if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1].splitlines()
        return [parse_json_object(line, place=f"{path} line {number}") for number, line in enumerate(whole, 1)]

    def _cut(self) -> None:
        """Find out what is done, and cut off what a kill left half-written."""
        try:
            lines = self._lines()
            self.done, self._rows = (lines[-1]["end"] if lines else 0), sum(len(line["rows"]) for line in lines)
            follow = all(one["end"] == other["first"] for one, other in pairwise(lines))
            text = (self.folder / BATCHES).read_bytes() if lines else b""
            expected = self._rows * self.dimension * 4
            kept = (self.folder / FEATURES).stat().st_size if lines else 0
        except (OSError, KeyError, TypeError) as error:
            raise FileError(f"{self.folder} must hold rows that are done, got damage ({error}); remove it.") from error
        if not follow or kept < expected:
            raise FileError(f"{self.folder} must hold {self._rows} rows in order, got damage; remove it.")
        for name, size in ((FEATURES, expected), (BATCHES, text.rfind(b"\n") + 1)):
            if (self.folder / name).exists():
                os.truncate(self.folder / name, size)
