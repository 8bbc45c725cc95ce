"""Settings of the pictures: the options of `xraykit dax look`; no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..embedding.settings import BackboneRunSettings, XraySourceSettings

PlaneMethod = Literal["pca", "umap"]
"""How features become points of a plane."""


@dataclass(frozen=True)
class LookSettings:
    """Pictures of what a backbone sees in X-rays."""

    xrays: XraySourceSettings
    output: Path = field(kw_only=True, metadata={"short": "-o"})
    """Folder for the pictures; made if need be."""
    run: BackboneRunSettings = field(default_factory=BackboneRunSettings)
    attention: bool = field(default=True, metadata={"negative": "--no-attention"})
    """Where the backbone looks: attention of the CLS token, or of a ResNet the size of its last map."""
    patches: bool = field(default=True, metadata={"negative": "--no-patches"})
    """What it takes for alike: patches coloured by their three principal components, the same for all X-rays."""
    projection: PlaneMethod = "pca"
    """How the picture of all X-rays is made; umap needs the extra `umap`."""
    labels: tuple[str, ...] = ("region", "view")
    """What to colour that picture by, of what data set jobs and tables of X-rays state; the flag once for
    each."""
    before: str | None = None
    """Another backbone to show beside it: weights as for --weights, or `untrained`."""
    seed: int = 0
    """Of UMAP and of an untrained backbone."""
