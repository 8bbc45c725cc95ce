"""What the ten views of an X-ray cost: the published operations one after another, and ours; one thread.

python -m benchmarks.speed.dax_augmentation            # about one minute
python -m benchmarks.speed.dax_augmentation --quick    # a few seconds; its numbers mean little
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from xraykit.dax.data import (
    CropBatches,
    FrameStore,
    MultiCropSettings,
    crop_images,
    draw_crops,
    find_xrays,
    frames_to_images,
    pad_frames,
    prepare_frames,
)

from ..common.result import RESULTS, Start, save
from ..oracles.dax_published import published_preprocess, published_views, xray_like

EDGE, PREPARED = 976, 384  # [px]: of the images, and of frames as `prepare_frames` makes them
Views = list[list[Tensor]]  # of each frame


def main(arguments: list[str] | None = None) -> None:
    """Both augmentations in every way, in turns, then the loader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULTS / "dax_augmentation--cpu.json")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    start, rows, ratios = Start.now(), [], []
    images, rounds, batches = (2, 2, 3) if asked.quick else (6, 12, 16)
    with tempfile.TemporaryDirectory() as folder:
        stores = {edge: prepared(Path(folder), images, edge) for edge in (EDGE, PREPARED)}
        for augmentation in ("A", "B"):
            made = compare(augmentation, stores, images, rounds)
            rows += made
            ratios += faster(made)
            rows += [loaded(augmentation, stores[PREPARED], n, batches) for n in ((0, 1) if asked.quick else (0, 1, 2))]
    for row in rows:
        print(*(f"{key}={value}" for key, value in row.items() if not isinstance(value, list)), flush=True)
    for ratio in ratios:
        print(ratio, flush=True)
    scene = {"name": "X-ray-like images", "edge": EDGE, "views": "2 x 224 and 8 x 96", "images": images}
    mode = "quick" if asked.quick else "full"
    result = start.result("dax_augmentation", rows, mode=mode, threads={"torch": 1}, scene=scene, ratios=ratios)
    save(result, asked.output)
    print(f"wrote {asked.output}")


@cache
def xray(seed: int) -> np.ndarray:
    """A 16-bit intensity of the published size."""
    return xray_like(EDGE, EDGE, seed=seed)


def prepared(folder: Path, images: int, edge: int) -> FrameStore:
    """The images as frames of at most `edge` pixels."""
    (folder / "images").mkdir(exist_ok=True)
    for n in range(images):
        Image.fromarray(xray(n)).save(folder / "images" / f"{n}.png")
    found = find_xrays([folder / "images"], polarity="intensity")
    return prepare_frames(found, folder / f"frames{edge}", longest=edge)


def compare(augmentation: Any, stores: dict[int, FrameStore], images: int, rounds: int) -> list[dict[str, Any]]:
    """One row for each program, size of frames, and whether preprocessing counts; all take turns."""
    jobs: dict[tuple[str, int, bool], Callable[[], Views]] = {
        ("published", EDGE, True): published(augmentation, images, whole=True),
        ("published", EDGE, False): published(augmentation, images, whole=False),
    }
    for edge, store in stores.items():
        jobs |= {("ours", edge, whole): ours(augmentation, store, images, whole=whole) for whole in (True, False)}
    taken: dict[tuple[str, int, bool], list[float]] = {key: [] for key in jobs}
    values: dict[tuple[str, int, bool], list[np.ndarray]] = {key: [] for key in jobs}
    for number in range(rounds + 1):
        for key, job in jobs.items():
            begun = time.process_time()
            views = job()
            if number:  # the first warms up
                taken[key].append(1e3 * (time.process_time() - begun) / images)
            values[key].append(np.array([[statistics(view) for view in frame] for frame in views]))
    oracle = np.concatenate(values["published", EDGE, True])
    return [row(augmentation, *key, images, taken[key], np.concatenate(values[key]), oracle) for key in jobs]


def published(augmentation: str, images: int, *, whole: bool) -> Callable[[], Views]:
    """Operation by operation, sample by sample."""
    pixels = [xray(n) for n in range(images)]
    first, second, local = published_views(augmentation)
    rng = random.Random(0)

    def views(image: Tensor) -> list[Tensor]:
        return [first(image), second(image), *(local(image) for _ in range(8))]

    ready = [
        [published_preprocess(image, augmentation) for _ in range(1 if augmentation == "A" else 4)] for image in pixels
    ]
    if whole:
        return lambda: [views(published_preprocess(image, augmentation)) for image in pixels]
    return lambda: [views(rng.choice(some)) for some in ready]


def ours(augmentation: Any, store: FrameStore, images: int, *, whole: bool) -> Callable[[], Views]:
    """A batch of frames at once, from the store or from images in [0, 1]."""
    settings, epochs = MultiCropSettings(augmentation), count()
    sizes = [store.size(n) for n in range(images)]

    def drawn() -> Any:
        epoch = next(epochs)
        return draw_crops(settings, sizes, seed=0, places=[(epoch, n) for n in range(images)])

    def images_of(draws: Any) -> Tensor:
        frames = pad_frames([store[n] for n in range(images)])
        return frames_to_images(frames, torch.from_numpy(draws.deviations), torch.from_numpy(draws.linear))

    ready = [images_of(drawn()) for _ in range(4)]

    def views() -> Views:
        draws = drawn()
        batch = images_of(draws) if whole else ready[next(epochs) % 4]
        crops = crop_images(batch, sizes, draws, settings)
        return [[crop[n] for crop in crops] for n in range(images)]

    return views


def statistics(view: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of the pixels."""
    return float(view.mean()), float(view.std())


def row(
    augmentation: str, program: str, edge: int, whole: bool, images: int, ms: list[float], values: Any, oracle: Any
) -> dict[str, Any]:
    """`values` and `oracle` are (frames, views, 2): means and standard deviations of views."""
    mine, theirs = values.mean((0, 1)), oracle.mean((0, 1))
    by_frame = [array[..., 0].mean(1) for array in (values, oracle)]  # views of a frame share its branch
    error = math.sqrt(sum(array.var() / len(array) for array in by_frame))
    return {
        "augmentation": augmentation, "program": program, "edge": edge, "preprocessing": whole, "workers": 0,
        "frames": images, "processor_ms_each": round(median(ms), 3), "all_ms_each": [round(one, 3) for one in ms],
        "frames_per_s": None, "mean": float(mine[0]), "std": float(mine[1]), "mean_off": float(mine[0] - theirs[0]),
        "std_off": float(mine[1] - theirs[1]), "standard_error": error,
    }  # fmt: skip


def faster(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many times as fast ours is as the published order of operations."""
    time_of = {bool(row["preprocessing"]): row["processor_ms_each"] for row in rows if row["program"] == "published"}
    names = ("augmentation", "program", "edge", "preprocessing")
    return [
        {name: row[name] for name in names}
        | {"ratio": round(time_of[row["preprocessing"]] / row["processor_ms_each"], 2)}
        for row in rows
        if row["program"] == "ours"
    ]


def loaded(augmentation: Any, store: FrameStore, workers: int, batches: int) -> dict[str, Any]:
    """Frames per second of `CropBatches`, start of the workers left out."""
    batch = len(store)
    source = CropBatches(store, MultiCropSettings(augmentation), batch=batch, seed=0, workers=workers)
    ahead = 2 * workers + 1  # batches that were made while nobody looked
    for number in range(ahead):
        source.batch(number)
    begun, used, each = time.perf_counter(), time.process_time(), []
    for number in range(ahead, ahead + batches):
        last = time.perf_counter()
        source.batch(number)
        each.append(1e3 * (time.perf_counter() - last) / batch)
    wall, used = time.perf_counter() - begun, time.process_time() - used
    source.close()
    frames = batches * batch
    return {
        "augmentation": augmentation, "program": "ours, CropBatches", "edge": store.longest, "preprocessing": True,
        "workers": workers, "frames": frames, "processor_ms_each": round(1e3 * used / frames, 3),
        "all_ms_each": [round(one, 3) for one in each], "frames_per_s": round(frames / wall, 1), "mean": None,
        "std": None, "mean_off": None, "std_off": None, "standard_error": None,
    }  # fmt: skip


if __name__ == "__main__":
    main()
