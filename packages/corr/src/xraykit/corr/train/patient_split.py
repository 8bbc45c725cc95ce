"""Which patients are learned from and which are held out, and that nobody is both."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from xraykit.render import InputError

from ..data.pair_store import PairStore


def split_patients(store: PairStore, share: float, *, seed: int) -> tuple[list[int], list[int]]:
    """Numbers of the patients to learn from, and of those held out.

    Patients of the split "val" are held out, those of "test" are in neither. Without a "val" a share of the others is
    held out, at least one of two or more, none if the share is 0.

    Raises:
        InputError: Nobody is left to learn from, or a patient has views of two splits.
    """
    splits: dict[int, set[str]] = {}
    for number, labels in enumerate(store.labels):
        splits.setdefault(store.patient(number), set()).add(str(labels.get("split")))
    for patient, names in splits.items():
        if len(names) > 1:
            raise InputError(
                f"a patient must be in one split, got {store.patients[patient]} in {' and '.join(sorted(names))}; make "
                "the data set again."
            )
    of = {patient: next(iter(names)) for patient, names in splits.items()}
    learned = sorted(patient for patient, name in of.items() if name not in ("val", "test"))
    held = sorted(patient for patient, name in of.items() if name == "val")
    if not held and share > 0 and len(learned) > 1:
        order = torch.randperm(len(learned), generator=torch.Generator().manual_seed(seed)).tolist()
        count = min(max(1, round(share * len(learned))), len(learned) - 1)
        held = sorted(learned[place] for place in order[:count])
        learned = sorted(set(learned) - set(held))
    if not learned:
        raise InputError("there must be patients to learn from, got those of the splits val and test only.")
    return learned, held


def check_apart(store: PairStore, learned: Sequence[int], held: Sequence[int]) -> None:
    """Raise InputError if a patient to learn from has the body of one that is held out, cell for cell."""
    if not held:
        return
    bodies = {_body(store, patient): patient for patient in held}
    for patient in learned:
        if (twin := bodies.get(_body(store, patient))) is not None:
            raise InputError(
                f"a patient must be in one split, got {store.patients[patient]} to learn from and "
                f"{store.patients[twin]} held out with the same body; leave one of them out."
            )


def _body(store: PairStore, patient: int) -> str:
    support = store.support(patient)
    content = support.cells.numpy().tobytes() + support.affine.numpy().tobytes()
    return hashlib.sha256(content).hexdigest()
