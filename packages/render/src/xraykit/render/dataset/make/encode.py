"""From a simulated X-ray to the members of one sample: 16-bit image, masks, and the text that explains them."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...extras import require
from ...geometry.camera import Camera
from ...rendering.masks import WORD, MaskSet
from ...simulation.scene import PlacedTool
from ...volumes.landmarks import Landmarks, project_landmarks

FLOOR, CEILING, HIGHEST = 1e-6, 2.0, 65_535

SCALE: dict[str, object] = {
    "law": "log",
    "floor": FLOOR,
    "ceiling": CEILING,
    "formula": "intensity = floor * (ceiling / floor) ** (code / 65535)",
}
"""What a code means. Equal steps of the logarithm are equal steps of line integral, 2.2e-4 each, in air and in bone.

A linear code would leave three steps to a hip at 1e-4 of the beam. The ceiling leaves room for noise and scatter above
the beam in air; the floor is where `Simulation.line_integrals` ends. Code 0 is the floor and all that is below.
"""


def to_codes(intensity: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Intensity relative to air as 16-bit codes; see `SCALE`. Off by at most 1.1e-4 of itself from floor to ceiling."""
    share = np.log(np.maximum(intensity.astype(np.float64), FLOOR) / FLOOR) / math.log(CEILING / FLOOR)
    return np.rint(HIGHEST * np.minimum(share, 1.0)).astype(np.uint16)


def to_intensity(codes: NDArray[np.uint16]) -> NDArray[np.float64]:
    """What codes mean: intensity relative to the central ray in air."""
    return FLOOR * (CEILING / FLOOR) ** (codes.astype(np.float64) / HIGHEST)


def image_bytes(intensity: NDArray[np.floating]) -> bytes:
    """An image (H, W) as 16-bit TIFF without compression: any viewer opens it, and it is read in 0.2 ms at 256 x 256.

    PNG takes four times as long and saves a fifth where there is noise.
    """
    file = io.BytesIO()
    Image.fromarray(to_codes(intensity)).save(file, format="TIFF")
    return file.getvalue()


def array_bytes(values: NDArray[np.floating]) -> bytes:
    """An array as .npy."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def json_bytes(record: object) -> bytes:
    """One line of JSON; the order of keys is that of the record."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def mask_records(masks: MaskSet, keep: Sequence[bool]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The annotations and the run lengths of one view's masks, those that have a pixel, in the order of `entries`.

    Args:
        masks: Masks of one view.
        keep: Which entries are wanted.

    Returns:
        [{"name", "kind", "bbox": [x, y, width, height] px, "area": px}] and [{"name", "size": [H, W], "counts"}].
    """
    words = masks.bits[0]
    present = _present(words)
    found = [
        entry
        for entry, wanted in zip(masks.entries, keep, strict=True)
        if wanted and present[entry.bit // WORD] >> (entry.bit % WORD) & 1
    ]
    by_column = np.ascontiguousarray(words.numpy().swapaxes(1, 2))  # as run lengths go
    columns = np.empty((len(found), *by_column.shape[1:]), dtype=np.bool_)
    for n, entry in enumerate(found):
        columns[n] = by_column[entry.bit // WORD] & (np.int32(1) << np.int32(entry.bit % WORD)) != 0
    coder = run_length_coder()
    runs = coder.encode(columns.view(np.uint8).transpose(2, 1, 0))
    annotations = [
        {"name": entry.name, "kind": entry.kind, "bbox": [int(side) for side in box], "area": int(area)}
        for entry, box, area in zip(found, coder.toBbox(runs), coder.area(runs), strict=True)
    ]
    texts = [
        {"name": entry.name, "size": [int(side) for side in run["size"]], "counts": run["counts"].decode()}
        for entry, run in zip(found, runs, strict=True)
    ]
    return annotations, texts


def landmark_records(landmarks: Landmarks) -> dict[str, dict[str, Any]]:
    """{name: {"world": mm, "uv": px, "visible"}} of one view, in micrometres and thousandths of a pixel."""
    return {
        name: {
            "world": _rounded(landmarks.world[n]),
            "uv": _rounded(landmarks.uv[0, n]),
            "visible": bool(landmarks.visible[0, n]),
        }
        for n, name in enumerate(landmarks.names)
        if bool(torch.isfinite(landmarks.uv[0, n]).all())
    }


def tool_records(tools: Sequence[PlacedTool], camera: Camera, pose: Tensor) -> list[Mapping[str, Any]]:
    """[{"name", "description", "material", "pose": mesh to world 4x4, "ends"}] of one view.

    "ends" holds the two ends of the mesh along its own z-axis, {"tip", "head": as `landmark_records`}: built-in
    instruments point with their tip to the origin. An end behind the source has no entry.
    """
    return [
        {
            "name": tool.name,
            "description": tool.mesh.description,
            "material": tool.material.name,
            "pose": _matrix(tool).tolist(),
            "ends": landmark_records(project_landmarks(_ends(tool), camera, pose)),
        }
        for tool in tools
    ]


def _matrix(tool: PlacedTool) -> Tensor:
    return tool.pose.detach().double().reshape(-1, 4, 4)[0]


def _ends(tool: PlacedTool) -> dict[str, Tensor]:
    """Where the long axis of a tool enters and leaves its bounding box, world RAS [mm]."""
    low, high = tool.mesh.bounds.detach().double()
    middle, matrix = (low + high) / 2, _matrix(tool)
    heights = {"tip": low[2], "head": high[2]}
    return {
        name: matrix[:3, :3] @ torch.stack([middle[0], middle[1], height]) + matrix[:3, 3]
        for name, height in heights.items()
    }


def run_length_coder() -> ModuleType:
    """pycocotools.mask, which writes masks as COCO's compressed run lengths.

    Raises:
        BackendUnavailableError: It is not installed.
    """
    return require("pycocotools.mask", extra="dataset", what="a data set with masks")


def _present(words: Tensor) -> list[int]:
    """The bits that any pixel has, word by word, as non-negative numbers."""
    seen = np.bitwise_or.reduce(words.reshape(len(words), -1).numpy(), axis=1)
    return [int(word) & 0xFFFFFFFF for word in seen]


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 3) for value in values.tolist()]
