"""`xraykit xvr train`: a pose network for a patient, or for many."""

from __future__ import annotations

import time

from xraykit.render.commands import Tally, flat, say_end, say_findings, training_lines
from xraykit.render.training import is_follower

from ..train.settings import TrainSettings


def train(settings: TrainSettings) -> int:
    """Train a pose network and leave it in DIR/weights.

    DIR also gets curve.csv and curve.json (errors on held-out poses against batches and seconds), report.md,
    tensorboard/, settings.json (for --config), and last.ckpt, from which --resume goes on. Of many CTs one that
    cannot be read is left out, named at the end, and the exit status is 3.
    """
    begun = time.monotonic()
    from ..train.entry import train_network

    with Tally("batches") as tally:
        training = train_network(
            settings, report=tally.report, begun=begun, on_read=None if is_follower() else say_findings
        )
    last = training.rows[-1]
    errors = (
        f"on held-out poses the median error is {last['tre_mm_median']:.1f} mm (true TRE), "
        f"{last['rotation_deg_median']:.1f} degrees, {last['mtre_c2w_mm_median']:.1f} mm (mTRE as in the paper)"
    )
    return say_end(training_lines(training, errors), training.left_out)


command = flat(train, TrainSettings)
