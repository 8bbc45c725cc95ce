"""The objective beyond the paper: DINOv2's masked patches, KoLeo and Sinkhorn centring on top of DINO's crops."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError

from ..loss.dino import dino_loss
from ..loss.koleo import koleo_loss
from ..loss.mask_sampler import block_masks
from ..loss.masked_patches import masked_patch_loss
from ..loss.sinkhorn_knopp import sinkhorn
from ..network.backbone import Backbone
from .branch import BranchAnswer
from .settings import PretrainSettings

SPREAD = 0.2  # masked shares of an image lie this far below and above the mean


class MaskedObjective:
    """Losses of crops and masked patches together.

    loss = DINO + masked_weight * iBOT + koleo_weight * KoLeo, all with Sinkhorn-Knopp in place of the centre.

    Unlike there, one head answers for crops and patches, and its batch normalisation, if it has one, sees both.

    Args:
        settings: Complete.

    Source: Oquab et al., DINOv2: learning robust visual features without supervision, 2023, section 4.
    """

    def __init__(self, settings: PretrainSettings) -> None:
        self.settings = settings.objective

    def draw(self, backbone: Backbone, crops: list[Tensor]) -> Tensor:
        """Which patches of the two global crops are hidden, (2 B, P) bool: blocks, in half of the crops.

        Raises:
            InputError: The backbone has no patches.
        """
        patch = backbone.patch
        if patch is None:
            raise InputError(
                f"objective dinov2 masks patches and needs a vision transformer, got {backbone.config.architecture}; "
                "use --objective dino."
            )
        grid = crops[0].shape[-2] // patch, crops[0].shape[-1] // patch
        share = self.settings.masked_share
        shares = (max(share - SPREAD, 0.0), min(share + SPREAD, 1.0)) if share > 0 else (0.0, 0.0)
        return block_masks(2 * len(crops[0]), grid, ratio=shares).to(crops[0].device)

    def loss(
        self, told: BranchAnswer, taught: BranchAnswer, hidden: Tensor, temperature: float
    ) -> tuple[Tensor, list[Tensor], dict[str, Tensor]]:
        """The loss, the teacher's probabilities of the crops, and the parts for the curve."""
        own = self.settings
        targets = list(sinkhorn(taught.logits, temperature).chunk(2))
        crops = dino_loss(told.logits, targets, temperature=own.student_temperature)
        parts = {"loss_crops": crops}
        if told.patches is not None and taught.patches is not None and len(told.patches) > 0:
            wanted = sinkhorn(taught.patches, temperature)
            parts["loss_patches"] = masked_patch_loss(told.patches, wanted, hidden, temperature=own.student_temperature)
        parts["loss_koleo"] = (koleo_loss(told.pooled[0]) + koleo_loss(told.pooled[1])) / 2
        weights = {"loss_crops": 1.0, "loss_patches": own.masked_weight, "loss_koleo": own.koleo_weight}
        total = torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return total, targets, {name: part.detach() for name, part in parts.items()}
