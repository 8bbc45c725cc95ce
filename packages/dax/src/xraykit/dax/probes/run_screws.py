"""The screw probe from settings to a folder: maps, folds, detectors, rows, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from xraykit.render.commands import LeftOut
from xraykit.render.storage import held_folder, to_plain
from xraykit.render.training import chosen_device

from ..data.stage_told import StageTold
from .folds import grouped_folds
from .probe_backbones import open_stores, silent
from .report import ProbeReport, write_probe_report
from .screw_probe import screw_report, screw_rows
from .settings import ScrewProbeSettings


def probe_screws(
    settings: ScrewProbeSettings,
    *,
    report: StageTold = silent,
    say: Callable[[str], None] | None = None,
    load: Callable[[str], nn.Module] | None = None,
    left_out: LeftOut | None = None,
) -> tuple[ProbeReport, tuple[Path, ...]]:
    """Judge backbones by how well a detector finds heads and tips of screws from their maps.

    Args, Returns and Raises: as `probe_regions`.
    """
    rows, seen, left_out = [], {}, left_out or LeftOut(none=True)
    with held_folder(settings.output) as output:
        for name, store in open_stores(settings, "screws", report=report, say=say, load=load, left_out=left_out):
            rows += screw_rows(
                store,
                grouped_folds(store.patients, folds=settings.folds, seed=settings.seed),
                backbone=name,
                settings=settings.screws,
                held_out=settings.held_out,
                seed=settings.seed,
                device=chosen_device(settings.inputs.device),
                report=lambda done, total, name=name: report(f"detectors on {name}", done, total),
            )
            seen[name] = store
        half = settings.screws.half_distance
        made = screw_report(rows, seen, half_distance=half, shown=settings.shown, seed=settings.seed)
        made = replace(made, left_out=left_out.once)
        return made, write_probe_report(output, made, rows, settings=to_plain(settings))
