"""What features know without training: the vote of each image's nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xraykit.render import InputError

TABLE = 1 << 24
"""Similarities held at once."""


@torch.no_grad()
def neighbour_votes(
    features: Tensor,
    bank: Tensor,
    labels: Tensor,
    *,
    k: int = 20,
    temperature: float = 0.07,
    patients: tuple[Tensor, Tensor] | None = None,
    classes: int | None = None,
) -> Tensor:
    r"""Votes of the k nearest images of a bank by cosine similarity s, each with the weight exp(s / temperature).

    Args:
        features: Of the images asked about, (N, D).
        bank: Of images with labels, (M, D).
        labels: Class numbers of the bank, (M,), from 0.
        k: Neighbours; fewer if the bank has fewer.
        temperature: Above 0.
        patients: Patient numbers (N,) and (M,); neighbours of the same patient do not vote.
        classes: How many there are; None is the largest class number and one.

    Returns:
        (N, classes), >= 0, as shares of all votes; 0 where nobody may vote. In float64 if the bank is, else float32.

    Raises:
        InputError: Shapes that differ, an empty bank, k below 1, a temperature that is not above 0.

    Source: Wu et al., Unsupervised feature learning via non-parametric instance discrimination, 2018; DINO's code.
    """
    _check(features, bank, labels, k, temperature)
    full = torch.promote_types(bank.dtype, torch.float32)
    bank = functional.normalize(bank.to(full), dim=1)
    classes = int(labels.max()) + 1 if classes is None else classes
    votes = []
    rows = max(1, TABLE // len(bank))
    for begin in range(0, len(features), rows):
        asked = functional.normalize(features[begin : begin + rows].to(full), dim=1)
        similarity = asked @ bank.mT
        if patients is not None:
            same = patients[0][begin : begin + rows, None] == patients[1]
            similarity.masked_fill_(same, -torch.inf)
        best, nearest = similarity.topk(min(k, len(bank)), dim=1)
        # From the best down, so that no exponential overflows; shares do not change by it.
        weight = torch.exp((best - best[:, :1]) / temperature).nan_to_num_(0.0)
        weight = torch.where(best.isfinite(), weight, 0.0)
        found = weight.new_zeros(len(asked), classes).scatter_add_(1, labels[nearest], weight)
        votes.append(found / found.sum(1, keepdim=True).clamp_min(1e-12))
    return torch.cat(votes) if votes else bank.new_zeros(0, classes)


def neighbour_accuracy(
    features: Tensor,
    labels: Tensor,
    *,
    patients: Sequence[str] | Tensor | None = None,
    k: int = 20,
    temperature: float = 0.07,
) -> float:
    """Share of images whose neighbours among all others vote for their class, 0 to 1.

    Args:
        features: (N, D).
        labels: Class numbers (N,).
        patients: Whose image each is; then images of the same patient have no vote. None leaves out the image alone.
        k: As in `neighbour_votes`.
        temperature: As there.

    Returns:
        The accuracy. An image for which nobody may vote counts as wrong.

    Raises:
        InputError: As there.
    """
    owners = torch.arange(len(features)) if patients is None else _numbers(patients)
    owners = owners.to(features.device)
    if len(owners) != len(features):
        raise InputError(f"patients must be one for each of {len(features)} images, got {len(owners)}.")
    votes = neighbour_votes(features, features, labels, k=k, temperature=temperature, patients=(owners, owners))
    right = (votes.argmax(1) == labels) & (votes.sum(1) > 0)
    return float(right.float().mean())


def _numbers(patients: Sequence[str] | Tensor) -> Tensor:
    if isinstance(patients, Tensor):
        return patients
    known = {name: number for number, name in enumerate(dict.fromkeys(patients))}
    return torch.tensor([known[name] for name in patients])


def _check(features: Tensor, bank: Tensor, labels: Tensor, k: int, temperature: float) -> None:
    if features.ndim != 2 or bank.ndim != 2 or features.shape[1] != bank.shape[1]:
        raise InputError(
            f"features must be (images, dimension) as the bank's are, got {tuple(features.shape)} and "
            f"{tuple(bank.shape)}."
        )
    if not len(bank) or labels.shape != bank.shape[:1]:
        raise InputError(f"each image of the bank needs one class number, got {tuple(labels.shape)} for {len(bank)}.")
    if k < 1 or not temperature > 0:
        raise InputError(f"k must be at least 1 and the temperature above 0, got {k} and {temperature}.")
