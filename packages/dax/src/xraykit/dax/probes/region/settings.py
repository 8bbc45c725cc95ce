"""Names of the region probe's classifiers; no torch, so that commands load fast."""

from __future__ import annotations

from typing import Literal

RegionHead = Literal["linear", "published", "knn"]
REGION_HEADS: tuple[RegionHead, ...] = ("linear", "published", "knn")
