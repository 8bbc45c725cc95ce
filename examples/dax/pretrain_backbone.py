"""Pre-train a backbone on X-rays without labels: a data set job, a few batches, and a curve that says how it goes.

You learn the settings of a pre-training in Python, that images are prepared once, and what lies in the folder
afterwards. On the shell: `xraykit dax pretrain`. It takes an hour for something to be learned; this shows the way.

    python examples/dax/pretrain_backbone.py
"""

import sys
from pathlib import Path

from xraykit.dax import PretrainSettings, load_backbone, pretrain
from xraykit.dax.train import PretrainingDataSettings, PretrainingLengthSettings
from xraykit.render import make_dataset
from xraykit.render.dataset import DatasetConfig, ImageSettings, PatientSources, ProceduralPatients, ViewSettings
from xraykit.render.training import RunSettings, TrainingRun


def main(out: Path, quick: bool) -> TrainingRun:
    """Write a data set to `out/xrays` and a training to `out/run`."""
    patients = ProceduralPatients(count=2 if quick else 20, size=48, regions={"knee": 1, "wrist_hand": 1})
    config = DatasetConfig(
        patients=PatientSources(procedural=patients),
        views=ViewSettings(per_patient=4 if quick else 10),
        image=ImageSettings((96, 96)),
        split={"train": 1.0},
    )
    make_dataset(config, out / "xrays", workers=1, resume=(out / "xrays").exists())
    settings = PretrainSettings(
        data=PretrainingDataSettings((str(out / "xrays"),)),
        length=PretrainingLengthSettings(steps=2 if quick else 60, batch=4 if quick else 16),
        run=RunSettings(output=out / "run", workers=0),
    )
    training = pretrain(settings, say=print)
    for row in training.rows:
        print({name: round(row[name], 3) for name in ("step", "train_loss", "train_kl", "images_per_s") if name in row})
    backbone = load_backbone(training.weights)
    print(f"{backbone.config.architecture}, {backbone.dimension} features, input {backbone.config.preprocess}")
    return training


if __name__ == "__main__":
    main(Path("out/pretrain_backbone"), quick="--quick" in sys.argv)
