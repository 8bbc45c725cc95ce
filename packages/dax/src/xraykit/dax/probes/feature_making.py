"""Let a backbone see a set of images once, and keep what it saw; an interrupted run goes on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xraykit.render import InputError, OutputError, XraykitError
from xraykit.render.commands import LeftOut
from xraykit.render.storage import check_result_folder, held_folder, move_held_folder, write_atomically

from .feature_store import RECORD, FeatureStore, feature_digest, open_features, record_text
from .probe_set import ProbeImage, ProbeSet

PROGRESS = "progress.json"


class _Seen(Protocol):
    """What a backbone gives: see `network.Features`."""

    pooled: Tensor
    maps: tuple[Any, ...]


def make_features(
    backbone: nn.Module,
    images: ProbeSet,
    folder: str | Path,
    *,
    maps: bool = False,
    batch: int = 32,
    device: str | torch.device = "cpu",
    report: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    left_out: LeftOut | None = None,
) -> FeatureStore:
    """The features of all images by a backbone, made now or found where an earlier run left them.

    They lie in a folder of their own in `folder`, named by a digest of weights, preprocessing, inputs and format, so
    that nothing outdated is ever read. What is done is kept after each batch: a run that was interrupted goes on there.
    How large they will be is told before the first is written, and a disk without that room is refused.
    The backbone runs in evaluation mode, without gradients and without autocast.

    Args:
        backbone: Any module with `features(images)`, which gives `pooled` (B, D) and `maps`, each with `name`,
            `stride` and `values` (B, C, h, w), from images (B, 1, S, S) float32; three equal
            channels where its config says 3.
        images: What it shall see.
        folder: The cache, made if need be; it may hold features of many backbones and sets.
        maps: Keep the maps as well, in float16.
        batch: Images at a time.
        device: Where the backbone runs.
        report: Called with how many images are done, and how many there are.
        say: Called with a sentence: how large the features will be.
        left_out: Takes the images that cannot be read, now or in the earlier run; None ends at the first.

    Raises:
        InputError: Features that are not finite (in float16, for maps), images of different sizes, two images of one
            name, or another number of images than the set says.
        OutputError: The folder cannot be written to, its disk lacks the room, or another process makes the same there.
        FileError: Stored features that are damaged, or images that cannot be read.
    """
    digest, left_out = feature_digest(backbone, images), left_out or LeftOut(none=True)
    target = Path(folder) / (f"{digest[:24]}-maps" if maps else digest[:24])
    if (store := _kept(Path(folder), digest, left_out, maps=maps)) is not None:
        return store
    work = target.with_name(target.name + ".part")
    check_result_folder(Path(folder))
    try:
        with held_folder(work):
            if (store := _kept(Path(folder), digest, left_out, maps=maps)) is not None:  # another job has just ended
                return store
            made = _Making(work, digest, maps=maps, total=len(images), say=say or (lambda _: None))
            see = _evaluated(backbone, torch.device(device))
            made.run(see, images, batch=batch, report=report or (lambda _, __: None), left_out=left_out)
            move_held_folder(work, target)
    except OSError as error:
        if isinstance(error, XraykitError):
            raise
        raise OutputError(f"{work} could not be written ({error.strerror or error}).") from error
    return open_features(target)


def _kept(folder: Path, digest: str, left_out: LeftOut, *, maps: bool) -> FeatureStore | None:
    """What an earlier run or another job has finished; None where there is none, or it lacks what must not lack."""
    for name in (f"{digest[:24]}-maps", *(() if maps else (digest[:24],))):
        if (folder / name / RECORD).is_file():
            store = open_features(folder / name)
            if not (store.left_out and left_out.none):
                left_out.found += store.left_out
                return store
    return None


def _evaluated(backbone: nn.Module, device: torch.device) -> Callable[[Tensor], _Seen]:
    """The backbone as a function of images on any device."""
    channels = int(getattr(getattr(backbone, "config", None), "channels", 1))
    see: Callable[[Tensor], _Seen] = backbone.to(device).eval().features  # type: ignore[assignment]

    def features(images: Tensor) -> _Seen:
        with torch.inference_mode():
            return see(images.to(device).expand(-1, channels, -1, -1))

    return features


@dataclass
class _Making:
    """Arrays that are filled batch by batch in a folder of work."""

    work: Path
    digest: str
    maps: bool
    total: int
    say: Callable[[str], None]

    def run(
        self,
        features: Callable[[Tensor], _Seen],
        images: ProbeSet,
        *,
        batch: int,
        report: Callable[[int, int], None],
        left_out: LeftOut,
    ) -> None:
        """Fill the arrays and write the record last; what is left out has its room at their end."""
        done, strides = self._resumed()
        cases: list[_Case] = []
        before = len(left_out.found)
        for part in _parts(images.without(left_out), batch):
            first = len(cases)
            cases += [_Case(image) for image in part]
            _check_part(cases, part, first)
            if len(cases) > done:
                strides, arrays = self._arrays(features(torch.stack([one.image for one in part])), part)
                if first <= done:
                    self._check_room(sum(one[0].nbytes for one in arrays.values()), left=self.total - first)
                for name, values in arrays.items():
                    self._put(name, values, first)
                self._progress(len(cases), strides)
            report(len(cases) + len(left_out.found) - before, self.total)
        missing = left_out.found[before:]
        if not cases:
            shutil.rmtree(self.work, ignore_errors=True)
        left_out.check(len(cases))
        if len(cases) + len(missing) != self.total:
            raise InputError(f"the set must give its {self.total} images, got {len(cases)}.")
        masks = all(case.masked for case in cases)
        if not masks:
            (self.work / "masks.npy").unlink(missing_ok=True)
        points = [case.points for case in cases]
        content = {
            "digest": self.digest,
            "names": [case.name for case in cases],
            "patients": [case.patient for case in cases],
            "labels": [case.label for case in cases],
            "masks": masks,
            "maps": strides,
            "keypoints": None if None in points else points,
            "left_out": missing,
        }
        (self.work / PROGRESS).unlink()
        write_atomically(self.work / RECORD, lambda file: file.write(record_text(content)))

    def _resumed(self) -> tuple[int, dict[str, int]]:
        """How many images an earlier run left, and the strides of its maps."""
        try:
            left = json.loads((self.work / PROGRESS).read_bytes())
            return int(left["done"]), dict(left["maps"])
        except (OSError, ValueError, KeyError, TypeError):
            for path in self.work.glob("*.npy"):
                path.unlink()
            return 0, {}

    def _arrays(self, seen: _Seen, part: tuple[ProbeImage, ...]) -> tuple[dict[str, int], dict[str, NDArray[Any]]]:
        """Strides of the maps, and one batch of every array."""
        inputs = torch.stack([one.image[0] for one in part])
        low, high = inputs.amin((1, 2), keepdim=True), inputs.amax((1, 2), keepdim=True)
        arrays = {"images": ((inputs - low) / (high - low).clamp(min=1e-12) * 255).round().byte().numpy()}
        empty = torch.zeros(inputs.shape[1:], dtype=torch.bool)
        masks = torch.stack([empty if one.mask is None else one.mask.bool() for one in part])
        arrays["masks"] = masks.numpy()
        arrays["pooled"] = _finite(seen.pooled.float(), part, "pooled features")
        if not self.maps:
            return {}, arrays
        for one in seen.maps:
            arrays[f"map_{one.name}"] = _finite(one.values.half(), part, f"maps {one.name} in float16")
        return {one.name: int(one.stride) for one in seen.maps}, arrays

    def _check_room(self, each: int, *, left: int) -> None:
        """Say how large the arrays will be; a disk that is full later on would kill the process."""
        self.say(f"features of {self.total} images take {_size(each * self.total)} in {self.work.parent}")
        free = shutil.disk_usage(self.work).free
        if free < each * left:
            raise OutputError(
                f"{self.work.parent} must have room for features of {_size(each * left)}, got {_size(free)} free; make "
                "room, name another --cache, or lower --limit or --size."
            )

    def _put(self, name: str, values: NDArray[Any], first: int) -> None:
        path, shape = self.work / f"{name}.npy", (self.total, *values.shape[1:])
        array = np.lib.format.open_memmap(path, mode="w+" if first == 0 else "r+", dtype=values.dtype, shape=shape)
        if array.shape != shape or first + len(values) > self.total:
            raise InputError(f"{name} of all images must be alike and {self.total}, got {shape} after {array.shape}.")
        array[first : first + len(values)] = values
        array.flush()

    def _progress(self, done: int, strides: dict[str, int]) -> None:
        text = json.dumps({"done": done, "maps": strides}).encode()
        write_atomically(self.work / PROGRESS, lambda file: file.write(text))


class _Case:
    """What the record says of an image."""

    def __init__(self, image: ProbeImage) -> None:
        self.name, self.patient, self.label = image.name, image.patient, image.label
        self.size = image.image.shape[-1]
        self.masked = image.mask is not None
        points = image.keypoints
        self.points = None if points is None else [list(points.shape), points.double().flatten().tolist()]


def _check_part(cases: list[_Case], part: tuple[ProbeImage, ...], first: int) -> None:
    """Raise InputError where a new image has another size than the first, or the name of one before."""
    names = {case.name for case in cases[:first]}
    for image in part:
        if image.name in names:
            raise InputError(f"images must have names of their own, got {image.name} twice.")
        if image.image.shape[-1] != cases[0].size:
            size = image.image.shape[-1]
            raise InputError(f"images must be of one size, got {cases[0].size} and {size} ({image.name}) pixels.")
        names.add(image.name)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _finite(values: Tensor, part: tuple[ProbeImage, ...], what: str) -> NDArray[Any]:
    bad = ~values.flatten(1).isfinite().all(1)
    if bool(bad.any()):
        name = part[int(bad.nonzero()[0, 0])].name
        raise InputError(f"{what} must be finite, got NaN or infinity for {name}; are these the right weights?")
    return values.detach().cpu().numpy()


def _parts(images: Iterator[ProbeImage], batch: int) -> Iterator[tuple[ProbeImage, ...]]:
    if batch < 1:
        raise InputError(f"batch must be 1 image or more, got {batch}.")
    found = []
    for image in images:
        found.append(image)
        if len(found) == batch:
            yield tuple(found)
            found = []
    if found:
        yield tuple(found)
