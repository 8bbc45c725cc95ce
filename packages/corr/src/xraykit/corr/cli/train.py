"""`xraykit corr train`: a matcher from X-rays of patients whose tissue is known."""

from __future__ import annotations

import time

from xraykit.render.commands import flat, last_scores, say_end, stages, tell, training_lines

from ..train.presets import PRESETS
from ..train.settings import MatcherSettings


def train(settings: MatcherSettings) -> int:
    """Train a matcher: which patches of one X-ray match which of another.

    From data set jobs that keep the patients' tissue with the images (in the
    plan: `image: {tissue: 64}` and several views per patient), in half an hour:

        xraykit corr pairs plan.yaml -o job/
        xraykit corr train job/ -o run/ --minutes 30

    DIR/weights is then the matcher for match, query and app. DIR also gets
    curve.csv and curve.json, report.md, tensorboard/, settings.json (for
    --config), and last.ckpt, from which --resume goes on. Read the curve like
    this: ap_macro is the matcher's average precision on patients that it never
    learned from; ap_macro_mean is that of one mean matrix for all pairs, and
    ap_macro_mean_thickness of the mean where both patches show something. A
    matcher that is no better than these has learned how patients are placed,
    not how they look. ap_macro_pose knows the true poses.

    Args:
        settings: The options.
    """
    begun = time.monotonic()
    from ..matching import train_matcher

    with stages() as report:
        training = train_matcher(settings, report=report, say=tell, begun=begun)
    return say_end(training_lines(training, last_scores(training, SHOWN)), training.left_out)


SHOWN = {
    "train_loss": "loss",
    "ap_macro": "average precision on held-out patients",
    "ap_macro_mean": "of the mean matrix",
    "ap_macro_mean_thickness": "of the mean where both patches show something",
    "ap_macro_pose": "of the true poses",
    "overlap_auroc": "related pairs told from unrelated ones (AUROC)",
}
"""Columns of the curve's last row that are printed, and what they are called."""

command = flat(train, MatcherSettings, presets=PRESETS)
