"""`xraykit xvr evaluate`: errors, success rates, capture range and ranking, from results or from a study of its own."""

from __future__ import annotations

from xraykit.render.commands import LeftOut, Tally, flat, say_left_out

from ..evaluate.settings import EvaluateSettings


def evaluate(settings: EvaluateSettings) -> int:
    """Measure how well registrations succeed, on a published data set or on X-rays simulated from a CT.

    With RESULTS, judges what `xraykit xvr register` wrote. Without, registers the X-rays of --data or --simulate from
    starts of known error. Prints the table and writes it with every single error, a capture-range curve and, of
    several methods, their ranking.

    Args:
        settings: The options.
    """
    from xraykit.render.evaluation import report_text

    from ..evaluate.evaluation import evaluate_registrations
    from ..evaluate.report import report_page

    left_out = LeftOut()
    with Tally("results" if settings.results else "registrations") as tally:
        report, written = evaluate_registrations(settings, progress=tally.report, left_out=left_out)
    print(report_text(report_page(report)))
    print("wrote " + ", ".join(str(path) for path in written))
    return say_left_out(left_out.found)


command = flat(evaluate, EvaluateSettings)
