"""X-rays in, pictures of what a backbone sees in them out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError
from xraykit.render.extras import require
from xraykit.render.pictures import save_png
from xraykit.render.storage import check_result_folder, make_folder
from xraykit.render.training import check_positive

from ..embedding.embed_xrays import open_embedder, open_xrays
from ..embedding.network_inputs import InputFacts
from ..network.backbone import Backbone, new_backbone
from ..predictor import XrayEmbedder
from .patches import PatchColours, patch_colours
from .projection import plane_of, require_umap
from .scatter import plot_planes
from .seen_xrays import SeenXrays, see
from .settings import LookSettings
from .sheet import xray_sheet

PLANE, UNTRAINED = "embedding.png", "untrained"
FITTED = 64  # X-rays that the colour code is fitted to


@dataclass(eq=False)
class LookPictures:
    """What `look` wrote: a sheet for each X-ray, in order, the plane of all of them, and what is to be said.

    Args:
        sheets: Files.
        plane: The picture of all features, None of a single X-ray.
        notes: What was assumed, with the number of X-rays that it concerns.
        skipped: Name of each damaged X-ray and what is wrong with it.
    """

    sheets: list[Path] = field(default_factory=list)
    plane: Path | None = None
    notes: dict[str, int] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, folder: Path, fact: InputFacts, sheet: NDArray[np.uint8]) -> None:
        """Write a sheet under the X-ray's name, made into one for a file; of equal names the next gets a number.

        Raises:
            OutputError: The folder cannot be made or written.
        """
        if not self.sheets:
            make_folder(folder)
            self._taken = {PLANE.lower()}
        stem = re.sub(r"[^\w.#-]+", "_", fact.name).strip("._")[-120:] or "xray"
        names = (f"{stem}{more}.png" for more in ("", *(f"_{n}" for n in range(2, len(self.sheets) + 4))))
        name = next(name for name in names if name.lower() not in self._taken)
        self._taken.add(name.lower())
        self.sheets.append(save_png(folder / name, sheet))
        for note in fact.notes:
            self.notes[note] = self.notes.get(note, 0) + 1


def look(settings: LookSettings, *, report: Callable[[int, int], None] | None = None) -> LookPictures:
    """Write a sheet of pictures for each X-ray, and of two X-rays or more a picture of all their features.

    Args:
        settings: All there is to say.
        report: Called with (X-rays done, X-rays in all); every X-ray counts once for each time that it is read.

    Raises:
        InputError: No X-rays, or an option outside its range.
        FileError: Weights or an X-ray that cannot be read. OutputError: The folder cannot be written.
        BackendUnavailableError: matplotlib (of several X-rays) or umap-learn is needed and not installed.
    """
    check_positive(settings.run, ("batch",))
    if settings.before == settings.run.weights:
        raise InputError(f"--before must be another backbone than --weights, got {settings.before!r} twice.")
    check_result_folder(settings.output)
    embedder = open_embedder(settings.run)
    xrays = open_xrays(settings.xrays, embedder.backbone)
    before = _before(settings, embedder.backbone)
    if len(xrays) > 1:
        require("matplotlib.figure", extra="evaluate", distribution="xraykit-dax", what="a picture of all X-rays")
        if settings.projection == "umap":
            require_umap()
    few = len(xrays) <= FITTED
    tally = _Tally(report, len(xrays) * (1 if before is None else 2) + (FITTED if settings.patches and not few else 0))
    seen = see(embedder, xrays, batch=settings.run.batch, tell=tally.add)
    code = None
    if settings.patches:
        seen = list(seen) if few else seen  # of few, every X-ray is seen once
        code = _colour_code(seen if few else see(embedder, xrays, batch=1, most=FITTED, tell=tally.add))
    result, features, facts = LookPictures(), [], []
    for one in seen:
        for fact, sheet in _sheets(one, embedder.backbone, code, attention=settings.attention):
            result.keep(settings.output, fact, sheet)
        features.append(one.pooled)
        facts += one.batch.facts
        result.skipped += one.batch.skipped
    if not facts:
        raise InputError(f"at least one X-ray must be readable, got {len(xrays)} damaged ones; nothing was written.")
    vectors = {settings.run.weights: np.concatenate(features)}
    if before is not None:
        again = open_xrays(
            settings.xrays, before.backbone
        )  # without --field, its preprocessing may look at another part of an X-ray
        earlier = see(before, again, batch=settings.run.batch, tell=tally.add)
        vectors = {str(settings.before): np.concatenate([one.pooled for one in earlier]), **vectors}
    result.plane = _plane(settings, vectors, facts)
    return result


class _Tally:
    """Counts X-rays over all times that they are read."""

    def __init__(self, report: Callable[[int, int], None] | None, total: int) -> None:
        self.report, self.total, self.done = report, total, 0
        self.add(0)

    def add(self, more: int) -> None:
        self.done += more
        if self.report is not None:
            self.report(self.done, self.total)


def _before(settings: LookSettings, backbone: Backbone) -> XrayEmbedder | None:
    if settings.before is None:
        return None
    untrained = settings.before == UNTRAINED
    other = new_backbone(backbone.config, seed=settings.seed) if untrained else settings.before
    return open_embedder(settings.run, other)


def _colour_code(seen: Iterable[SeenXrays]) -> PatchColours | None:
    """Fitted to all patches; None where every X-ray is damaged."""
    pairs = [pair for one in seen for pair in zip(one.patches, one.texture, strict=True)]
    return patch_colours([maps for maps, _ in pairs], [rough for _, rough in pairs]) if pairs else None


def _sheets(
    seen: SeenXrays, backbone: Backbone, code: PatchColours | None, *, attention: bool
) -> Iterator[tuple[InputFacts, NDArray[np.uint8]]]:
    pictures = seen.batch.pictures(backbone.config.preprocess).numpy()
    for n, fact in enumerate(seen.batch.facts):
        yield (
            fact,
            xray_sheet(
                pictures[n],
                name=fact.name,
                attention=seen.attention[n] if attention else None,
                has_heads=seen.has_heads,
                colours=None if code is None else code.paint(seen.patches[n]),
                foreground=None if code is None else code.foreground(seen.patches[n]),
            ),
        )


def _plane(settings: LookSettings, vectors: Mapping[str, NDArray[np.float32]], facts: list[InputFacts]) -> Path | None:
    """The picture of all features; none of a single X-ray, nor of three by UMAP, which needs four."""
    if len(facts) < (4 if settings.projection == "umap" else 2):
        return None
    planes = {
        f"{title} ({settings.projection.upper()})": plane_of(values, settings.projection, seed=settings.seed)
        for title, values in vectors.items()
    }
    labels = {kind: [fact.labels.get(kind, "") for fact in facts] for kind in settings.labels}
    labels = {kind: classes for kind, classes in labels.items() if any(classes)}
    return plot_planes(planes, labels, settings.output / PLANE)
