"""Draws the contact sheet of docs/datasets.md: sixty X-rays of a finished data set, every region in turn.

Run: uv run xraykit dataset make examples/datasets/mixed.yaml -o out/mixed
     uv run python docs/makers/dataset_sheet.py out/mixed
"""

from __future__ import annotations

import argparse
import hashlib
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import avg_pool2d
from xraykit.render import XrayDataset
from xraykit.render.dataset import XraySample
from xraykit.render.pictures import montage, to_grey

PICTURE = Path(__file__).parents[1] / "pictures/dataset_contact_sheet.png"
COUNT, COLUMNS, OPEN = 60, 12, 0.75
Grey = NDArray[np.uint8]


def main(arguments: list[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="a data set of 256 x 256 images")
    parser.add_argument("-o", "--out", type=Path, default=PICTURE)
    asked = parser.parse_args(arguments)
    shown = chosen(list(XrayDataset(asked.folder, parts=("image",))))
    tiles = [thumbnail(sample) for sample in shown]
    captions = [f"{sample.region.replace('_', ' ')}\n{sample.view.replace('_', ' ')}" for sample in shown]
    rows = [
        montage(tiles[n : n + COLUMNS], captions[n : n + COLUMNS], size=9, gap=4) for n in range(0, len(tiles), COLUMNS)
    ]
    wide = max(row.shape[1] for row in rows)
    paper = rows[0][0, 0, 0]
    sheet = np.concatenate(
        [np.pad(row, ((0, 0), (0, wide - row.shape[1]), (0, 0)), constant_values=paper) for row in rows]
    )
    Image.fromarray(sheet).convert("L").save(asked.out, optimize=True)
    print(f"{asked.out.stat().st_size / 1000:.0f} kB in {asked.out}")


def chosen(samples: list[XraySample]) -> list[XraySample]:
    """One of each standard view of each region whose field is mostly open, few tools first; regions in turn."""
    views: dict[str, dict[str, XraySample]] = defaultdict(dict)
    for sample in sorted(samples, key=_rank):
        if sample.record["view"]["kind"] == "standard" and float(sample.open_field.float().mean()) >= OPEN:
            views[sample.region].setdefault(sample.view, sample)
    turns = zip_longest(*(views[region].values() for region in sorted(views)))
    taken = [sample for turn in turns for sample in turn if sample is not None][:COUNT]
    return sorted(taken, key=lambda sample: (sample.region, sample.view))


def _rank(sample: XraySample) -> tuple[bool, bytes]:
    return len(sample.record["tools"]) > 1, hashlib.sha256(sample.key.encode()).digest()


def thumbnail(sample: XraySample) -> Grey:
    """An X-ray as clinical displays show it, each pixel the mean of 2 x 2; what the collimator covers is black."""
    dark, seen = sample.log_attenuation(), sample.open_field
    values = dark[0][seen]
    low, high = (float(v) for v in torch.quantile(values[values > 0.15], torch.tensor([0.01, 0.995])))
    small = avg_pool2d(torch.where(seen, dark, torch.tensor(low))[None], 2)[0, 0]
    picture = to_grey(small, window=(low, high), detail=0.8, mirrored=bool(sample.record["view"]["mirrored_display"]))
    return np.ascontiguousarray(picture)


if __name__ == "__main__":
    main()
