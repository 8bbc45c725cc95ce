"""Views of patients prepared for training, once: images in one memory-mapped file, projections, cells of tissue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.storage import read_json_object

from ..ground_truth.support import Support
from ..ground_truth.support_cells import grid_support
from .settings import TissueClass

IMAGES, TISSUE, GEOMETRY, INDEX = "images.bin", "tissue.bin", "geometry.bin", "index.json"
FILES = (IMAGES, TISSUE, GEOMETRY, INDEX)
MOST_BYTES = 1 << 31  # of an index
FORMAT = 1
LOWEST, STEP = -1.0, 15.0 / 65_534  # of the line integrals that codes from 1 up mean; 0 is outside the image


class PairStore:
    """Prepared views by number; made by `prepare_pairs`. Copies for worker processes are cheap.

    Args:
        folder: Where they lie.

    Attributes:
        names: Of the N views.
        labels: What is known of each view: view, region, patient, split.
        patients: Names of the P patients.
        size: Edge of the stored images [px].
        damaged: (name, sentence) of each view that was left out.
        left_out: (name, sentence) of each damaged shard.
        digest: Of what it was made from.

    Raises:
        FileError: No whole store is there.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = read_json_object(self.folder / INDEX, what="an index of pairs", most_bytes=MOST_BYTES)
        try:
            self.digest, self.size = str(index["digest"]), int(index["size"])
            self.names: list[str] = index["names"]
            self.labels: list[dict[str, str]] = index["labels"]
            self.patients: list[str] = index["patients"]
            self._patient = np.array(index["patient"], dtype=np.int64).reshape(-1)
            self._shapes = np.array(index["shapes"], dtype=np.int64).reshape(-1, 3)
            self.damaged = [(str(name), str(why)) for name, why in index["damaged"]]
            self.left_out = tuple((str(name), str(why)) for name, why in index.get("left_out", ()))
            fits = len(self.names) == len(self.labels) == len(self._patient) and len(self.patients) == len(self._shapes)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(
                f"{self.folder / INDEX} must be an index of pairs, got another file; prepare anew."
            ) from error
        if not fits or not len(self.names) or self.size < 1:
            raise FileError(f"{self.folder / INDEX} must list views and patients alike, got another; prepare anew.")
        self._starts = np.concatenate([[0], (2 * self._plane_bytes(self._shapes)).cumsum()])
        views, patients = len(self.names), len(self.patients)
        self._check(IMAGES, 2 * views * self.size**2)
        self._check(TISSUE, int(self._starts[-1]))
        self._check(GEOMETRY, 8 * (12 * views + 16 * patients))
        numbers = np.fromfile(self.folder / GEOMETRY, dtype="<f8")
        self.projections = torch.from_numpy(numbers[: 12 * views].reshape(views, 3, 4))
        """Image projections, (N, 3, 4) float64"""
        self._affines = torch.from_numpy(numbers[12 * views :].reshape(patients, 4, 4))
        self._maps: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        """How many views."""
        return len(self.names)

    def __getstate__(self) -> dict[str, Any]:
        """Without memory maps, which each process opens for itself."""
        return {**self.__dict__, "_maps": {}}

    def lines(self, number: int) -> tuple[Tensor, Tensor | None]:
        """Line integrals (S', S') float32 of view `number`, and which pixels show the X-ray, bool; None is all."""
        codes = self._map(IMAGES, np.dtype("<u2"))[number * self.size**2 : (number + 1) * self.size**2]
        codes = codes.reshape(self.size, self.size)
        lines, inside = torch.from_numpy(codes.astype(np.float32)).sub_(1).mul_(STEP).add_(LOWEST), codes > 0
        return lines, None if inside.all() else torch.from_numpy(inside)

    def projection(self, number: int) -> Tensor:
        """Image projection (3, 4) float64 of view `number`."""
        return self.projections[number]

    def patient(self, number: int) -> int:
        """The number of the patient that view `number` shows."""
        return int(self._patient[number])

    def views_of(self, patient: int) -> list[int]:
        """The numbers of the views of a patient, ascending."""
        return np.flatnonzero(self._patient == patient).tolist()

    def patients_of(self, split: str | None = None) -> list[int]:
        """The numbers of the patients in a split; None is all."""
        found = {self.patient(n): label.get("split") for n, label in enumerate(self.labels)}
        return sorted(number for number, of in found.items() if split is None or of == split)

    def support(self, patient: int, tissue: TissueClass = "tissue") -> Support:
        """The cells of a patient that hold tissue, or bone.

        Raises:
            InputError: The patient has none.
        """
        shape, (start, end) = self._shapes[patient], self._starts[patient : patient + 2]
        bits = self._map(TISSUE, np.dtype("u1"))[start:end].reshape(2, -1)
        cells = math.prod(shape.tolist())
        planes = np.unpackbits(bits, axis=1, count=cells)
        classes = torch.from_numpy((planes[0] + planes[1]).reshape(shape))
        return grid_support(classes, self._affines[patient], tissue=tissue)

    def _map(self, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
        if name not in self._maps:
            self._maps[name] = np.memmap(self.folder / name, dtype=kind, mode="r")
        return self._maps[name]

    def _check(self, name: str, expected: int) -> None:
        file = self.folder / name
        held = file.stat().st_size if file.is_file() else 0
        if held != expected:
            raise FileError(f"{file} must hold {expected} bytes, got {held}; prepare the pairs anew.")

    @staticmethod
    def _plane_bytes(shapes: NDArray[np.int64]) -> NDArray[np.int64]:
        return -(-shapes.prod(axis=1) // 8)


def line_codes(lines: NDArray[np.floating], inside: NDArray[np.bool_] | None) -> NDArray[np.uint16]:
    """Line integrals as stored: from -1 to 14 in steps of 2.3e-4, and 0 outside the image."""
    codes = np.rint((lines - LOWEST) / STEP).clip(0, 65_534).astype("<u2") + np.uint16(1)
    return codes if inside is None else np.where(inside, codes, np.uint16(0))


def class_bits(classes: Tensor) -> bytes:
    """Cells (K, J, I) of 0 air, 1 tissue, 2 bone as stored: one bit for tissue, then one bit for bone."""
    flat = classes.reshape(-1).numpy()
    return np.packbits(flat >= 1).tobytes() + np.packbits(flat >= 2).tobytes()


def checked_patients(store: PairStore, chosen: Sequence[int] | None) -> list[int]:
    """The chosen numbers of patients, or all.

    Raises:
        InputError: A number of no patient, or none at all.
    """
    numbers = list(range(len(store.patients))) if chosen is None else sorted({int(number) for number in chosen})
    if not numbers or numbers[0] < 0 or numbers[-1] >= len(store.patients):
        raise InputError(f"patients must be numbers from 0 to {len(store.patients) - 1}, got {numbers[:5]}.")
    return numbers
