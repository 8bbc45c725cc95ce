"""`xraykit corr evaluate`: the paper's three tables at the size that this machine allows."""

from __future__ import annotations

from cyclopts import App

from xraykit.render.commands import flat, stages

from ..evaluate.settings import Table1Settings, Table2Settings, Table3Settings


def table1(settings: Table1Settings) -> None:
    """How tokens attend: five modules on the same trunk, data, head, loss and number of samples.

    From a data set job with a split "test" (in the plan, for instance
    `split: {train: 8, val: 1, test: 1}`), in an hour:

        xraykit corr evaluate table1 job/ -o table1/ --minutes 60

    Each row is timed first, and all then learn from the same number of batches.
    DIR/report.md has MSE, precision, recall and average precision with 95 %
    intervals by patient, weights, arithmetic and speed of each row, a test of
    each against `standard`, the same where one view is turned, and the priors:
    a row that is no better than these has learned how patients are placed.
    standard_large is `standard` with the weights of the largest row. Stopped
    or killed, the same command with --resume keeps what is done.

    Args:
        settings: The options.
    """
    from ..evaluate.table1 import evaluate_modules

    _run(evaluate_modules, settings)


def table2(settings: Table2Settings) -> None:
    """Marked points of X-rays: a matcher as it is, fine-tuned, and beside priors and a local matcher.

    Annotations need the splits "train" and "test" (and "val", to stop in time
    and to choose a threshold):

        xraykit corr evaluate table2 points.json -o table2/ --minutes 30
            --aliked aliked-n16.pth

    Without --aliked, or without kornia, there are no rows of a local matcher.

    Args:
        settings: The options.
    """
    from ..evaluate.table2 import evaluate_annotated

    _run(evaluate_annotated, settings)


def table3(settings: Table3Settings) -> None:
    """Findings in studies: fusion, pre-training and guidance, with the arms that the paper leaves out.

    The grid of `xraykit corr classify --grid`, in a given time:

        xraykit corr evaluate table3 out/studies.csv -o table3/ --minutes 60
            --pretrained shipped

    Args:
        settings: The options.
    """
    from ..evaluate.table3 import evaluate_classification

    _run(evaluate_classification, settings)


def _run(evaluate, settings) -> None:
    from xraykit.render.evaluation import report_text

    with stages() as report:
        found = evaluate(settings, report=report, say=lambda sentence: print(sentence, flush=True))
    print(report_text(found))
    print(f"wrote report.md and report.json in {settings.run.output}")


app = App(name="evaluate", help="Make the paper's tables again, at the size that this machine allows.")
app.command(flat(table1, Table1Settings), name="table1")
app.command(flat(table2, Table2Settings), name="table2")
app.command(flat(table3, Table3Settings), name="table3")
