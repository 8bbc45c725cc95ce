"""`xraykit dax probe`: what frozen backbones know, told by three probes over folds of patients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from xraykit.render.commands import LeftOut, flat, say_left_out, stages

from ..probes.settings import MetalProbeSettings, RegionProbeSettings, ScrewProbeSettings

if TYPE_CHECKING:
    from ..probes.report import ProbeReport

COUNTED = {"features": "images", "classifiers": "fits", "heads": "steps", "detectors": "steps"}
"""In each stage of a probe."""


def region(settings: RegionProbeSettings) -> int:
    """Tell the region of the body from frozen features.

    Two backbones and a control, on a data set whose samples state their region:

        xraykit dax probe region dataset/ run/weights shipped random:vit_tiny16
            -o regions/

    On your own images, with a .csv list of the columns path, patient, label:

        xraykit dax probe region images.csv run/weights -o regions/

    Classifiers are taught on some patients and judged on others. DIR then holds
    report.html (scores with 95 % intervals, differences with p values,
    confusions), the same as report.md and report.json, and rows.csv, a row for
    each image.

    Args:
        settings: The options.
    """
    from ..probes.run_region import probe_regions

    left_out = LeftOut()
    with stages(COUNTED) as report:
        found = probe_regions(settings, report=report, say=_tell, left_out=left_out)
    _say(*found)
    return say_left_out(left_out.found)


def metal(settings: MetalProbeSettings) -> int:
    """Tell the pixels of metal from frozen feature maps.

    On a data set with masks of its tools:

        xraykit dax probe metal dataset/ run/weights timm:resnet50 -o metal/

    On your own images, with a .csv list of the columns path, patient, mask:

        xraykit dax probe metal images.csv run/weights -o metal/

    A linear head on the maps of all depths is taught on some patients and judged
    by Dice on others. DIR then holds report.html with pictures, report.md,
    report.json and rows.csv.

    Args:
        settings: The options.
    """
    from ..probes.run_metal import probe_metal

    left_out = LeftOut()
    with stages(COUNTED) as report:
        found = probe_metal(settings, report=report, say=_tell, left_out=left_out)
    _say(*found)
    return say_left_out(left_out.found)


def screws(settings: ScrewProbeSettings) -> int:
    """Find heads and tips of screws from frozen feature maps.

    On a data set with screws, whose samples say where their ends are:

        xraykit dax probe screws dataset/ run/weights random:vit_tiny16 -o screws/

    A sparse deformable DETR on the frozen maps is taught on some patients and
    judged by mAP and mAR of keypoints on others. DIR then holds report.html with
    pictures, report.md, report.json and rows.csv.

    Args:
        settings: The options.
    """
    from ..probes.run_screws import probe_screws

    left_out = LeftOut()
    with stages(COUNTED) as report:
        found = probe_screws(settings, report=report, say=_tell, left_out=left_out)
    _say(*found)
    return say_left_out(left_out.found)


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


def _say(report: ProbeReport, written: tuple[Path, ...]) -> None:
    from xraykit.render.evaluation import markdown_table

    for table in report.tables:
        print(f"\n{table.caption}\n\n{markdown_table(table.head, table.rows)}", end="")
    for note in report.notes:
        print(f"note: {note}")
    print("wrote " + ", ".join(str(path) for path in written))


app = App(name="probe", help="Tell what frozen backbones know, with frozen features and simple heads.")
app.command(flat(region, RegionProbeSettings), name="region")
app.command(flat(metal, MetalProbeSettings), name="metal")
app.command(flat(screws, ScrewProbeSettings), name="screws")
