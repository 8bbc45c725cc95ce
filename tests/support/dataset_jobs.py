"""A small data set job: a folder of tiny CTs with labels, and the configuration that X-rays them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from xraykit.render import write_volume

NAMES = {1: "liver", 2: "spleen"}
CONFIG = """
seed: 11
patients:
  ct: {{folder: ct, volumes: "*_ct.nii.gz", labels: "{{name}}.seg.nii.gz"}}
views: {{per_patient: {per_patient}, random: 0.5, ranges: {{deepfluoro: 0.5}}}}
tools: {{share: 0.5, count: [1, 2], instruments: [k_wire, needle]}}
physics: {{samples: 20}}
image: {{size: [24, 32], line_integrals: float16}}
split: {{train: 3, test: 1}}
images_per_shard: {per_patient}
"""


def write_ct(folder: Path, name: str, *, size: int) -> None:
    """A block of tissue with two organs in it, `size` mm wider than another of size 0."""
    affine = torch.diag(torch.tensor([12.0, 12.0, 12.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = -90.0
    hu = torch.full((16, 16, 16), -1000, dtype=torch.int16)
    labels = torch.zeros(16, 16, 16, dtype=torch.uint8)
    hu[2:14, 4 : 10 + size, 3:13] = 30
    labels[5:9, 5:8, 4:8], labels[5:9, 5:8, 9:12] = 1, 2
    hu[labels > 0] = 70
    write_volume(folder / f"{name}_ct.nii.gz", hu, affine)
    write_volume(folder / f"{name}_ct.seg.nii.gz", labels, affine, label_names=NAMES)


def write_job(folder: Path, *, patients: int = 4, per_patient: int = 3, extra: str = "") -> Path:
    """The configuration file in a folder, with its CTs beside it."""
    (folder / "ct").mkdir(parents=True)
    for number in range(patients):
        write_ct(folder / "ct", f"p{number}", size=number % 5)
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(per_patient=per_patient) + extra, encoding="utf-8")
    return path


@contextmanager
def in_this_process() -> Iterator[None]:
    """Jobs make their shards in this process: for what does not hang on the processes, whose start takes seconds."""
    from xraykit.render.dataset.make import job
    from xraykit.render.dataset.make.shard_work import make_shard

    def engine(kind, folder, plan, numbers, *_):
        for number in numbers:
            done: list[int] = []
            record = make_shard(folder, number, plan.config_sha256, done.append)
            yield from (*done, record)

    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "_engine", engine)
        try:
            yield
        finally:
            torch.set_num_threads(before)  # a shard takes one


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every shard in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.tar"))}


def leftovers(folder: Path) -> list[str]:
    """Temporary files that nobody removed."""
    return sorted(path.name for path in folder.rglob("*.part"))
