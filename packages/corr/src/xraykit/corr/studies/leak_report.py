"""What was made and whether anything but the X-rays tells the label: studies.json and studies.md beside the studies."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

from xraykit.render.evaluation import EvaluationReport, markdown_table, write_evaluation
from xraykit.render.storage import to_plain

from .fracture_studies import FractureStudies
from .settings import FractureStudySettings


def fracture_report(made: FractureStudies) -> EvaluationReport:
    """Counts by split, the checks for leaks, and the twins."""
    return EvaluationReport(
        sections=(_counts(made), _checks(made), *_twins(made)),
        numbers={
            "studies": len(made.studies),
            "positive": sum(study.label for study in made.studies),
            "decoys": sorted(made.decoys),
            "left_out": dict(made.left_out),
            "leaks": {check.name: [check.auroc, check.low, check.high] for check in made.checks},
            "twins": None if made.twins is None else asdict(made.twins),
        },
        notes=tuple(f"{name} was left out: {reason}." for name, reason in made.left_out[:20]),
        title="Fracture studies",
    )


def write_fracture_report(made: FractureStudies, settings: FractureStudySettings) -> tuple[Path, Path]:
    """Write studies.json and studies.md beside the manifest."""
    return write_evaluation(made.manifest.parent, fracture_report(made), settings=to_plain(settings), stem="studies")


def _counts(made: FractureStudies) -> str:
    rows = []
    for split in sorted({study.split for study in made.studies}):
        inside = [study for study in made.studies if study.split == split]
        by_label = Counter(study.label for study in inside)
        with_decoy = Counter(study.label for study in inside if study.name in made.decoys)
        cells = [by_label[1], with_decoy[1], by_label[0], with_decoy[0], sum(len(study.images) for study in inside)]
        rows.append([split, *map(str, cells)])
    return markdown_table(["split", "broken", "with a decoy", "not broken", "with a decoy", "X-rays"], rows)


def _checks(made: FractureStudies) -> str:
    rows = [
        [check.name, f"{check.auroc:.3f}", f"{check.low:.3f} to {check.high:.3f}", "yes" if check.tells else "no"]
        for check in made.checks
    ]
    table = markdown_table(["a probe that sees only the", "AUROC", "95 %", "tells the label"], rows)
    return f"Whether anything but the X-rays tells the label (0.5 is not at all):\n\n{table}"


def _twins(made: FractureStudies) -> tuple[str, ...]:
    if made.twins is None:
        return ()
    twins = made.twins
    return (
        f"Twins, the same person with and without a fracture: their correspondences differ by {twins.mean:.5f} in the "
        f"mean of all entries ({twins.twins} twins), those of two persons by {twins.scale:.5f}; "
        f"{100 * twins.changed:.1f} % of the entries that are not 0 differ by more than 0.05.\n",
    )
