"""`xraykit fluorosam pretrain-text`: a text encoder that knows which texts ask for the same thing."""

from __future__ import annotations

import time

from xraykit.render.commands import Tally, flat, last_scores, say_end, training_lines

from ..train.words_settings import TextPretrainSettings


def pretrain_text(settings: TextPretrainSettings) -> int:
    """Teach the text encoder which texts ask for the same thing.

    It needs no images: the texts come from the grammar of `xraykit fluorosam
    prompts`. Texts of one target attract each other, all others repel,
    above all those that differ by a side or a level:

        xraykit fluorosam pretrain-text -o words/ --minutes 10

    DIR/weights is then a start for `pretrain` and `train`. DIR also gets
    curve.csv and curve.json (how many texts in held-out wordings find their
    target, and how many its other side), report.md, tensorboard/,
    settings.json (for --config), and last.ckpt, from which --resume goes on.

    Args:
        settings: The options.
    """
    begun = time.monotonic()
    from ..train.words_training import pretrain_text as run

    with Tally("batches") as tally:
        training = run(settings, report=tally.report, begun=begun)
    return say_end(training_lines(training, last_scores(training, SHOWN, scale=100, unit=" %")))


SHOWN = {
    "retrieved": "held-out texts that find their target",
    "retrieved_sentence": "in a held-out sentence",
    "retrieved_word": "with a held-out word",
    "retrieved_mistyped": "mistyped",
    "other_side": "that find its other side",
}
"""Columns of the curve's last row that are printed, and what they are called."""

command = flat(pretrain_text, TextPretrainSettings)
