"""Train a matcher on X-rays whose correspondence follows from their CT: a data set job, a few batches, a curve.

You learn that nobody annotates anything, that the job keeps the patient's tissue beside the images, and to read a
matcher's average precision beside those of predictions that look at no anatomy. On the shell: `xraykit corr train`. It
takes half an hour for something to be learned; this shows the way.

    python examples/corr/train_matcher.py
"""

import sys
from pathlib import Path

from xraykit.corr import MatcherSettings, load_matcher, train_matcher
from xraykit.corr.train import MatcherDataSettings, MatcherLengthSettings
from xraykit.render import make_dataset
from xraykit.render.dataset import DatasetConfig, ImageSettings, PatientSources, ProceduralPatients, ViewSettings
from xraykit.render.training import RunSettings, TrainingRun


def main(out: Path, quick: bool) -> TrainingRun:
    """Write a data set to `out/xrays` and a training to `out/run`."""
    patients = ProceduralPatients(count=4 if quick else 24, size=48, regions={"knee": 1, "wrist_hand": 1})
    config = DatasetConfig(
        patients=PatientSources(procedural=patients),
        views=ViewSettings(per_patient=4 if quick else 8, random=0.0, orbit=1.0),
        image=ImageSettings((96, 96), tissue=32),
        split={"train": 3.0, "val": 1.0},
    )
    make_dataset(config, out / "xrays", workers=1, resume=(out / "xrays").exists())
    settings = MatcherSettings(
        data=MatcherDataSettings((str(out / "xrays"),), size=64, held_out_pairs=4 if quick else 24),
        length=MatcherLengthSettings(steps=2 if quick else 120, batch=4 if quick else 16),
        run=RunSettings(output=out / "run", workers=0),
    )
    training = train_matcher(settings, say=print)
    for row in training.rows:
        shown = ("step", "ap_macro", "ap_macro_mean", "ap_macro_mean_thickness", "ap_macro_pose", "pairs_per_s")
        print({name: round(row[name], 3) for name in shown if name in row})
    network = load_matcher(training.weights)
    print(f"{network.config.module} on a grid of {network.config.grid}, learned from {network.trained_on['patients']}")
    return training


if __name__ == "__main__":
    main(Path("out/train_matcher"), quick="--quick" in sys.argv)
