"""A toy backbone, tiny images with truth, and stores of them, for tests of probes."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from support.dataset_shards import disc, sample_members, tar_bytes, write_manifest
from torch import Tensor, nn
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.probes import FeatureStore, ProbeImage, ProbeSet, make_features

SIZE = 16
ENDS = {"head": {"uv": [2.0, 3.0], "visible": True}, "tip": {"uv": [12.0, 9.0], "visible": True}}


class ToyBackbone(nn.Module):
    """Two maps of different strides that keep the image's grey values; the pooled vector is their mean."""

    def __init__(self, *, spoil: float = 0.0) -> None:
        super().__init__()
        self.config = SimpleNamespace(channels=1, preprocess=PreprocessSettings(size=SIZE))
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(3, 1, 1, 1, generator=generator))
        self.spoil, self.seen = spoil, 0

    def features(self, images: Tensor) -> SimpleNamespace:
        self.seen += len(images)
        fine = torch.nn.functional.conv2d(images, self.weight) + self.spoil
        coarse = torch.nn.functional.avg_pool2d(fine, 4) ** 2
        maps = (
            SimpleNamespace(name="fine", stride=1, values=fine),
            SimpleNamespace(name="coarse", stride=4, values=coarse),
        )
        return SimpleNamespace(pooled=torch.cat([fine.mean((2, 3)), coarse.mean((2, 3))], 1), maps=maps)


def toy_images(count: int = 24, *, patients: int = 8, classes: int = 3, empty: int = 0) -> list[ProbeImage]:
    """Noise with a bright square (the mask, missing in the first `empty`), brighter on the whole for each class."""
    generator, found = torch.Generator().manual_seed(1), []
    for n in range(count):
        image = 0.1 * torch.rand(1, SIZE, SIZE, generator=generator) + 0.3 * (n % classes)
        mask = torch.zeros(SIZE, SIZE, dtype=torch.bool)
        if n >= empty:
            at = 2 + n % 8
            mask[at : at + 5, 3:9] = True
        image[0, mask] += 2.0
        points = torch.tensor([[[3.0, 4.0, 1.0], [10.0, 12.0, 1.0]]] * (1 + n % 2))
        found.append(ProbeImage(f"image{n:03d}", f"p{n % patients}", image, f"class{n % classes}", mask, points))
    return found


def toy_set(images: list[ProbeImage], *, identity: str = "toy") -> ProbeSet:
    """The images as a set."""

    def again() -> Iterator[ProbeImage]:
        return iter(images)

    return ProbeSet(identity, len(images), again)


def toy_store(folder: Path, images: list[ProbeImage] | None = None) -> FeatureStore:
    """Features and maps of the toy backbone."""
    return make_features(ToyBackbone(), toy_set(toy_images() if images is None else images), folder, maps=True)


def two_regions(folder, *, patients=6, views=3):
    """A job whose patients have dark or bright images, and regions by that."""
    folder.mkdir()
    members = []
    for p in range(patients):
        region = ("knee", "hip")[p % 2]
        for v in range(views):
            grey = np.full((16, 16), math.exp(-1.0))
            grey[: 4 + 8 * (p % 2)] = math.exp(-3.0)
            tools = {"nail": disc(16, 5 + v, 10, 3)}
            grey[tools["nail"]] = math.exp(-6.0)
            ends = {"tools": [{"name": "pedicle_screw", "ends": ENDS}]}
            members += sample_members(p, v, "images", region=region, intensity=grey, tools=tools, edit=ends).items()
    content = tar_bytes(members)
    (folder / "images-000000.tar").write_bytes(content)
    write_manifest(folder, {"images-000000.tar": (content, patients * views, list(range(patients)))})
    return folder
