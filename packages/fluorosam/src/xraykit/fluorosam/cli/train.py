"""`xraykit fluorosam train`: a network from X-rays whose structures are known."""

from __future__ import annotations

import time

from xraykit.render.commands import flat, last_scores, say_end, stages, tell, training_lines

from ..train.presets import PRESETS
from ..train.settings import SegmentationTrainSettings


def train(settings: SegmentationTrainSettings) -> int:
    """Train a network to find what words, points, boxes and masks ask for.

    From data set jobs that keep masks with their images:

        xraykit dataset make plan.yaml -o job/
        xraykit fluorosam train job/ -o run/ --minutes 60

    DIR/weights is then the network for segment, app and evaluate. DIR also
    gets curve.csv and curve.json, report.md, tensorboard/, settings.json (for
    --config), and last.ckpt, from which --resume goes on. Read the curve like
    this, all on patients that it never learned from: dice_text is the answer
    to words alone, dice_points_2 and dice_points_8 after so many clicks on
    what was wrong, dice_box to a box, dice_held_out_text to wordings that it
    never saw; missed is how often words are answered "not visible" though it is
    there, false_alarm how often something is shown that is not.

    Args:
        settings: The options.
    """
    begun = time.monotonic()
    from ..training import train_fluorosam

    with stages() as report:
        training = train_fluorosam(settings, report=report, say=tell, begun=begun)
    return say_end(training_lines(training, last_scores(training, SHOWN)), training.left_out)


SHOWN = {
    "train_loss": "loss",
    "dice_text": "Dice on held-out patients by words",
    "dice_held_out_text": "by held-out wordings",
    "dice_points_2": "after 2 points",
    "dice_points_8": "after 8",
    "dice_box": "by a box",
    "missed": "hidden though there",
    "false_alarm": "shown though not",
}
"""Columns of the curve's last row that are printed, and what they are called."""

command = flat(train, SegmentationTrainSettings, presets=PRESETS)
