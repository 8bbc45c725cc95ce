"""`xraykit fluorosam evaluate`: the paper's table for a set of X-rays with true masks."""

from __future__ import annotations

from xraykit.render.commands import LeftOut, flat, say_left_out, stages

from ..evaluate.settings import SegmentationEvaluationSettings


def evaluate(settings: SegmentationEvaluationSettings) -> int:
    """Measure how well words, points and boxes find what they ask for.

    A data set job's test split, with the package's own weights:

        xraykit fluorosam evaluate job/ -o evaluation/

    DIR/rows.csv has a row for each image, target and way of asking, with
    IoU, Dice, Hausdorff distance and HD95; DIR/report.md and report.json the
    tables: by the way of asking, structure, view and wording, false alarms on
    what is not in the image, calibration, the gain from each point, and
    baselines beside them.

    Args:
        settings: The options.
    """
    from xraykit.render.evaluation import report_text

    from ..evaluate.evaluation import evaluate_segmentation

    left_out = LeftOut()
    with stages() as report:
        found = evaluate_segmentation(settings, report=report, left_out=left_out)
    print(report_text(found))
    print(f"wrote rows.csv, report.md and report.json in {settings.output}")
    return say_left_out(left_out.found)


command = flat(evaluate, SegmentationEvaluationSettings)
