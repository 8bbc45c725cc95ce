"""From Hounsfield numbers to linear attenuation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Attenuation:
    """Piecewise-linear HU to mu through air, water and bone."""

    mu_water: float = 0.01929
    mu_bone: float = 0.0502
    hu_bone: float = 1000.0

    def __call__(self, hu: Tensor) -> Tensor:
        hu = torch.as_tensor(hu).to(torch.float32).clamp(min=-1000.0)
        soft = self.mu_water * (1 + hu / 1000)
        hard = self.mu_water + (self.mu_bone - self.mu_water) * hu / self.hu_bone
        return torch.where(hu <= 0, soft, hard)


WATER_AND_BONE = Attenuation()
