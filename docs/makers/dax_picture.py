"""Draws the picture of docs/dax.md: what the shipped backbone takes for alike, in X-rays and among them.

Run: uv run xraykit dataset make examples/datasets/dax_regions.yaml -o out/regions
     uv run python docs/makers/dax_picture.py out/regions
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from xraykit.dax import LookSettings, look
from xraykit.dax.embedding import BackboneRunSettings, XraySourceSettings
from xraykit.render import XrayDataset

PICTURE = Path(__file__).parents[1] / "pictures/dax_look.jpg"
SHOWN = ("skull", "thorax", "wrist_hand", "knee")
OPEN = 0.98
Colour = NDArray[np.uint8]


def main(arguments: list[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a data set whose samples state their region")
    parser.add_argument("-o", "--out", type=Path, default=PICTURE)
    parser.add_argument("--projection", choices=("pca", "umap"), default="umap")
    asked = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        run = BackboneRunSettings(field="exposed")
        seen = look(
            LookSettings(
                XraySourceSettings((asked.folder,)),
                output=Path(folder),
                run=run,
                attention=False,
                projection=asked.projection,
                labels=("region",),
                before="untrained",
            )
        )
        sheets = [pixels(Path(folder) / f"{key}.png") for key in chosen(asked.folder)]
        planes = [] if seen.plane is None else [pixels(seen.plane)]
    rows = [np.concatenate(sheets[n : n + 2], axis=1) for n in range(0, len(sheets) - 1, 2)]
    Image.fromarray(stacked([*rows, *planes])).save(asked.out, quality=85, optimize=True)
    print(f"{asked.out.stat().st_size / 1000:.0f} kB in {asked.out}")


def chosen(folder: Path) -> list[str]:
    """Keys of one sample of each shown region: a standard view with an open field and no tools, the first there is."""
    found: dict[str, str] = {}
    for sample in XrayDataset(folder, parts=("image",)):
        plain = sample.record["view"]["kind"] == "standard" and not sample.record["tools"]
        if plain and float(sample.open_field.float().mean()) >= OPEN:
            found.setdefault(sample.region, sample.key)
    return [found[region] for region in SHOWN if region in found]


def pixels(path: Path) -> Colour:
    """A picture without alpha."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def stacked(pictures: list[Colour], width: int = 1100) -> Colour:
    """One below another, each as wide as asked for."""
    sized = [Image.fromarray(one).resize((width, round(width * one.shape[0] / one.shape[1]))) for one in pictures]
    return np.concatenate([np.asarray(one) for one in sized])


if __name__ == "__main__":
    main()
