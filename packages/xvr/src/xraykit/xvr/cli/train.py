"""`xraykit xvr train`: a pose network for a patient, or for many."""

from __future__ import annotations

import logging
import time
from typing import Annotated

from cyclopts import Parameter

from xraykit.render.cli.settings import ConfigOption
from xraykit.render.commands.progress import Tally, duration

from ..train.settings import TrainSettings


def train(settings: Annotated[TrainSettings, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Train a pose network and leave it in DIR/weights.

    DIR also gets curve.csv and curve.json (errors on held-out poses against batches and seconds), tensorboard/,
    settings.json (for --config), and last.ckpt, from which --resume goes on.

    Args:
        settings: The options.
        config_file: .toml, .yaml or .json with any of these options, as in settings.json; the command line wins.
    """
    begun = time.monotonic()
    from ..train.run import train_network

    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # its hints are no business of this command's user
    with Tally("batches") as tally:
        training = train_network(settings, report=tally.report, begun=begun)
    last = training.rows[-1]
    print(
        f"{training.batches} batches in {duration(training.seconds)}; on held-out poses the median error is "
        f"{last['tre_mm_median']:.1f} mm (true TRE), {last['rotation_deg_median']:.1f} degrees, "
        f"{last['mtre_c2w_mm_median']:.1f} mm (mTRE as in the paper)\n"
        f"wrote {training.weights}, curve.csv and settings.json in {training.folder}"
    )
