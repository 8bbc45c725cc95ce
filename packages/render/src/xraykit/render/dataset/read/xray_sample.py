"""One sample of a data set: the image as numbers, and what is known of it, decoded when asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import FileError, GeometryError
from ...geometry.camera import Camera
from ...geometry.detector_plane import pixel_axes
from ...geometry.rigid import check_pose
from ...radiographs.shutters import CircularShutter, RectangularShutter, Shutter
from ...storage.json_object import parse_json
from ..format.line_array import decode_lines
from ..format.run_lengths import MOST_PIXELS, decode_run_lengths
from ..format.sample_tiff import decode_tiff
from ..format.tissue_grid import TissueGrid, decode_tissue
from .tar import RawSample

IMAGE, RECORD, MASKS, LINES, TISSUE = "image.tiff", "json", "masks.json", "lines.npy", "tissue.bin"


class SampleLandmarks(NamedTuple):
    """Names of N points, where they are (N, 3) RAS [mm], where they appear (N, 2) [px], whether in view (N,)."""

    names: tuple[str, ...]
    world: Tensor
    uv: Tensor
    visible: Tensor


@dataclass(frozen=True, eq=False)
class XraySample:
    """One X-ray with its truth. Everything but image and record is decoded on first use, and then kept.

    Args:
        key: {patient}_{view}, unique in the data set.
        image: The stored codes over 65535, (1, H, W) float32 in [0, 1], bright where much radiation arrives.
            `intensity` and `log_attenuation` say what they mean.
        record: The sample's JSON: view, camera, labels, annotations, landmarks, description, tools, physics.
        lines: Line integrals without noise and scatter, (1, H, W) float32, or None if not stored or not asked for.
        mask_text: The masks' JSON, or None if not asked for.
        tissue_text: The packed cells of the patient, or None if not stored or not asked for.

    Raises:
        FileError: A property whose part of the record says something impossible.
    """

    key: str
    image: Tensor
    record: Mapping[str, Any]
    lines: Tensor | None = None
    mask_text: bytes | None = None
    tissue_text: bytes | None = None

    def log_attenuation(self) -> Tensor:
        r"""-ln(intensity), (1, H, W) float32: bone bright, about 0 in the open beam.

        log_attenuation = -ln(floor) - image ln(ceiling / floor)
        """
        low, high = self._log_range
        return -low - self.image * (high - low)

    def intensity(self) -> Tensor:
        """Intensity relative to the central ray in air, (1, H, W) float32; floor (ceiling / floor)^image."""
        return (-self.log_attenuation()).exp()

    @property
    def split(self) -> str:
        """What the patient is for."""
        return str(self.record.get("split"))

    @property
    def patient(self) -> int:
        """The patient's number."""
        return int(self._get("patient", int))

    @property
    def view(self) -> str:
        """The view's name."""
        return str(self._get("view", dict).get("name", "unknown"))

    @property
    def region(self) -> str:
        """The region of the body: that of the view, else that of the patient, else "unknown"."""
        sources = (self._get("view", dict), self._get("description", dict))
        return next((region for entry in sources if isinstance(region := entry.get("region"), str)), "unknown")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the N annotations: organs and tools."""
        return tuple(str(one["name"]) for one in self._annotations)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Whether an annotation is an "organ" or a "tool"."""
        return tuple(str(one.get("kind")) for one in self._annotations)

    @cached_property
    def boxes(self) -> Tensor:
        """Boxes around the masks, (N, 4) float32 as (x0, y0, x1, y1) [px], pixel borders at whole numbers."""
        try:
            boxes = torch.tensor([one["bbox"] for one in self._annotations], dtype=torch.float32).reshape(-1, 4)
        except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise self._wrong("annotations must each have a bbox of four numbers") from error
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    @cached_property
    def areas(self) -> Tensor:
        """Pixels of each mask, (N,) int64."""
        try:
            return torch.tensor([one["area"] for one in self._annotations], dtype=torch.int64)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._wrong("annotations must each have an area in pixels") from error

    @cached_property
    def masks(self) -> Tensor:
        """The masks in the order of `names`, (N, H, W) bool; amodal, so they overlap. One takes about 0.1 ms."""
        return self._decoded([[n] for n in range(len(self.names))])

    def masks_of(self, names: Sequence[str]) -> Tensor:
        """The masks of these names alone, (len(names), H, W) bool; empty where the image shows no such thing."""
        return self._decoded([[n for n, found in enumerate(self.names) if found == name] for name in names])

    def _decoded(self, wanted: Sequence[Sequence[int]]) -> Tensor:
        """One mask for each group of annotations: their union."""
        runs, size = self._runs, self._size
        columns = np.zeros((len(wanted), size[1], size[0]), dtype=np.bool_)
        for mask, members in zip(columns, wanted, strict=True):
            for n in members:
                mask |= decode_run_lengths(runs[n], size).T
        return torch.from_numpy(columns).mT.contiguous()

    @cached_property
    def _runs(self) -> list[str]:
        if self.mask_text is None:
            raise FileError(f'{self.key}: masks were not read; ask the data set for parts=("image", "masks").')
        runs, size = _json(self.mask_text, list, f"{self.key}.{MASKS}"), list(self._size)
        if [one.get("name") if isinstance(one, dict) else None for one in runs] != list(self.names):
            raise self._wrong(f"annotations and {MASKS} must name the same things in the same order")
        if not all(one.get("size") == size and isinstance(one.get("counts"), str) for one in runs):
            raise self._wrong(f"masks must be run lengths of {size[0]} x {size[1]} pixels")
        return [one["counts"] for one in runs]

    @cached_property
    def tissue(self) -> TissueGrid:
        """Which cells of the patient hold tissue and which bone, where the data set was made with image.tissue."""
        if "tissue" not in self.record:
            raise FileError(f"{self.key} has no tissue; make the data set with image.tissue, such as 64.")
        if self.tissue_text is None:
            raise FileError(f'{self.key}: tissue was not read; ask the data set for parts=("image", "tissue").')
        return decode_tissue(self.tissue_text, self._get("tissue", dict), f"{self.key}.{TISSUE}")

    @cached_property
    def open_field(self) -> Tensor:
        """Pixels whose centre the collimator leaves open, (H, W) bool."""
        height, width = self._size
        entry = self._get("physics", dict).get("shutter")
        if entry is None:
            return torch.ones(height, width, dtype=torch.bool)
        try:
            kind, numbers = next(iter(entry.items()))
            shutter: Shutter = {"circle": CircularShutter, "rectangle": RectangularShutter}[kind](*map(float, numbers))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, StopIteration) as error:
            raise self._wrong("physics.shutter must be a circle, a rectangle or null") from error
        u, v = pixel_axes(height, width, dtype=torch.float32, device="cpu")
        return shutter.outside(u, v[:, None]) <= 0

    @cached_property
    def camera(self) -> Camera:
        """Intrinsics."""
        entry = self._get("camera", dict)
        try:
            return Camera(
                float(entry["sdd"]),
                *self._size,
                pixel_spacing=[float(side) for side in entry["pixel_spacing"]],
                principal_point=[float(side) for side in entry["principal_point"]],
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._wrong(f"camera must be as in pose.json ({error})") from error

    @cached_property
    def pose(self) -> Tensor:
        """Camera to world RAS [mm], (4, 4) float64."""
        try:
            pose = torch.tensor(self._get("camera", dict)["camera_to_world"], dtype=torch.float64)
            check_pose(pose[None], name="camera_to_world")
        except (KeyError, TypeError, ValueError, OverflowError, GeometryError) as error:
            raise self._wrong(f"camera_to_world must be a rigid motion ({error})") from error
        return pose

    @cached_property
    def landmarks(self) -> SampleLandmarks:
        """Named points of the patient."""
        by_name = self._get("landmarks", dict)
        try:
            world = torch.tensor([one["world"] for one in by_name.values()], dtype=torch.float64).reshape(-1, 3)
            uv = torch.tensor([one["uv"] for one in by_name.values()], dtype=torch.float64).reshape(-1, 2)
            visible = torch.tensor([bool(one["visible"]) for one in by_name.values()], dtype=torch.bool)
        except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise self._wrong("landmarks must each have world, uv and visible") from error
        return SampleLandmarks(tuple(by_name), world, uv, visible)

    @cached_property
    def _log_range(self) -> tuple[float, float]:
        image = self._get("image", dict)
        scale = image.get("scale")
        scale = scale if isinstance(scale, dict) else {}
        floor: Any = scale.get("floor")
        ceiling: Any = scale.get("ceiling")
        numbers = isinstance(floor, int | float) and isinstance(ceiling, int | float)
        if scale.get("law") == "log" and numbers and 0 < float(floor) < float(ceiling) < math.inf:
            return math.log(float(floor)), math.log(float(ceiling))
        raise self._wrong("image.scale must be a log law from floor to ceiling")

    @property
    def _size(self) -> tuple[int, int]:
        entry = self._get("camera", dict)
        height, width = entry.get("height"), entry.get("width")
        if type(height) is not int or type(width) is not int or min(height, width) < 1 or height * width > MOST_PIXELS:
            raise self._wrong(f"camera must have a height and width in pixels, {MOST_PIXELS} together at most")
        return height, width

    @property
    def _annotations(self) -> list[dict[str, Any]]:
        entries = self._get("annotations", list)
        if not all(isinstance(one, dict) and "name" in one for one in entries):
            raise self._wrong("annotations must each have a name")
        return entries

    def _get(self, name: str, kind: type) -> Any:
        value = self.record.get(name)
        if type(value) is not kind:
            raise self._wrong(f"{name} must be of type {kind.__name__}, got {str(value)[:60]!r}")
        return value

    def _wrong(self, expected: str) -> FileError:
        return FileError(f"{self.key}.{RECORD}: {expected}; make the data set again.")


def decode_sample(raw: RawSample, *, where: str) -> XraySample:
    """The sample that the members of a shard make: those that were read.

    Raises:
        FileError: A member is missing or damaged; the sentence names it.
    """
    name = f"{where}: {raw.key}"
    if RECORD not in raw.members:
        raise FileError(f"{name} must have a member .{RECORD}, got {', '.join(raw.members) or 'none'}.")
    record = _json(raw.members[RECORD], dict, f"{name}.{RECORD}")
    if record.get("key") != raw.key:
        raise FileError(f'{name}.{RECORD} must say "key": "{raw.key}", got {str(record.get("key"))[:80]!r}.')
    image, lines = raw.members.get(IMAGE), raw.members.get(LINES)
    sample = XraySample(
        raw.key,
        torch.empty(0) if image is None else _shares(decode_tiff(image, f"{name}.{IMAGE}")),
        record,
        None if lines is None else decode_lines(lines, f"{name}.{LINES}"),
        raw.members.get(MASKS),
        raw.members.get(TISSUE),
    )
    size = sample._size
    for array in (sample.image if image is not None else None, sample.lines):
        if array is not None and tuple(array.shape) != (1, *size):
            came = "x".join(map(str, array.shape[1:]))
            raise FileError(f"{name} must have arrays of its camera's {size[0]}x{size[1]} pixels, got {came}.")
    return sample


def _shares(codes: NDArray[np.uint16]) -> Tensor:
    return torch.from_numpy(codes.astype(np.float32)[None]).mul_(1 / 65_535)


def _json(content: bytes, kind: type, name: str) -> Any:
    value = parse_json(content, place=name)
    if not isinstance(value, kind):
        raise FileError(f"{name} must hold a JSON {'object' if kind is dict else 'list'}, got {type(value).__name__}.")
    return value
