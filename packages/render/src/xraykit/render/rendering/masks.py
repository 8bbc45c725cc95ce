"""Amodal masks of organs and tools as one bit-set, and what follows from them: groups, boxes, areas, path lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.torch_modes import full_precision
from ..volumes.label_names import find_labels, match_names
from ..volumes.volume import Volume
from .options import Backend
from .rendering import label_bits, render

Kind = Literal["organ", "tool"]
WORD = 32


class MaskEntry(NamedTuple):
    """One mask: its name, what it is of, the label value (organ) or place in the scene (tool), and its bit."""

    name: str
    kind: Kind
    value: int
    bit: int


@dataclass(frozen=True, eq=False)
class MaskSet:
    """Masks of B views, one bit each: `entries[m].bit` = 32 w + n is bit n of word w of `bits`.

    Masks are amodal: a rib behind the heart and a screw are in all three masks.

    Args:
        bits: (B, W, H, W') int32 words.
        entries: Name and bit of each mask, in the order in which results list them.
    """

    bits: Tensor
    entries: tuple[MaskEntry, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each mask."""
        return tuple(entry.name for entry in self.entries)

    def find(self, wanted: str, *, kind: Kind | None = None) -> tuple[int, ...]:
        """Positions in `entries` of a name, group or pattern as in `find_labels`; "organs" and "tools" mean all such.

        Args:
            wanted: What to look for.
            kind: Look among organs or tools only.

        Raises:
            InputError: Nothing matches.
        """
        chosen = {m: entry for m, entry in enumerate(self.entries) if kind in (None, entry.kind)}
        if wanted in ("organs", "tools"):
            found = tuple(m for m, entry in chosen.items() if entry.kind == wanted[:-1])
        else:
            found = match_names({m: entry.name for m, entry in chosen.items()}, wanted)
        if not found:
            known = ", ".join(sorted(set(self.names))[:8])
            raise InputError(f"no mask matches {wanted!r}; there are {known or 'none'}, and so on.")
        return found

    def mask(self, wanted: str, *, kind: Kind | None = None) -> Tensor:
        """The mask of a name, group or pattern, (B, H, W) bool: the pixelwise OR of its members.

        Raises:
            InputError: Nothing matches.
        """
        needed = [0] * self.bits.shape[1]
        for m in self.find(wanted, kind=kind):
            needed[self.entries[m].bit // WORD] |= 1 << (self.entries[m].bit % WORD)
        signed = [word - (1 << WORD) if word >> (WORD - 1) else word for word in needed]
        return (self.bits & torch.tensor(signed, dtype=torch.int32, device=self.bits.device)[:, None, None]).any(dim=1)

    def stack(self) -> Tensor:
        """Every mask, (B, M, H, W) bool in the order of `entries`; one byte per pixel and mask."""
        bit = torch.tensor([entry.bit for entry in self.entries], dtype=torch.int64, device=self.bits.device)
        return (self.bits[:, bit // WORD] >> (bit % WORD)[:, None, None]) & 1 == 1

    def boxes(self) -> Tensor:
        """Bounding boxes (x0, y0, x1, y1) [px], (B, M, 4) int64: columns x0 <= c < x1 and rows y0 <= r < y1.

        Pixel borders lie at integers (centres at half-integers), so x0 and x1 are the borders that enclose the mask
        and x1 - x0 is its width. The box of an empty mask is (0, 0, 0, 0).
        """
        mask = self.stack()
        x0, x1 = _span(mask.any(dim=-2))
        y0, y1 = _span(mask.any(dim=-1))
        return torch.stack([x0, y0, x1, y1], dim=-1)

    def areas(self) -> Tensor:
        """Pixels in each mask, (B, M) int64."""
        return self.stack().sum(dim=(-2, -1))


@full_precision
def scene_masks(
    volumes: Sequence[Volume],
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    thickness: Float[Tensor, "batch tools {camera.height} {camera.width}"] | None = None,
    tool_names: Sequence[str] = (),
    backend: Backend = "auto",
) -> MaskSet:
    """The masks of every organ label and every tool, in one march per labelled volume.

    An organ's mask holds the pixels whose ray crosses a voxel of that label (see `label_bits`); a tool's those whose
    ray spends more than 0 mm in its mesh. Volumes without labels add nothing. Organs of several volumes may share a
    name; each keeps its own mask, and `MaskSet.mask(name)` joins them. A label value without a name is called "label 7"
    and listed where a view shows it.

    Args:
        volumes: Patient and phantoms.
        camera: Intrinsics.
        pose: Camera to world, (B, 4, 4).
        thickness: Path lengths in the tools' meshes [mm], (B, T, H, W).
        tool_names: A name for each of the T tools.
        backend: As for `render`.

    Raises:
        InputError: Names and thickness do not fit each other.
    """
    count = 0 if thickness is None else thickness.shape[1]
    if len(tool_names) != count:
        raise InputError(f"tool_names must name each of {count} tools in thickness, got {len(tool_names)} names.")
    words: list[Tensor] = []
    entries: list[MaskEntry] = []
    for volume in volumes:
        if volume.labels is None:
            continue
        first = WORD * sum(part.shape[1] for part in words)
        words.append(label_bits(volume, camera, pose, backend=backend))
        entries += [
            MaskEntry(name, "organ", value, first + value) for value, name in _organs(volume, words[-1]).items()
        ]
    if thickness is not None and count:
        first = WORD * sum(part.shape[1] for part in words)
        words.append(_packed(thickness.detach() > 0))
        entries += [MaskEntry(name, "tool", n, first + n) for n, name in enumerate(tool_names)]
    if not words:
        views = len(pose) if pose.ndim == 3 else 1
        words = [torch.zeros(views, 1, camera.height, camera.width, dtype=torch.int32, device=pose.device)]
    return MaskSet(torch.cat(words, dim=1), tuple(entries))


@full_precision
def path_lengths(
    volume: Volume,
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    wanted: Sequence[str] | None = None,
    backend: Backend = "auto",
) -> dict[str, Float[Tensor, "batch {camera.height} {camera.width}"]]:
    """How far each ray travels in the voxels of a label, or of a group of labels [mm].

    The exact chord through the voxels (Siddon's projector on attenuation 1 per mm), so a group's length is the sum of
    its members'.

    Args:
        volume: A volume with labels.
        camera: Intrinsics.
        pose: Camera to world, (B, 4, 4).
        wanted: Names, groups or patterns as in `find_labels`; None takes every named label that occurs.
        backend: As for `render`.

    Returns:
        {wanted name: (B, H, W) [mm]}.

    Raises:
        InputError: The volume has no labels, or a name matches none.

    Gradients: to pose and camera.
    """
    if volume.labels is None:
        raise InputError("path_lengths needs a volume with a label map, got none; give Volume.from_file labels=seg.")
    present = torch.nonzero(torch.bincount(volume.labels.reshape(-1)))[:, 0].tolist()
    if wanted is None:
        groups = {volume.label_names.get(v, f"label {v}"): (v,) for v in present if v > 0}
    else:
        groups = {name: find_labels(volume.label_names, name) for name in wanted}
    channel = {v: n + 1 for n, v in enumerate(sorted({v for members in groups.values() for v in members}))}
    table = torch.zeros(max([*present, *channel]) + 1, dtype=torch.int16, device=volume.device)
    for value, n in channel.items():
        table[value] = n
    ones = Volume(torch.ones_like(volume.mu, dtype=torch.float32), volume.affine, labels=table[volume.labels.long()])
    lengths = render(ones, camera, pose, method="siddon", backend=backend, labels="hard")
    missing = torch.zeros_like(lengths[:, 0])
    return {
        name: sum((lengths[:, channel[v]] for v in members if channel[v] < lengths.shape[1]), start=missing)
        for name, members in groups.items()
    }


def _organs(volume: Volume, bits: Tensor) -> dict[int, str]:
    """{label value: name} of every label that `bits` has room for, in ascending order; 0 is background."""
    words = bits.transpose(0, 1).flatten(1)
    while words.shape[1] > 1:  # halves, laid on each other, until one pixel has the bits of all
        half = (words.shape[1] + 1) // 2
        words = words[:, :half] | words[:, -half:]
    places = torch.arange(WORD, dtype=torch.int32, device=bits.device)
    shown = (words >> places & 1).flatten().tolist()  # one wait for the device
    names, values = volume.label_names, range(1, len(shown))
    return {value: names.get(value, f"label {value}") for value in values if value in names or shown[value]}


def _span(touched: Tensor) -> tuple[Tensor, Tensor]:
    """First touched index and one past the last along the final axis, zeros where nothing is touched."""
    index = torch.arange(touched.shape[-1], device=touched.device)
    last = torch.where(touched, index + 1, 0).amax(dim=-1)
    first = torch.where(touched, index, touched.shape[-1]).amin(dim=-1)
    return torch.where(last > 0, first, 0), last


def _packed(masks: Tensor) -> Tensor:
    """Booleans (B, M, H, W) as int32 words (B, ceil(M / 32), H, W)."""
    words = []
    for chunk in masks.split(WORD, dim=1):
        word = torch.zeros_like(chunk[:, 0], dtype=torch.int32)
        for n in range(chunk.shape[1]):
            word |= chunk[:, n].to(torch.int32) << n
        words.append(word)
    return torch.stack(words, dim=1)
