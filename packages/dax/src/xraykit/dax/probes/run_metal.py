"""The metal probe from settings to a folder: maps, folds, heads, rows, report."""

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
from .metal.metal_probe import metal_rows
from .metal.metal_report import metal_report
from .probe_backbones import open_stores, silent
from .report import ProbeReport, write_probe_report
from .settings import MetalProbeSettings


def probe_metal(
    settings: MetalProbeSettings,
    *,
    report: StageTold = silent,
    say: Callable[[str], None] | None = None,
    load: Callable[[str], nn.Module] | None = None,
    left_out: LeftOut | None = None,
) -> tuple[ProbeReport, tuple[Path, ...]]:
    """Judge backbones by how well a linear head tells metal from their maps.

    Args, Returns and Raises: as `probe_regions`.
    """
    rows, masks, left_out = [], {}, left_out or LeftOut(none=True)
    with held_folder(settings.output) as output:
        for name, store in open_stores(settings, "metal", report=report, say=say, load=load, left_out=left_out):
            more, predicted = metal_rows(
                store,
                grouped_folds(store.patients, folds=settings.folds, seed=settings.seed),
                backbone=name,
                training=settings.training,
                seed=settings.seed,
                device=chosen_device(settings.inputs.device),
                report=lambda done, total, name=name: report(f"heads on {name}", done, total),
            )
            rows += more
            masks[name] = (store, predicted)
        made = metal_report(rows, masks, shown=settings.shown, seed=settings.seed)
        made = replace(made, left_out=left_out.once)
        return made, write_probe_report(output, made, rows, settings=to_plain(settings))
