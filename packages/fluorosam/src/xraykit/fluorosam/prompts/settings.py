"""How many texts the grammar writes for each target."""

from __future__ import annotations

from dataclasses import dataclass, fields

from xraykit.render import InputError


@dataclass(frozen=True)
class GrammarSettings:
    """The texts of each target."""

    short: int = 15
    """Short texts for training."""
    long: int = 15
    """Long texts for training."""
    held_out_short: int = 5
    """Short texts in held-out wordings, for evaluation."""
    held_out_long: int = 5
    """Long texts in held-out wordings, for evaluation."""
    view_texts: int = 4
    """Texts drawn for each standard view that shows the target; those that name the view or a side of it are kept."""
    image_sides: bool = True
    """Whether texts for AP views of the trunk may say "on the right of the image"."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self) if f.type == "int"):
            value = getattr(self, name)
            if value < 0 or (name != "seed" and value > 1000):
                raise InputError(f"{name} must be {'0 or more' if name == 'seed' else '0 to 1000'}, got {value}.")
