"""How fast a data set is made, and whether its bytes survive workers, engines and SIGKILL.

python -m benchmarks.speed.dataset                      # 1000 images, then hashes and ten kills on a small set
python -m benchmarks.speed.dataset --images 100 --kills 0
python -m benchmarks.speed.dataset --plan examples/fluorosam/fluoroseg.yaml --images 520 --output fluoroseg.json
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from xraykit.render import make_dataset, read_dataset_config
from xraykit.render.dataset import DatasetConfig, ImageSettings, PatientSources, ProceduralPatients, ViewSettings
from xraykit.render.dataset.plan.config_file import config_text

from ..common.progress import say
from ..common.result import RESULTS, Start, save

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from xraykit.render.cli.umbrella import main; main()", "dataset", "make")


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    scene = {"name": f"procedural patients of {asked.plan.resolve().relative_to(ROOT).as_posix()}"}
    start = Start.now()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        making = rate(Path(folder), asked.plan, asked.images, asked.workers)
        equality = equal_bytes(Path(folder), asked.ray)
        longest = equality["seconds"]["local, 2 workers"]
        killing = kills(Path(folder), asked.kills, longest=longest) if asked.kills else None
    summary = {"equal_bytes": equality, "kills": killing}
    save(
        start.result("dataset", [making], threads={"workers": asked.workers}, scene=scene, summary=summary),
        asked.output,
    )
    say(f"wrote {asked.output}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.dataset", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--images", type=int, default=1000, help="images of the plan to make")
    parser.add_argument("--plan", type=Path, default=ROOT / "examples/datasets/mixed.yaml", help="in this checkout")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=10, help="SIGKILLs at random times, each followed by --resume")
    parser.add_argument("--ray", action="store_true", help="compare with Ray's bytes too")
    parser.add_argument("--folder", type=Path, default=None, help="where to put the data sets; a temporary folder")
    parser.add_argument("--output", type=Path, default=RESULTS / "dataset--cpu.json")
    return parser.parse_args(arguments)


def rate(folder: Path, plan: Path, images: int, workers: int) -> dict[str, object]:
    """Images per second of an example, patients and start of the processes included."""
    config = read_dataset_config(plan)
    patients = max(1, images // config.views.per_patient)
    procedural = replace(config.patients.procedural, count=patients)
    config = replace(config, patients=replace(config.patients, procedural=procedural))
    begun = time.perf_counter()
    summary = make_dataset(config, folder / "made", workers=workers, report=progress)
    seconds = time.perf_counter() - begun
    made = sum(shard.samples for shard in summary.shards)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime
    say(f"{made} images in {seconds:.1f} s, {made / seconds:.2f} images/s with {workers} workers; {busy:.0f} s of CPU")
    return {
        "images": made, "patients": patients, "size": list(config.image.size), "grid": config.patients.procedural.size,
        "workers": workers, "seconds": round(seconds, 2), "images_per_second": round(made / seconds, 3),
        "cpu_seconds": round(busy, 1), "peak_worker_mb": round(used.ru_maxrss / 1024),
        "megabytes": round(sum(shard.bytes for shard in summary.shards) / 1e6, 1),
        "skipped": [skipped.reason for shard in summary.shards for skipped in shard.skipped],
    }  # fmt: skip


def small() -> DatasetConfig:
    """A mixed data set that takes some seconds per shard."""
    return DatasetConfig(
        seed=3, patients=PatientSources(ProceduralPatients(count=8, size=48)), views=ViewSettings(per_patient=6),
        image=ImageSettings((96, 96)),
        images_per_shard=6,
    )  # fmt: skip


def equal_bytes(folder: Path, ray: bool) -> dict[str, Any]:
    """SHA-256 over all shards of the small set, made by one worker, two, and Ray."""
    runs = {"local, 1 worker": ("local", 1), "local, 2 workers": ("local", 2)}
    if ray:
        runs["ray, 2 workers"] = ("ray", 2)
    found, seconds = {}, {}
    for number, (name, (engine, workers)) in enumerate(runs.items()):
        begun = time.perf_counter()
        summary = make_dataset(small(), folder / f"small{number}", engine=engine, workers=workers)  # type: ignore[arg-type]
        seconds[name] = round(time.perf_counter() - begun, 1)
        found[name] = digest(summary.folder)
        say(f"{name}: {found[name]}")
    return {"sha256": found, "seconds": seconds, "equal": len(set(found.values())) == 1}


def kills(folder: Path, count: int, *, longest: float) -> dict[str, object]:
    """Kill the command with two workers within `longest` seconds and resume it, `count` times; then let it end."""
    config, target, chance = folder / "small.yaml", folder / "killed", random.Random(0)
    config.write_text(config_text(small()), encoding="utf-8")
    command = [*COMMAND, str(config), "-o", str(target), "--resume", "--workers", "2"]
    finished = []
    while len(finished) < count:
        stale = set(target.glob(".*.part"))
        job = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while set(target.glob(".*.part")) <= stale and job.poll() is None:
            time.sleep(0.05)
        try:
            if job.wait(timeout=chance.uniform(0.0, longest / 2)):
                raise RuntimeError(f"{' '.join(command)} ended with {job.returncode}")
        except subprocess.TimeoutExpired:
            job.kill()
            job.wait()
            finished.append(len(list(target.glob("*.tar"))))
            say(f"kill {len(finished)}: {finished[-1]} shards finished")
        else:
            for path in list(target.glob("*.tar"))[:4]:
                path.unlink()  # too fast for the dice: take some away again
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole = digest(folder / "small0")
    say(f"killed {count} times: {digest(target)}")
    return {"count": count, "finished_shards_at_kill": finished, "sha256": digest(target),
            "equal": digest(target) == whole, "left_over": len(list(target.rglob("*.part")))}  # fmt: skip


def digest(folder: Path) -> str:
    """One SHA-256 over names and contents of all shards."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.tar")):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def progress(done: int, total: int) -> None:
    """A line now and then."""
    if done % 100 == 0:
        say(f"{done}/{total}")


if __name__ == "__main__":
    main()
