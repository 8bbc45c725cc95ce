"""What the parts of a step's loss count."""

from typing import Protocol


class RoundWeights(Protocol):
    """What the parts of the loss count, see `SegmentationObjectiveSettings`."""

    @property
    def dice_weight(self) -> float:
        """Of the Dice loss."""
        ...

    @property
    def focal_weight(self) -> float:
        """Of the focal loss."""
        ...

    @property
    def quality_weight(self) -> float:
        """Of the squared error of the expected intersection over union."""
        ...

    @property
    def code_weight(self) -> float:
        """Of the codebook's losses."""
        ...

    @property
    def presence_weight(self) -> float:
        """Of the cross-entropy of what is visible."""
        ...

    @property
    def presence_alone(self) -> bool:
        """Whether that is all that counts."""
        ...
