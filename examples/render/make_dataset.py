"""Make and read a small data set: procedural patients into shards, and batches of tensors out of them.

You learn what a data set is described by, that its job can be killed and resumed (call this twice: the second time
nothing is left to do), and how a loader turns samples into batches. On the shell: `xraykit dataset make`.

    python examples/render/make_dataset.py
"""

import sys
from pathlib import Path

import torch
from torch.utils.data import default_collate
from xraykit.render import XrayDataset, XrayLoader, make_dataset
from xraykit.render.dataset import (
    DatasetConfig,
    ImageSettings,
    PatientSources,
    ProceduralPatients,
    ReadingOrder,
    ViewSettings,
    XraySample,
)
from xraykit.render.pictures import montage, save_png, to_grey


def tensors(sample: XraySample) -> dict[str, torch.Tensor]:
    """What a network would see: the logarithm of the intensity, and where bones and organs are."""
    return {"image": sample.log_attenuation(), "anything": sample.masks.any(dim=0)}


def main(out: Path, quick: bool) -> None:
    """Write shards to `data/` and the first batch to `batch.png`."""
    people = ProceduralPatients(count=6, size=112)  # of every region in turn
    if quick:
        people = ProceduralPatients(count=2, size=48, regions={"knee": 1.0})
    config = DatasetConfig(
        seed=1,
        patients=PatientSources(procedural=people),
        views=ViewSettings(per_patient=2),
        image=ImageSettings(size=(64, 64) if quick else (192, 192)),
        images_per_shard=4,
    )
    made = make_dataset(config, out / "data", workers=1, resume=(out / "data").exists())
    print(f"{sum(shard.samples for shard in made.shards)} images in {len(made.shards)} shards")

    data = XrayDataset(out / "data", parts=("image", "masks"), transform=tensors, order=ReadingOrder(seed=2))
    loader = XrayLoader(data, batch_size=4, num_workers=0, collate_fn=default_collate)
    batches = list(loader)
    print({name: tuple(values.shape) for name, values in batches[0].items()}, f"and {len(batches) - 1} batches more")

    samples = list(XrayDataset(out / "data"))[:4]
    pictures = [to_grey(sample.log_attenuation()[0]) for sample in samples]
    captions = [f"{sample.view}, {len(sample.names)} masks" for sample in samples]
    save_png(out / "batch.png", montage(pictures, captions))


if __name__ == "__main__":
    main(Path("out/make_dataset"), quick="--quick" in sys.argv)
