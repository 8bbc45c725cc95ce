"""Backbones on disk and by name: weights never come without the preprocessing that they were trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.weights import HubFile, WeightsKind, fill_module, find_weights, load_weights, save_weights

from ..data.settings import PreprocessSettings
from .backbone import Backbone, new_backbone
from .backbone_config import BackboneConfig
from .published import read_published
from .timm_weights import timm_backbone

BACKBONE = WeightsKind("xray backbone", "xraykit-dax", libraries=("xraykit-render", "torch", "timm"))
SHIPPED = Path(__file__).parent.parent / "shipped"
_OWNER = "joshua-scheuplein"
# The paper's models on the hub: name, repository, file.
PUBLISHED: dict[str, HubFile] = {
    f"DAX-{model}-v{version}": HubFile(
        f"{_OWNER}/DAX-{model}-{version}", f"dax-checkpoint-{model.lower()}-version-{version.lower()}.pth"
    )
    for model, versions in {
        "ResNet18": "A",
        "ResNet50": "AB",
        "ViT-T-16": "A",
        "ViT-T-8": "A",
        "ViT-S-16": "AB",
        "ViT-S-8": "A",
    }.items()
    for version in versions
}
_NOTHING: Mapping[str, object] = {}


def save_backbone(
    backbone: Backbone, folder: str | Path, *, trained_on: Mapping[str, Any] = _NOTHING, half: bool = False
) -> Path:
    """Write model.safetensors and config.json to `folder` (made if need be), see `save_weights`.

    Args:
        backbone: On any device; the names stored are those of the published backbones.
        folder: Where to; the two files in it are replaced.
        trained_on: What it learned from, anything that JSON holds; empty is what the backbone says of itself.
        half: Store float16: half the size, three digits.

    Returns:
        The path of the weights.

    Raises:
        OutputError: The folder cannot be made or written.
        InputError: `trained_on` is no JSON.
    """
    return save_weights(
        folder,
        backbone.network.state_dict(),
        BACKBONE,
        config=asdict(backbone.config),
        trained_on=trained_on or backbone.trained_on,
        half=half,
    )


def load_backbone(source: str | Path, **published: Any) -> Backbone:
    """A backbone in evaluation mode on the CPU, with its preprocessing in `config.preprocess`.

    Args:
        source: One of
            - a folder of `save_backbone`, its .safetensors file, or a hub id `org/name[/file][@revision]`,
            - "shipped", the small one that comes with this package,
            - a name in PUBLISHED such as "DAX-ViT-T-16-vA", downloaded, or a published .pth file,
            - "timm:NAME", timm's pretrained weights (ImageNet), folded to one channel,
            - "random:ARCHITECTURE", untrained, seed 0, as a control.
        published: options of `read_published` for a published file.

    Raises:
        FileError: Nothing there, not readable, or weights that do not fit; each says which.
        InputError: Options for published files with another source.
    """
    text = str(source)
    kind, colon, name = text.partition(":")
    if colon and kind in ("random", "timm"):
        _refuse(published, text)
        return timm_backbone(name) if kind == "timm" else new_backbone(BackboneConfig(name), seed=0).eval()
    if text == "shipped":
        source = SHIPPED
        if not (SHIPPED / "model.safetensors").is_file():
            raise FileError(
                "the backbone that ships with xraykit-dax must lie in its folder shipped, got an installation without "
                "it; install the wheel, or name other weights."
            )
    path = PUBLISHED[text].download() if text in PUBLISHED else find_weights(source, what=f"an {BACKBONE.name}")
    if path.suffix != ".safetensors":
        return read_published(path, **published)
    _refuse(published, str(path))
    return _own(path)


def _own(path: Path) -> Backbone:
    saved = load_weights(path, BACKBONE)
    try:
        settings = dict(saved.config)
        config = BackboneConfig(**{**settings, "preprocess": PreprocessSettings(**settings["preprocess"])})
        backbone = new_backbone(config, seed=0)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{path} must carry a complete config, got one that is not ({error}); save it again, or update xraykit-dax."
        ) from error
    fill_module(backbone.network, saved.state, source=str(path), wanted=f"the weights of {config.architecture}")
    backbone.trained_on = dict(saved.trained_on)
    return backbone.eval()


def _refuse(published: Mapping[str, Any], source: str) -> None:
    if published:
        raise InputError(f"{source} states its own config; leave {', '.join(sorted(published))} out.")
