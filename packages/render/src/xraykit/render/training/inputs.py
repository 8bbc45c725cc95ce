"""What a training's inputs turned out to be: assumed, doubtful or left out; kept beside its settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from ..dataset.read.dataset import XrayDataset
from ..errors import FileError
from ..storage.atomic_write import write_atomically
from ..storage.json_object import read_json_object
from .folder import INPUTS

MOST_BYTES = 1 << 28


class TrainingInputs:
    """Collects what was assumed of the inputs of a training, what is doubtful, and what it goes without.

    `fit` writes them to inputs.json at the beginning and at each save: those of all processes, and those of the time
    before a resume.

    Attributes:
        left_out: (name, sentence) of each input that cannot be learned from.
    """

    def __init__(self) -> None:
        self.left_out: list[tuple[str, str]] = []
        self._names: dict[str, dict[str, None]] = {}
        self._counts: dict[str, int] = {}

    @classmethod
    def of_data_sets(cls, addresses: Iterable[str | Path], left_out: Iterable[tuple[str, str]] = ()) -> TrainingInputs:
        """What the manifests of data set jobs say of their patients' files, and what of the jobs is left out.

        Raises:
            FileError: No finished data set there.
        """
        inputs = cls()
        for address in addresses:
            inputs.note_data_set(address)
        inputs.leave_out(left_out)
        return inputs

    def note(self, sentence: str, names: Iterable[str] = (), *, count: int = 0) -> None:
        """Keep a sentence about inputs; the same sentence may come again, for the same inputs or others.

        Args:
            sentence: What was assumed of them or is doubtful.
            names: Theirs.
            count: How many there are, if nobody knows their names.
        """
        known = self._names.setdefault(sentence, {})
        known.update(dict.fromkeys(names))
        self._counts[sentence] = max(self._counts.get(sentence, 0), count, len(known))

    def note_data_set(self, address: str | Path) -> None:
        """Keep what a data set job assumed of its patients' files and found doubtful, by folder and patient.

        Raises:
            FileError: No finished data set there.
        """
        for shard in XrayDataset(address, parts=(), rank=0, world_size=1).shards:
            for found in shard.as_read:
                for sentence in (*found.assumptions, *found.doubts):
                    self.note(sentence, [f"{Path(address).name}, patient {found.patient}"])

    def leave_out(self, found: Iterable[tuple[str, str]]) -> None:
        """Keep the (name, sentence) of inputs, each once."""
        self.left_out += [one for one in dict.fromkeys(found) if one not in self.left_out]

    @property
    def lines(self) -> list[str]:
        """The notes as one reads them, "a.dcm and 2 more: sentence"."""
        return [f"{_whose(list(names), self._counts[note])}: {note}" for note, names in self._names.items()]

    def record(self) -> dict[str, Any]:
        """All of it as plain data, which `add` takes back."""
        notes = [{"note": n, "inputs": self._counts[n], "names": list(names)} for n, names in self._names.items()]
        return {"notes": notes, "left_out": [{"name": name, "reason": reason} for name, reason in self.left_out]}

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in what another process or an earlier time found."""
        for one in record["notes"]:
            self.note(one["note"], one["names"], count=one["inputs"])
        self.leave_out((one["name"], one["reason"]) for one in record["left_out"])

    def gather(self) -> None:
        """Let every process of a training know what each of them found; all of them must call it."""
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1:
            found: list[Any] = [None] * distributed.get_world_size()
            distributed.all_gather_object(found, self.record())
            for one in found:
                self.add(one)

    def write(self, folder: Path) -> None:
        """inputs.json of a training's folder, whole or not at all; nothing where there is nothing to say.

        Raises:
            OutputError: The folder cannot be written to.
        """
        if not (self._names or self.left_out):
            return
        text = json.dumps(self.record(), indent=1) + "\n"
        write_atomically(folder / INPUTS, lambda file: file.write(text.encode()))

    def read(self, folder: Path) -> None:
        """Take in what a training has left in its folder, if it has.

        Raises:
            FileError: It is damaged.
        """
        path = folder / INPUTS
        if not path.exists():
            return
        record = read_json_object(path, what="a record of a training's inputs", most_bytes=MOST_BYTES)
        try:
            self.add(record)
        except (KeyError, TypeError, AttributeError) as error:
            raise FileError(f"{path} must hold what a training found, got damage ({error!r}); remove it.") from error


def _whose(names: list[str], count: int) -> str:
    if not names:
        return f"{count} inputs"
    return names[0] if count == 1 else f"{names[0]} and {count - 1} more"
