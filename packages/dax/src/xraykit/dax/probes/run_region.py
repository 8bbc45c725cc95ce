"""The region probe from settings to a folder: features, folds, rows, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from xraykit.render.commands import LeftOut
from xraykit.render.storage import held_folder, to_plain

from ..data.stage_told import StageTold
from .folds import grouped_folds
from .probe_backbones import open_stores, silent
from .region.region_probe import region_rows
from .region.region_report import region_report
from .report import ProbeReport, write_probe_report
from .settings import RegionProbeSettings


def probe_regions(
    settings: RegionProbeSettings,
    *,
    report: StageTold = silent,
    say: Callable[[str], None] | None = None,
    load: Callable[[str], nn.Module] | None = None,
    left_out: LeftOut | None = None,
) -> tuple[ProbeReport, tuple[Path, ...]]:
    """Judge backbones by how well a classifier tells regions of the body from their pooled features.

    Args:
        settings: All there is to say.
        report: Told of progress: what is being done, how much is done, how much there is.
        say: Called with sentences: how large the features will be.
        load: A backbone from its source; None is `network.load_backbone`.
        left_out: Takes damaged shards of a data set and images of a list that cannot be read, while the others are
            probed; None ends at the first image, and goes on without the shards.

    Returns:
        The report, and the files that it was written to.

    Raises:
        InputError: Settings outside their range, labels of one class, fewer patients than folds.
        FileError: Data or weights that cannot be read.
        OutputError: A folder that cannot be written to, or is in use by another process.
        BackendUnavailableError: matplotlib is not installed.
    """
    rows, left_out = [], left_out or LeftOut(none=True)
    with held_folder(settings.output) as output:
        for name, store in open_stores(settings, "region", report=report, say=say, load=load, left_out=left_out):
            folds = grouped_folds(store.patients, store.labels, folds=settings.folds, seed=settings.seed)
            rows += region_rows(
                store,
                folds,
                backbone=name,
                heads=settings.heads,
                neighbours=settings.neighbours,
                seed=settings.seed,
                report=lambda done, total, name=name: report(f"classifiers on {name}", done, total),
            )
        made = region_report(rows, seed=settings.seed)
        made = replace(made, left_out=left_out.once)
        return made, write_probe_report(output, made, rows, settings=to_plain(settings))
