"""Small X-rays of two blobs with the points that show the same, and a matcher to go on from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from xraykit.corr.data import (
    AnnotatedPair,
    AnnotatedPoint,
    AnnotatedSample,
    AnnotatedView,
    Annotations,
    write_annotations,
)
from xraykit.corr.network import MatcherConfig, TrunkNorm, new_matcher, save_matcher

EDGE = 64


def blobs(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """An intensity with a wide and a narrow dark blob, and where they are, (x, y)."""
    y, x = np.mgrid[:EDGE, :EDGE] + 0.5
    places = [tuple(rng.uniform(10, EDGE - 10, 2).tolist()) for _ in range(2)]
    lines = sum(
        height * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * width**2))
        for (px, py), width, height in zip(places, (7.0, 3.0), (1.0, 2.0), strict=True)
    )
    return (60_000 * np.exp(-lines) + rng.normal(0, 100, lines.shape)).clip(1, 65535).astype(np.uint16), places


def annotated(folder: Path, *, samples: int = 6, splits: tuple[str, ...] = ("train",), seed: int = 0) -> Path:
    """An annotation file with images beside it; each sample is a patient."""
    rng, made = np.random.default_rng(seed), []
    for number in range(samples):
        views, places = [], []
        for side in "ab":
            pixels, where = blobs(rng)
            Image.fromarray(pixels).save(folder / f"{number}{side}.png")
            views.append(AnnotatedView(f"{number}{side}.png", (EDGE, EDGE)))
            places.append(where)
        matches = [AnnotatedPoint(a, b, True) for a, b in zip(*places, strict=True)]
        others = [AnnotatedPoint(places[0][n], places[1][1 - n], False, negative_source="annotator") for n in (0, 1)]
        pair = AnnotatedPair((0, 1), (*matches, *others))
        made.append(AnnotatedSample(f"s{number}", f"p{number}", splits[number % len(splits)], tuple(views), (pair,)))
    return write_annotations(Annotations(tuple(made), folder), folder / "points.json")


def small_matcher(folder: Path, *, norm: TrunkNorm = "group") -> Path:
    """The folder of an untrained matcher of 64 px and 8 x 8 patches."""
    config = MatcherConfig(
        "mini", stride=8, image_size=EDGE, dimension=32, layers=1, heads=4, norm=norm, preprocess={"size": EDGE}
    )
    save_matcher(new_matcher(config, seed=0), folder, trained_on={"nothing": True})
    return folder
