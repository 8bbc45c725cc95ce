"""Whether what is flagged is also called by its name: another patient or region, mirrored, inverted, a wrong camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xraykit.xvr.trust.doubts import LARGELY
from xraykit.xvr.trust.other_ways import other_ways

from ..common.kept_rows import KeptRows
from .xvr_trust_cases import (
    CAMERAS,
    INVERTED,
    MIRRORED,
    NEVER,
    STRANGER,
    Case,
    bodies_of,
    cases_of,
    settings_for,
)

Row = dict[str, Any]
SAID = {MIRRORED: "mirrored left to right", INVERTED: "bone and air exchanged"}  # part of the sentence of each way


def ways_of(case: Case) -> list[str]:
    """Which ways of turning the picture the command would say explain the failure of a case."""
    named = bodies_of(*case.body)
    sentences = other_ways((case.shot,), named.rendered, case.start[None], settings_for())
    return [way for way, words in SAID.items() if any(words in sentence for sentence in sentences)]


def named_reasons(
    rows: Sequence[Row], kept: Path, *, threshold: float, flagged: float, contradicted: float
) -> dict[str, dict[str, Any]]:
    """For each kind of mistake: cases, how many are flagged, and how many of these are called by their name.

    Of another patient's CT the sentence must say that it is alike in the large, of another region's that it is not; of
    a mirrored or inverted picture that it fits turned; of a wrong camera that SDD or spacing do not fit the X-ray.

    Args:
        rows: Rows with their chance.
        kept: Folder of the cases, and of which ways of turning their pictures were said.
        threshold: The largest error that counts as success [mm].
        flagged: Chances below it are failures.
        contradicted: Standard deviations from which a move of the SDD is said.
    """
    known, found, seen = KeptRows(kept / "ways.jsonl"), {}, dict[tuple[str, int], int]()
    for row in rows:
        key = (row["patient"], row["xray"])
        place = seen[key] = seen.get(key, -1) + 1
        if row["kind"] not in (*NEVER, *CAMERAS) or row["error"] <= threshold:
            continue
        group = found.setdefault("wrong camera" if row["kind"] in CAMERAS else row["kind"], [0, 0, 0])
        group[0] += 1
        if row["chance"] < flagged:
            group[1] += 1
            group[2] += _is_named(row, place, known, kept, contradicted)
    return {kind: dict(zip(("cases", "flagged", "named"), counts, strict=True)) for kind, counts in found.items()}


def _is_named(row: Row, place: int, known: KeptRows, kept: Path, contradicted: float) -> bool:
    """Whether what is said of a flagged row is what it is; the ways of its picture are tried once and kept."""
    if row["kind"] in CAMERAS:
        return row["sdd_deviations"] > contradicted
    if row["kind"] not in SAID:
        return (row["ncc"] >= LARGELY) is (row["kind"] == STRANGER)
    names = {"patient": row["patient"], "xray": row["xray"], "place": place}
    tried = known.find(**names)
    if tried is None:
        tried = {**names, "ways": ways_of(cases_of(kept, row["patient"], row["xray"])[place])}
        known.add(tried)
    return row["kind"] in tried["ways"]
