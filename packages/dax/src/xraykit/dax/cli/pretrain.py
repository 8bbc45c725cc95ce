"""`xraykit dax pretrain`: a backbone from X-rays without labels."""

from __future__ import annotations

import time

from xraykit.render.commands import Tally, duration, flat

from ..train.presets import PRESETS
from ..train.settings import PretrainSettings


def pretrain(settings: PretrainSettings) -> None:
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

    with Tally("batches") as tally:
        training = run(settings, report=tally.report, say=lambda sentence: print(sentence, flush=True), begun=begun)
    print(f"{training.batches} batches in {duration(training.seconds)}")
    if training.rows:
        shown = ("loss", "train_loss", "teacher_entropy", "student_entropy", "kl")
        last = {name: training.rows[-1][name] for name in shown if name in training.rows[-1]}
        print(", ".join(f"{name} {value:.4g}" for name, value in last.items() if isinstance(value, float | int)))
    print(f"wrote {training.weights}, curve.csv and settings.json in {training.folder}")


command = flat(pretrain, PretrainSettings, presets=PRESETS)
