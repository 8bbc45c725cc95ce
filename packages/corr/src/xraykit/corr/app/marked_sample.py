"""The sample of some X-rays in a file of pairs: found or new, and put back without touching the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xraykit.render import InputError

from ..data.xray_input import PreparedXray
from .marked_pair import MarkedPair, pairs_from_rows, rows_of_pairs
from .pair_file import check_patient, find_sample, free_id, read_pair_file, relative_file, write_pair_file
from .settings import MarkedSampleSettings


class MarkedSample:
    """What a file says of some X-rays.

    Args:
        path: The file, which may not exist yet.
        xrays: The X-rays, files all of them.
        said: Patient and split, where the user said them.

    Attributes:
        order: Which of `xrays` is view 0, 1, ... of the sample.
        pairs: As the file had them, with views as the sample numbers them.

    Raises:
        FileError: The file cannot be read or has another schema.
        InputError: Patient or split contradict the file, or an image has another size than the file says.
    """

    def __init__(self, path: Path, xrays: Sequence[Path], said: MarkedSampleSettings | None = None) -> None:
        said = said or MarkedSampleSettings()
        self.path, self._xrays = path, tuple(xrays)
        table = read_pair_file(path)
        self._known = find_sample(table, path, self._xrays)
        sample = self._known or {}
        for key in ("patient", "split"):
            stated, old = getattr(said, key), sample.get(key)
            if stated is not None and old is not None and stated != old:
                raise InputError(f"sample {sample.get('id')} of {path} has the {key} {old}, got --{key} {stated}.")
        self.id: str | None = sample.get("id")
        self.patient: str | None = said.patient or sample.get("patient")
        self.split: str = said.split or sample.get("split") or _split_of(table, self.patient) or "train"
        if self.patient is not None:
            check_patient(table, self.patient, self.split, besides=self._known)
        self.order = self._found_order()
        self.pairs = self._read_pairs()

    @property
    def is_new(self) -> bool:
        """Whether the file does not hold it yet."""
        return self._known is None

    def check_sizes(self, views: Sequence[PreparedXray]) -> None:
        """Refuse images that are not those of the file.

        Raises:
            InputError: Another size, or a single frame of several, which the file cannot name.
        """
        for number, view in enumerate(views):
            if view.frame is not None:
                raise InputError(
                    f"{view.name} holds several frames, which annotations cannot name; save one as a file."
                )
            stated = self._known["views"][number].get("size") if self._known else None
            if stated is not None and stated != list(view.size):
                came = "x".join(map(str, view.size))
                raise InputError(f"{view.name} must have the size {stated} that {self.path} says, got {came}.")

    def save(self, views: Sequence[PreparedXray], pairs: Sequence[MarkedPair]) -> str:
        """Put the pairs into the file as it is now, and return the sample's id.

        Raises:
            InputError: The sample was changed by somebody else, or its patient is in another split by now.
            FileError, OutputError: The file cannot be read or written.
        """
        table = read_pair_file(self.path)
        now = find_sample(table, self.path, self._xrays)
        if now != self._known:
            raise InputError(f"the sample in {self.path} was changed since it was read; open the page again.")
        name = self.id or free_id(table)
        patient = self.patient or name
        check_patient(table, patient, self.split, besides=now)
        sample = dict(now) if now is not None else {"id": name, "patient": patient, "split": self.split, "label": None}
        sample.setdefault("patient", patient)
        sample.setdefault("split", self.split)
        if now is None:
            sample["views"] = [
                {"file": relative_file(self.path, self._xrays[n]), "size": list(view.size)}
                for n, view in zip(self.order, views, strict=True)
            ]
        sample["pairs"] = rows_of_pairs(pairs)
        if now is None:
            table["samples"].append(sample)
        else:
            table["samples"][table["samples"].index(now)] = sample
        write_pair_file(self.path, table)
        self._known, self.id, self.patient = sample, name, patient
        return name

    def _found_order(self) -> tuple[int, ...]:
        if self._known is None:
            return tuple(range(len(self._xrays)))
        left, order = list(range(len(self._xrays))), []
        for view in self._known["views"]:
            file = (self.path.parent / view["file"]).resolve()
            order.append(next(n for n in left if self._xrays[n].resolve() == file))
            left.remove(order[-1])
        return tuple(order)

    def _read_pairs(self) -> list[MarkedPair]:
        if self._known is None:
            return []
        place = f"{self.path}, sample {self.id}"
        return pairs_from_rows(self._known.get("pairs", []), count=len(self._xrays), place=place)


def _split_of(table: dict[str, Any], patient: str | None) -> str | None:
    """The split that the patient is in already."""
    return next((s.get("split") for s in table["samples"] if patient is not None and s.get("patient") == patient), None)
