"""`xraykit corr finetune`: go on from a matcher with points that people marked."""

from __future__ import annotations

from xraykit.render.commands import flat, say_end, stages, tell

from ..train.finetune_settings import FinetuneSettings


def finetune(settings: FinetuneSettings) -> int:
    """Fine-tune a matcher on points that people marked in pairs of X-rays.

    Mark points on the page of `xraykit corr app`, or import a table, look
    whether all is sound, and go on from the matcher of the package:

        xraykit corr annotations import points.csv -o points.json
        xraykit corr annotations check points.json
        xraykit corr finetune points.json -o run/

    Entries that nobody marked have no say. The network with the best average
    precision on the split "val" is kept in DIR/weights, and the training ends
    when it has not got better for --patience validations. scores.md has the
    scores of the split "test" before and after. One training says little:
    --repeats 5 makes five, each in a folder of its own, and reports them
    together. X-rays that cannot be used are left out with their points, named
    at the end, and the exit status is 3.

    Args:
        settings: The options.
    """
    from ..finetuning import finetune_matcher

    with stages() as report:
        result = finetune_matcher(settings, report=report, say=tell)
    scored = ""
    if result.before is not None:
        after = ", ".join(f"{100 * scores.ap:.1f}" for scores in result.after)
        scored = (
            f"average precision on the test samples: {100 * result.before.ap:.1f} % before, {after} % after "
            f"({100 * result.before.chance:.1f} % by guessing)"
        )
    return say_end([scored, f"wrote {', '.join(str(run.weights) for run in result.runs)}"], result.left_out)


command = flat(finetune, FinetuneSettings)
