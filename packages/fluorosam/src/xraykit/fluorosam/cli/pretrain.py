"""`xraykit fluorosam pretrain`: an image encoder that knows where things lie, before it is asked."""

from __future__ import annotations

import time

from xraykit.render.commands import flat, last_scores, say_end, stages, training_lines

from ..train.encoder_settings import EncoderPretrainSettings


def pretrain(settings: EncoderPretrainSettings) -> int:
    """Teach the image encoder where 83 classes of structures and tools lie.

    From data set jobs, before `train` asks for single things by words and
    clicks; all classes of an image are learned from at once, which takes
    little time. Without sides there are 57 classes:

        xraykit dataset make plan.yaml -o job/
        xraykit fluorosam pretrain job/ -o encoder/ --minutes 60

    DIR/weights is then a start for `train`. DIR also gets curve.csv and
    curve.json (Dice of held-out patients, and how often left was taken for
    right), report.md, tensorboard/, settings.json (for --config), and
    last.ckpt, from which --resume goes on.

    Args:
        settings: The options.
    """
    begun = time.monotonic()
    from ..train.encoder_training import pretrain as run

    with stages() as report:
        training = run(settings, report=report, begun=begun)
    return say_end(training_lines(training, last_scores(training, SHOWN)), training.left_out)


SHOWN = {
    "train_loss": "loss",
    "dice": "Dice of held-out patients",
    "other_side": "share of cells whose side is wrong",
}
"""Columns of the curve's last row that are printed, and what they are called."""

command = flat(pretrain, EncoderPretrainSettings)
