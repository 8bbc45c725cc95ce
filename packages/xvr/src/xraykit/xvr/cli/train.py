"""`xraykit xvr train`: a pose network for a patient, or for many."""

from __future__ import annotations

import time

from xraykit.render.commands import Tally, duration, flat, say_findings, say_left_out

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
        training = train_network(settings, report=tally.report, begun=begun, on_read=say_findings)
    last = training.rows[-1]
    print(
        f"{training.batches} batches in {duration(training.seconds)}; on held-out poses the median error is "
        f"{last['tre_mm_median']:.1f} mm (true TRE), {last['rotation_deg_median']:.1f} degrees, "
        f"{last['mtre_c2w_mm_median']:.1f} mm (mTRE as in the paper)\n"
        f"wrote {training.weights}, curve.csv and settings.json in {training.folder}"
    )
    return say_left_out(training.left_out)


command = flat(train, TrainSettings)
