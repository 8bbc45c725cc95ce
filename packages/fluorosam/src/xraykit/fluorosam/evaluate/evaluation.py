"""An evaluation from files to a folder: rows first, then the report from the rows alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from xraykit.render import InputError
from xraykit.render.commands import LeftOut
from xraykit.render.evaluation import EvaluationReport, read_rows, write_evaluation, write_rows
from xraykit.render.storage import atomic_folder, check_unused, held_folder, to_plain, write_settings

from .asking import ask_method
from .baselines import make_baselines
from .cases import CaseSource
from .fluoro_sam_method import FluoroSamMethod
from .layouts import open_cases
from .mask_rows import MaskRow
from .methods import EvaluatedMethod
from .questions import QuestionTexts, asked_targets, check_targets
from .report_tables import segmentation_report
from .settings import AskSettings, SegmentationEvaluationSettings

ROWS, SETTINGS = "rows.csv", "settings.json"
REPORT = ("report.json", "report.md")
EvaluationProgress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def evaluate_segmentation(
    settings: SegmentationEvaluationSettings,
    *,
    methods: Sequence[EvaluatedMethod] | None = None,
    report: EvaluationProgress = lambda what, done, total: None,
    left_out: LeftOut | None = None,
) -> EvaluationReport:
    """Ask a network, and what stands beside it, for the masks of a set of X-rays; write rows.csv and the report.

    The folder is this job's from the beginning, rows come first, and all other files appear together at the end.

    Args:
        settings: Of what, how, and where to.
        methods: What is evaluated, in place of the network and the baselines of the settings.
        report: Told of progress.
        left_out: Takes images and shards that are damaged, while the others are asked; None ends at the first.

    Raises:
        FileError: Images, masks or weights that cannot be read. InputError: Nothing to ask for.
        OutputError: The folder holds something already, is in use by another process, or cannot be written.
    """
    check_targets(settings.asks)
    with held_folder(settings.output) as output:
        check_unused(output, unfinished=() if (output / SETTINGS).exists() else (ROWS, *REPORT))
        cases = open_cases(settings.data, settings.cases, left_out=left_out)
        if methods is None:
            methods = [FluoroSamMethod(_network(settings)), *make_baselines(settings, report=report)]
        rows = segmentation_rows(methods, cases, settings.asks, report=report)
        write_rows(output / ROWS, rows)  # the work of hours, before anything is made of it
        found = segmentation_report(rows, large_from=settings.asks.large_from)
        missing = () if left_out is None else left_out.once
        found = replace(found, notes=(*found.notes, *cases.notes), left_out=missing)
        with atomic_folder(output, owned=(*REPORT, SETTINGS)) as staging:
            write_evaluation(staging, found, settings=to_plain(settings))
            write_settings(staging / SETTINGS, settings, command="fluorosam evaluate", distribution="xraykit-fluorosam")
    return found


def segmentation_rows(
    methods: Sequence[EvaluatedMethod],
    cases: CaseSource,
    settings: AskSettings,
    *,
    report: EvaluationProgress = lambda what, done, total: None,
) -> list[MaskRow]:
    """The rows of all methods on all cases; the same questions for each.

    Raises:
        InputError: No case has a mask to ask for, or methods share a name.
    """
    names = [method.name for method in methods]
    if not names or len(set(names)) < len(names):
        raise InputError(f"methods must be one or more with names of their own, got {', '.join(names) or 'none'}.")
    texts = QuestionTexts(settings)
    rows: list[MaskRow] = []
    for done, case in enumerate(cases, start=1):
        shown, absent = asked_targets(case, settings, texts)
        for method in methods:
            rows += ask_method(method, case, shown, absent, settings)
        report("images", done, len(cases))
    if not rows:
        raise InputError(
            f"there must be a mask to ask for, got none in {len(cases)} images; look at targets, kinds and areas."
        )
    return rows


def read_segmentation_rows(folder: str | Path) -> list[MaskRow]:
    """The rows of an evaluation's folder.

    Raises:
        FileError: There are none, or they are damaged.
    """
    return read_rows(Path(folder) / ROWS, MaskRow)


def _network(settings: SegmentationEvaluationSettings):
    from ..predictor.fluoro_sam import FluoroSam

    return FluoroSam.from_pretrained(settings.weights, device=settings.device, any_words=True)
