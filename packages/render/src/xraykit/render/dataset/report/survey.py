"""What a data set holds, counted sample by sample, and what about it should be looked at."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..format.manifest import Manifest
from ..read.store import ShardStore
from ..read.tar import raw_samples
from ..read.xray_sample import IMAGE, MASKS, RECORD, XraySample, decode_sample
from .duplicates import alike, perceptual_hash

BINS, DARKEST, BRIGHTEST = 64, 8.0, -0.5
"""Histograms are over -ln(intensity): 64 bins from BRIGHTEST to DARKEST, what lies beyond counted in the last ones."""

MOST_BITS = 10
"""Of 143: a view taken again with other noise differs in 9 at 3,000 photons per pixel, other views in 30 and more."""

_NEARLY_ALL, _HALF, _NOTHING, _OPEN = 0.95, 0.5, 6.0, 0.1


@dataclass(frozen=True)
class Finding:
    """One thing about one sample or patient that should be looked at."""

    about: str
    what: str


@dataclass(frozen=True)
class SampleFacts:
    """Where a sample lies, and what the page needs of it."""

    key: str
    shard: int
    place: int
    split: str
    patient: int
    region: str
    view: str
    hash: NDArray[np.bool_] | None = field(repr=False, default=None)


@dataclass
class Survey:
    """Counts over the samples seen so far.

    Args:
        rows: One for each sample.
        labels: Images that show each organ.
        tools: Images that show each tool; numbers of equal tools in one image (screw_2) are left out.
        histograms: Pixels inside the collimator by -ln(intensity), for each region.
        findings: {heading: what was found}.
    """

    rows: list[SampleFacts] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, NDArray[np.int64]] = field(default_factory=lambda: defaultdict(lambda: np.zeros(BINS, int)))
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: XraySample, shard: int, place: int) -> None:
        """Count one more sample."""
        seen = sample.open_field
        dark = sample.log_attenuation()[0][seen]
        self.histograms[sample.region] += histogram(dark)
        flaw = exposure_flaw(sample.image[0][seen], dark)
        if flaw:
            self.findings["Saturated, black or empty images"].append(Finding(sample.key, flaw))
        self._count_masks(sample)
        code = None if flaw else perceptual_hash(sample.intensity())
        self.rows.append(
            SampleFacts(sample.key, shard, place, sample.split, sample.patient, sample.region, sample.view, code)
        )

    def _count_masks(self, sample: XraySample) -> None:
        seen = {"organ": set(), "tool": set()}
        for name, kind, area in zip(sample.names, sample.kinds, sample.areas.tolist(), strict=True):
            if area:
                seen.setdefault(kind, set()).add(name)
        self.labels.update(seen["organ"])
        self.tools.update({unnumbered(name) for name in seen["tool"]})
        listed = {str(name) for name in sample.record.get("labels") or []}
        listed |= {name for name, kind in zip(sample.names, sample.kinds, strict=True) if kind == "organ"}
        for name in sorted(listed - seen["organ"]):
            self.findings["Labels without a pixel"].append(Finding(sample.key, name))
        for tool in sample.record.get("tools") or []:
            if str(tool.get("name")) not in seen["tool"]:
                self.findings["Tools without a pixel"].append(Finding(sample.key, str(tool.get("name"))))
        if not seen["organ"] and not seen["tool"]:
            self.findings["Images without any mask"].append(Finding(sample.key, f"{sample.region}, {sample.view}"))

    def leaks(self) -> list[Finding]:
        """Patients that are in more than one split."""
        splits: dict[int, Counter[str]] = defaultdict(Counter)
        for row in self.rows:
            splits[row.patient][row.split] += 1
        return [
            Finding(f"patient {patient}", ", ".join(f"{count} in {split}" for split, count in found.items()))
            for patient, found in sorted(splits.items())
            if len(found) > 1
        ]

    def duplicates(self) -> list[tuple[SampleFacts, SampleFacts, int]]:
        """Pairs of samples of one region and view whose hashes differ in `MOST_BITS` at most, the closest first."""
        groups: dict[tuple[str, str], list[SampleFacts]] = defaultdict(list)
        for row in self.rows:
            if row.hash is not None:
                groups[row.region, row.view].append(row)
        pairs = [
            (rows[i], rows[j], distance)
            for rows in groups.values()
            for i, j, distance in alike(np.stack([row.hash for row in rows if row.hash is not None]), most=MOST_BITS)
        ]
        return sorted(pairs, key=lambda pair: (pair[2], pair[0].key, pair[1].key))


def survey(store: ShardStore, manifest: Manifest, *, report: Callable[[int, int], None] | None = None) -> Survey:
    """Read every sample once.

    Args:
        store: Where the shards are.
        manifest: Which they are.
        report: Told (images read, images in all).

    Raises:
        FileError: A shard or sample that cannot be read.
    """
    found, done, total = Survey(), 0, sum(shard.samples for shard in manifest.shards)
    for number, shard in enumerate(manifest.shards):
        where = f"{store.address}/{shard.name}"
        with store.open(shard.name) as (file, size):
            for raw in raw_samples(file, size, where=where, extensions={RECORD, IMAGE}):
                found.add(decode_sample(raw, where=where), number, raw.index)
                done += 1
                if report is not None:
                    report(done, total)
    return found


def read_again(store: ShardStore, manifest: Manifest, rows: list[SampleFacts]) -> dict[str, XraySample]:
    """The samples of some rows, with masks, by key."""
    places: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        places[row.shard].add(row.place)
    samples = {}
    for number, wanted in sorted(places.items()):
        name = manifest.shards[number].name
        where = f"{store.address}/{name}"
        with store.open(name) as (file, size):
            for raw in raw_samples(file, size, where=where, wanted=wanted, extensions={RECORD, IMAGE, MASKS}):
                samples[raw.key] = decode_sample(raw, where=where)
    return samples


def histogram(log_attenuation: Tensor) -> NDArray[np.int64]:
    """Pixels in each of the bins of -ln(intensity)."""
    share = (log_attenuation - BRIGHTEST) / (DARKEST - BRIGHTEST)
    return np.bincount((share * BINS).long().clamp(0, BINS - 1).flatten().numpy(), minlength=BINS)


def exposure_flaw(image: Tensor, log_attenuation: Tensor) -> str:
    """What is wrong with the exposure of an image, or nothing.

    Args:
        image: Its pixels inside the collimator in [0, 1], (n,).
        log_attenuation: The same as -ln(intensity), (n,).
    """
    if not image.numel():
        return "the collimator leaves no pixel open"
    shares = {
        f"of the pixels get less than {np.exp(-_NOTHING):.2g} of the beam": (log_attenuation > _NOTHING, _NEARLY_ALL),
        "of the pixels are open beam": (log_attenuation.abs() < _OPEN, _NEARLY_ALL),
        "of the pixels are at an end of the 16-bit range": ((image <= 0) | (image >= 1), _HALF),
    }
    for what, (pixels, most) in shares.items():
        share = float(pixels.float().mean())
        if share >= most:
            return f"{100 * share:.0f} % {what}"
    return ""


def unnumbered(name: str) -> str:
    """The name without the number that tells equal tools of one image apart."""
    return re.sub(r"_\d+$", "", name)
