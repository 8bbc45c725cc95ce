"""Which patients are learned from and which are held out, and that nobody is both."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from xraykit.render import InputError
from xraykit.render.training import hold_out_patients

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
    return hold_out_patients(splits, share, seed=seed, name=lambda patient: store.patients[patient])


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
