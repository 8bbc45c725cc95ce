"""Which patients a training learns from, and which it only looks at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import torch

from ..errors import InputError

PatientKey = TypeVar("PatientKey", int, str)


def hold_out_patients(
    splits: Mapping[PatientKey, Collection[str]],
    share: float,
    *,
    seed: int,
    name: Callable[[PatientKey], str] = str,
) -> tuple[list[PatientKey], list[PatientKey]]:
    """Patients to learn from, and those held out, each ascending.

    Patients of the split "val" are held out, those of "test" are in neither. Without a "val" a share of the others is
    held out, at least one of two or more, none if the share is 0.

    Args:
        splits: The splits that each patient occurs in.
        share: Of the patients.
        seed: Of who is held out.
        name: How a patient is called in errors.

    Raises:
        InputError: Nobody is left to learn from, or a patient is in two splits.
    """
    for patient, names in splits.items():
        if len(names) > 1:
            raise InputError(
                f"a patient must be in one split, got {name(patient)} in {' and '.join(sorted(names))}; make the data "
                "set again."
            )
    of = {patient: next(iter(names)) for patient, names in splits.items()}
    learned = sorted(patient for patient, split in of.items() if split not in ("val", "test"))
    held = sorted(patient for patient, split in of.items() if split == "val")
    if not held and share > 0 and len(learned) > 1:
        order = torch.randperm(len(learned), generator=torch.Generator().manual_seed(seed)).tolist()
        count = min(max(1, round(share * len(learned))), len(learned) - 1)
        held = sorted(learned[place] for place in order[:count])
        learned = sorted(set(learned) - set(held))
    if not learned:
        raise InputError("there must be patients to learn from, got those of the splits val and test only.")
    return learned, held
