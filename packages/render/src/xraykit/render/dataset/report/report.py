"""The quality report of a data set: what is in it, how it looks, and what should be looked at, as one HTML page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...storage.atomic_write import check_folder, write_atomically
from ..format.manifest import Manifest
from ..read.shards import checked_manifest, whole_shards
from ..read.store import ShardStore
from ..read.xray_sample import XraySample
from .page import CaptionedPicture, bars, columns, findings, intensity_plot, page, pairs, pictures, section
from .survey import Finding, SampleFacts, Survey, read_again, survey
from .thumbnails import choose, thumbnail

MOST_PAIRS = 24
_LOOKED_FOR = (
    "Labels without a pixel",
    "Tools without a pixel",
    "Images without any mask",
    "Saturated, black or empty images",
)


@dataclass(frozen=True)
class DatasetReport:
    """What a report says in numbers.

    Args:
        path: The page.
        samples: Images in the data set.
        findings: {what was looked for: how often it was found}.
        damaged: (name, sentence) of each shard that is not whole and was left out.
    """

    path: Path
    samples: int
    findings: Mapping[str, int]
    damaged: tuple[tuple[str, str], ...] = ()


def dataset_report(
    address: str | Path,
    output: str | Path,
    *,
    masks: bool = False,
    each: int = 2,
    storage_options: Mapping[str, Any] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> DatasetReport:
    """Write a page about a data set: one file that needs no network and runs no scripts.

    It has the numbers of images by region, view, label, tool and split; histograms of intensity by region; a contact
    sheet; and lists of near-duplicates (within one view of one region), patients in several splits, labels, tools and
    images without a mask, images that are black, open beam or saturated, patients that the job left out, and shards
    that are not whole, which are left out.
    The same data set gives the same page.

    Args:
        address: Folder, or fsspec address.
        output: The .html file to write.
        masks: Draw the masks over the pictures of the contact sheet.
        each: Pictures of every view of every region.
        storage_options: For fsspec.
        report: Told (images read, images in all).

    Raises:
        FileError: No data set there, or no shard that is whole; `check_dataset` says all that is wrong.
        InputError: each below 1, or another file type.
        OutputError: The page could not be written.
    """
    output = Path(output)
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"the report must be an .html file, got {output}.")
    if each < 1:
        raise InputError(f"each must be 1 or more pictures, got {each}.")
    check_folder(output)
    store = ShardStore(str(address), dict(storage_options or {}))
    manifest = checked_manifest(store)
    whole, damaged = whole_shards(store, manifest.shards)
    manifest = replace(manifest, shards=whole)
    found = survey(store, manifest, report=report)
    twins, chosen = found.duplicates(), choose(found.rows, each=each)
    shown = twins[:MOST_PAIRS]
    samples = read_again(store, manifest, [*chosen, *(row for one, other, _ in shown for row in (one, other))])
    lists = {**_lists(found, manifest), "Shards that are damaged": [Finding(*one) for one in damaged]}
    sections = [
        section("Counts of images", columns(_counts(found))),
        section("Intensity relative to air, by region", columns(_histograms(found))),
        *_contact_sheet(chosen, samples, masks=masks),
        _duplicates(shown, len(twins), samples),
        section("To be looked at", *(findings(title, entries) for title, entries in lists.items())),
    ]
    text = page(f"Data set {Path(str(address)).name}", _facts(found, manifest), sections)
    write_atomically(output, lambda file: file.write(text.encode()))
    numbers = {"Near-duplicates": len(twins)} | {title: len(entries) for title, entries in lists.items()}
    return DatasetReport(output, len(found.rows), numbers, damaged)


def _facts(found: Survey, manifest: Manifest) -> dict[str, str]:
    size = sum(shard.bytes for shard in manifest.shards)
    return {
        "images": f"{len(found.rows)} of {len({row.patient for row in found.rows})} patients",
        "shards": f"{len(manifest.shards)}, {size / 1e6:.1f} MB",
        "job": "finished" if manifest.complete else "not finished: more shards will come",
        "SHA-256 of the configuration": manifest.config_sha256,
        "made by": ", ".join(f"{name} {version}" for name, version in manifest.versions.items()),
    }


def _counts(found: Survey) -> list[str]:
    patients: dict[str, set[int]] = defaultdict(set)
    for row in found.rows:
        patients[row.split].add(row.patient)
    return [
        bars("Region", Counter(row.region for row in found.rows)),
        bars("Split", Counter(row.split for row in found.rows))
        + bars("Patients by split", {split: len(numbers) for split, numbers in patients.items()})
        + bars("Tool", found.tools),
        bars("View", Counter(row.view for row in found.rows)),
        bars("Label", found.labels),
    ]


def _histograms(found: Survey) -> list[str]:
    return [intensity_plot(region, found.histograms[region]) for region in sorted(found.histograms)]


def _contact_sheet(chosen: list[SampleFacts], samples: Mapping[str, XraySample], *, masks: bool) -> list[str]:
    regions: dict[str, list[CaptionedPicture]] = defaultdict(list)
    for row in chosen:
        regions[row.region].append(
            CaptionedPicture(thumbnail(samples[row.key], masks=masks), f"{row.view} · {row.key}")
        )
    title = "Contact sheet with masks" if masks else "Contact sheet"
    return [section(f"{title}: {region}", pictures(figures)) for region, figures in regions.items()]


def _duplicates(
    shown: list[tuple[SampleFacts, SampleFacts, int]], total: int, samples: Mapping[str, XraySample]
) -> str:
    if not shown:
        return section("Near-duplicates", '<p class="good">none</p>')
    figures = []
    for one, other, distance in shown:
        words = f"{one.view} · {distance} of 143 bits differ"
        figures.append(
            (
                CaptionedPicture(thumbnail(samples[one.key], masks=False), f"{one.key} · {one.split}"),
                CaptionedPicture(thumbnail(samples[other.key], masks=False), f"{other.key} · {other.split} · {words}"),
            )
        )
    note = f'<p class="soft">{total} pairs within one view of one region; the closest {len(shown)} are shown.</p>'
    return section("Near-duplicates", note, pairs(figures))


def _lists(found: Survey, manifest: Manifest) -> dict[str, list[Finding]]:
    skipped = [Finding(f"patient {one.patient}", one.reason) for shard in manifest.shards for one in shard.skipped]
    return {
        "Patients in more than one split": found.leaks(),
        **{title: found.findings.get(title, []) for title in _LOOKED_FOR},
        "Patients that the job left out": skipped,
    }
