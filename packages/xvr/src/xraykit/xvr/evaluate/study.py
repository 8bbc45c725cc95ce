"""Which X-rays of a data set are registered, and from where, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from xraykit.render import InputError


@dataclass(frozen=True)
class RegistrationStudy:
    """A study, where there are no results."""

    levels: tuple[float, ...] = (1.0, 2.0, 4.0)
    """Starts drawn like the paper's initial errors, times each of these."""
    labels: tuple[int, ...] = ()
    """Register the structure with these labels; left out, the whole CT."""
    subjects: tuple[str, ...] = ()
    """Which subjects of the data set; left out, all."""
    most: int | None = field(default=None, metadata={"flag": "xrays"})
    """X-rays per subject, the first ones; left out, all of a data set, or 10 simulated ones."""
    seed: int = 0
    """Of simulated views, noise and starts."""

    def __post_init__(self) -> None:
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise InputError(f"a study needs start errors of different levels, got {self.levels}.")
