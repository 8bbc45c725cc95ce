"""Which backbone it was: a digest of its config and of every weight."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..network.state_digest import add_state

if TYPE_CHECKING:
    from ..network.backbone import Backbone


def backbone_digest(backbone: Backbone) -> str:
    """The SHA-256 of a backbone's config and of names, types, shapes and bits of its weights, 64 hexadecimal digits.

    Two backbones with the same digest give the same features, up to the rounding of their device.
    """
    total = hashlib.sha256(json.dumps(asdict(backbone.config), sort_keys=True).encode())
    add_state(total, backbone)
    return total.hexdigest()
