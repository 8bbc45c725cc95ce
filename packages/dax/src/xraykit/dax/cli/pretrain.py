"""`xraykit dax pretrain`: a backbone from X-rays without labels."""

from __future__ import annotations

import time

from xraykit.render.commands import flat, last_scores, say_end, stages, tell, training_lines

from ..train.presets import PRESETS
from ..train.settings import PretrainSettings


def pretrain(settings: PretrainSettings) -> int:
    """Train a backbone on X-rays without labels (DINO).

    From any folder of X-rays, in an hour:

        xraykit dax pretrain xrays/ -o run/ --minutes 60

    DIR/weights is then the backbone for embed, look and probe. DIR also gets
    curve.csv and curve.json (loss, entropies and what tells a collapse, against
    batches and seconds), report.md, tensorboard/, settings.json (for --config),
    and last.ckpt, from which --resume goes on. Look at what it learned:

        xraykit dax look xrays/ -o pictures/ --weights run/weights
            --before untrained

    Args:
        settings: The options.
    """
    begun = time.monotonic()
    from ..pretraining import pretrain as run

    with stages() as report:
        training = run(settings, report=report, say=tell, begun=begun)
    return say_end(training_lines(training, last_scores(training, SHOWN)), training.left_out)


SHOWN = {
    "train_loss": "loss",
    "train_student_entropy": "entropy of the student",
    "train_teacher_entropy": "of the teacher",
    "knn_accuracy": "k-NN accuracy of held-out images",
}
"""Columns of the curve's last row that are printed, and what they are called."""

command = flat(pretrain, PretrainSettings, presets=PRESETS)
