"""`xraykit corr studies`: labelled studies of several X-rays, made or read from public data sets."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ..data.settings import TissueClass, TruthMode
from ..studies.settings import FractureStudySettings

if TYPE_CHECKING:
    from ..studies.study import LabelledStudy

Output = Annotated[Path, Parameter(alias="-o")]
_DEFAULT = FractureStudySettings()
MOST_NAMED = 10
"""Patients that are named when they are left out"""
app = App(name="studies", help="Labelled studies of several X-rays, for `xraykit corr classify`.")


@app.default
def studies(
    *jobs: Path,
    output: Output,
    decoys: float = _DEFAULT.decoys,
    min_images: int = _DEFAULT.min_images,
    grid: int = _DEFAULT.grid,
    mode: TruthMode = _DEFAULT.mode,
    tissue: TissueClass = _DEFAULT.tissue,
    balance: bool = False,
    twins: int = 0,
    seed: int = _DEFAULT.seed,
) -> None:
    """Make fracture studies of X-rays of procedural patients.

    Make the X-rays first; the plan says how many patients, how many of them
    broken, and in which standard views:

        xraykit dataset make examples/corr/fractures_small.yaml -o job/
        xraykit corr studies job/ -o out/

    out/studies.csv lists the studies, out/images holds their X-rays,
    out/correspondences.npz which patches truly correspond. Half of the
    studies, broken or not, have a decoy: a thin line in one view that the
    other view does not confirm. out/studies.md says whether anything but the
    X-rays tells which studies are broken: it should not.

    Other studies need a table only (columns study_id, patient_id, split,
    label, view_idx, path and, if known, projection), which mura, grazpedwri
    and fracatlas write for these data sets.

    Args:
        jobs: Folders of data sets of procedural patients, made with image.tissue.
        output: Folder for the studies; made if need be.
        decoys: How often a study has a line in one of its views that is no fracture.
        min_images: Patients with fewer views are left out.
        grid: Patches along an edge of an image, as the classifier's network has.
        mode: How much two patches correspond: share, hard or volume.
        tissue: What must lie in the beams of two patches for them to correspond.
        twins: So many patients are made anew with and without a fracture, to see whether the correspondence tells.
        balance: Leave studies out until each region of each split has as many broken as whole ones, so that neither
            the region nor what goes with it tells the label.
        seed: Of the decoys, and of what is left out.
    """
    from xraykit.render.commands import Tally

    from ..studies.fracture_studies import make_fracture_studies
    from ..studies.leak_report import fracture_report, write_fracture_report

    settings = FractureStudySettings(decoys, min_images, grid, mode, tissue, balance, seed)
    with Tally("X-rays") as tally:
        made = make_fracture_studies(jobs, output, settings, twins=twins, report=tally.report)
    write_fracture_report(made, settings)
    print("\n".join(fracture_report(made).sections))
    for name, reason in made.left_out[:MOST_NAMED]:
        print(f"xraykit: warning: {name} was left out: {reason}", file=sys.stderr)
    if len(made.left_out) > MOST_NAMED:
        more = len(made.left_out) - MOST_NAMED
        print(f"xraykit: warning: {more} more were left out, see studies.json", file=sys.stderr)
    for check in made.checks:
        if check.tells:
            print(
                f"xraykit: warning: the {check.name} tells the label: AUROC {check.auroc:.2f} "
                f"({check.low:.2f} to {check.high:.2f})" + ("" if balance else "; --balance evens the regions out"),
                file=sys.stderr,
            )
    print(f"wrote {made.manifest}: {len(made.studies)} studies, {len(made.decoys)} with a decoy")


@app.command
def mura(
    folder: Path,
    *,
    output: Output,
    regions: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    min_images: int = 2,
    val_share: float = 0.1,
    seed: int = 0,
) -> None:
    """Write the manifest of MURA v1.1 (get it from its owners).

        xraykit corr studies mura MURA-v1.1 -o mura.csv --regions WRIST HAND

    Positive is abnormal, which is more than fractured. The official validation
    set becomes the split "test".

    Args:
        folder: With train and valid.
        output: The manifest (CSV).
        regions: ELBOW, FINGER, FOREARM, HAND, HUMERUS, SHOULDER, WRIST; default: all.
        min_images: Studies with fewer X-rays are left out; the paper's selection is 3.
        val_share: Share of the training patients for the split "val".
        seed: Of their draw.
    """
    from ..studies.mura import MURA_REGIONS, mura_studies

    wanted = tuple(region.upper() for region in regions) or MURA_REGIONS
    _write(mura_studies(folder, regions=wanted, min_images=min_images, val_share=val_share, seed=seed), output)


@app.command
def grazpedwri(
    folder: Path,
    *,
    output: Output,
    min_images: int = 2,
    val_share: float = 0.1,
    test_share: float = 0.2,
    seed: int = 0,
) -> None:
    """Write the manifest of GRAZPEDWRI-DX: wrists of children, most in PA and lateral.

    Args:
        folder: With dataset.csv and the folders of images.
        output: The manifest (CSV).
        min_images: Studies with fewer X-rays are left out.
        val_share: Share of the patients for the split "val".
        test_share: Share of the patients for the split "test".
        seed: Of their draw.
    """
    from ..studies.grazpedwri import grazpedwri_studies

    found = grazpedwri_studies(folder, min_images=min_images, val_share=val_share, test_share=test_share, seed=seed)
    _write(found, output)


@app.command
def fracatlas(folder: Path, *, output: Output, val_share: float = 0.1, test_share: float = 0.2, seed: int = 0) -> None:
    """Write the manifest of FracAtlas: one X-ray a study, as its table names no patients.

    Args:
        folder: With dataset.csv and images.
        output: The manifest (CSV).
        val_share: Share of the X-rays for the split "val".
        test_share: Share of the X-rays for the split "test".
        seed: Of their draw.
    """
    from ..studies.fracatlas import fracatlas_studies

    found = fracatlas_studies(folder, val_share=val_share, test_share=test_share, seed=seed)
    both = sum("+" in study.images[0].projection for study in found)
    print(
        "xraykit: warning: FracAtlas names no patients, so that each X-ray is a study of its own; "
        f"{both} of {len(found)} show several projections in one picture. It suits --fusion single.",
        file=sys.stderr,
    )
    _write(found, output)


def _write(found: Sequence[LabelledStudy], output: Path) -> None:
    from ..studies.manifest import write_studies

    write_studies(found, output)
    for split in sorted({study.split for study in found}):
        inside = [study for study in found if study.split == split]
        images = sum(len(study.images) for study in inside)
        print(f"{split}: {len(inside)} studies, {sum(study.label for study in inside)} positive, {images} X-rays")
    print(f"wrote {output}")
