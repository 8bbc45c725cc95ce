"""A 2D X-ray image that says what its pixel values mean, where its geometry comes from, and what was assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.arrays import tensor_of
from ..geometry.camera import Camera
from ..geometry.checks import check_choice
from ..geometry.intrinsics import crop_camera, resize_camera
from ..storage.provenance import Origin, assumptions
from .frame_geometry import FrameGeometry, doubts_of
from .options import Polarity, Reduction

DisplayStyle = Literal["bone_bright", "bone_dark"]
"""How a picture shows an X-ray: as film does, or as fluoroscopy (bright is much radiation)."""
Unattenuated = float | Literal["auto"] | None

AUTO_QUANTILE = 0.995
AUTO_SAMPLES = 1_000_000
POLARITIES: tuple[str, ...] = get_args(Polarity)


@dataclass(frozen=True, eq=False)
class Radiograph:
    r"""One or several frames of an X-ray image; `polarity` states how a pixel value p follows from the intensity I.

    | polarity | value | what bone looks like |
    |---|---|---|
    | intensity | p = k I, k > 0 | dark |
    | inverted_intensity | p = full_scale - k I | bright |
    | log_intensity | p = p0 + g ln(I / I0), g > 0 | dark |
    | log_attenuation | p = p0 - g ln(I / I0), g > 0 | bright |
    | line_integral | p = -ln(I / I0), dimensionless | bright |

    `unattenuated` is the value p of the open beam (I = I0) in the image's own units: k I0, full_scale - k I0, p0, p0
    or 0. All methods return a new radiograph; none changes the pixels in place.

    Args:
        pixels: (frames, height, width), floating point, finite.
        polarity: See the table.
        camera: Intrinsics of the image as stored (of the first frame where they differ), or None where the file does
            not suffice; `provenance` says why.
        unattenuated: Value of the open beam, None where unknown.
        full_scale: Value of zero intensity; needed by "inverted_intensity" only.
        frame_times: Time of each frame after the first [s], or None.
        provenance: Field name to `Origin`: what gave each fact.
        source: The file it was read from.
        modality: DICOM modality (XA, RF, DX, CR, ...), None for other files.
        of_frames: Camera and facts of each frame, where the file has them frame by frame; `with_frame` takes them.

    Raises:
        InputError: A wrong shape, polarity or missing full_scale; a camera of another size; a pixel that is not finite.
    """

    pixels: Tensor
    polarity: Polarity
    camera: Camera | None = None
    unattenuated: float | None = None
    full_scale: float | None = None
    frame_times: tuple[float, ...] | None = None
    provenance: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))
    source: Path | None = None
    modality: str | None = None
    of_frames: tuple[FrameGeometry, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", tensor_of(self.pixels))
        if self.pixels.ndim != 3 or 0 in self.pixels.shape or not self.pixels.is_floating_point():
            came = f"{self.pixels.dtype} of shape {tuple(self.pixels.shape)}"
            raise InputError(f"pixels must be floating point (frames, height, width) with no empty axis, got {came}.")
        if not bool(torch.isfinite(self.pixels.detach()).all()):
            raise InputError("pixels must be finite, got NaN or infinity; replace dead pixels before.")
        check_choice(self.polarity, "polarity", POLARITIES)
        if self.polarity == "inverted_intensity" and self.full_scale is None:
            raise InputError("inverted_intensity needs full_scale, the value of zero intensity, got None.")
        if self.polarity == "line_integral":
            object.__setattr__(self, "unattenuated", 0.0)
        if self.camera is not None and (self.camera.height, self.camera.width) != tuple(self.pixels.shape[1:]):
            size = f"{self.camera.height}x{self.camera.width}"
            raise InputError(f"camera must have the image size {self.height}x{self.width}, got {size}.")
        if self.frame_times is not None and len(self.frame_times) != self.n_frames:
            raise InputError(f"frame_times must name {self.n_frames} frames, got {len(self.frame_times)}.")
        if self.of_frames and len(self.of_frames) != self.n_frames:
            raise InputError(f"of_frames must describe {self.n_frames} frames, got {len(self.of_frames)}.")
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    @property
    def n_frames(self) -> int:
        """How many frames."""
        return self.pixels.shape[0]

    @property
    def height(self) -> int:
        """Rows."""
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        """Columns."""
        return self.pixels.shape[2]

    @property
    def assumptions(self) -> dict[str, Origin]:
        """The facts that no tag gave."""
        return assumptions(self.provenance)

    @property
    def doubts(self) -> dict[str, Origin]:
        """What is hardly true of the file, or lost of it, of any frame that has facts of its own."""
        return doubts_of(self.provenance, self.of_frames)

    def to_line_integrals(
        self, *, unattenuated: Unattenuated = None, log_gain: float | None = None, floor: float = 1e-6
    ) -> Radiograph:
        r"""The image as line integrals of attenuation, L = -ln(I / I0), bone bright.

        Transmissions I / I0 below `floor` (dead pixels, metal) are lifted to it, so L <= -ln(floor), about 13.8;
        pixels brighter than I0 give a negative L, which is kept.

        Args:
            unattenuated: Value of the open beam in this image's own units. None takes the one the radiograph knows.
                "auto" takes the 99.5th percentile of the open-beam side of all frames (the 0.5th where bone is
                bright), over at most about one million evenly spaced pixels; it is recorded as an assumption and
                wrong by a constant where no pixel saw the open beam.
            log_gain: Value steps g per e-fold of intensity; needed by the two logarithmic polarities, whose files
                rarely state it (1.0 keeps the values' own scale).
            floor: Smallest transmission, in (0, 1).

        Returns:
            A radiograph of polarity "line_integral", dimensionless.

        Raises:
            InputError: The open beam or the gain is unknown or not on the legal side.

        Gradients: to the pixels; zero below `floor`. I0 from "auto" is a constant.
        """
        if not 0 < floor < 1:
            raise InputError(f"floor must lie between 0 and 1 (a transmission), got {floor}.")
        if self.polarity == "line_integral":
            return self
        open_beam = self._open_beam(unattenuated)
        if self.polarity in ("log_intensity", "log_attenuation"):
            if log_gain is None or not log_gain > 0:
                raise InputError(
                    f"a {self.polarity} image needs log_gain > 0 (value steps per e-fold of intensity), got {log_gain};"
                    " pass 1.0 to keep the values' own scale."
                )
            sign = 1.0 if self.polarity == "log_attenuation" else -1.0
            integrals = sign * (self.pixels - open_beam) / log_gain
        else:
            top = self.full_scale if self.polarity == "inverted_intensity" else None
            intensity = self.pixels if top is None else top - self.pixels
            reference = open_beam if top is None else top - open_beam
            if not reference > 0:
                raise InputError(f"the open beam must have a positive intensity, got {reference}; pass unattenuated.")
            integrals = -torch.log((intensity / reference).clamp_min(floor))
        note = f"-ln(I/I0), was {self.polarity}"
        return self._converted(integrals, "line_integral", note, unattenuated, open_beam)

    def to_intensity(
        self, *, unattenuated: Unattenuated = None, log_gain: float | None = None, full_scale: float = 1.0
    ) -> Radiograph:
        r"""The image as transmitted intensity, bone dark.

        intensity stays as it is; inverted_intensity becomes full_scale - p in the image's own units; the logarithmic
        polarities and line integrals become I = full_scale * exp(-L), where `full_scale` is the open beam.

        Args:
            unattenuated: As in `to_line_integrals`; only the logarithmic polarities need it.
            log_gain: As in `to_line_integrals`.
            full_scale: Intensity I0 of the open beam in the result of the exponential cases, positive.

        Returns:
            A radiograph of polarity "intensity". `to_line_integrals` brings line integrals back.

        Raises:
            InputError: As in `to_line_integrals`.

        Gradients: to the pixels.
        """
        if self.polarity == "intensity":
            return self
        if self.polarity == "inverted_intensity":
            top = float(self.full_scale or 0.0)
            known = None if self.unattenuated is None else top - self.unattenuated
            return self._converted(top - self.pixels, "intensity", f"{top:g} - p, was inverted_intensity", None, known)
        if not full_scale > 0:
            raise InputError(f"full_scale must be positive, got {full_scale}.")
        integrals = self.to_line_integrals(unattenuated=unattenuated, log_gain=log_gain)
        note = f"I0 exp(-L), was {self.polarity}"
        return integrals._converted(full_scale * torch.exp(-integrals.pixels), "intensity", note, None, full_scale)

    def with_frame(self, index: int) -> Radiograph:
        """One frame with its own camera and facts; negative indices count from the end."""
        if not -self.n_frames <= index < self.n_frames:
            raise InputError(f"frame must lie in [{-self.n_frames}, {self.n_frames - 1}], got {index}.")
        index %= self.n_frames
        times = None if self.frame_times is None else (self.frame_times[index],)
        one = replace(self, pixels=self.pixels[index : index + 1], frame_times=times, of_frames=())
        if not self.of_frames:
            return one
        own = self.of_frames[index]
        facts = {name: origin for name, origin in self.provenance.items() if name not in self.of_frames[0].facts}
        return replace(one, camera=own.camera, provenance={**facts, **own.facts})

    def reduce(self, how: Reduction) -> Radiograph:
        """All frames as one, per pixel in the image's own polarity: "max" of an intensity is its least opaque moment.

        Gradients: to the frames; "median" is the mean of the two middle values and goes to them.
        """
        ways = {
            "mean": lambda x: x.mean(0, keepdim=True),
            "median": lambda x: torch.quantile(x, 0.5, dim=0, keepdim=True),
            "max": lambda x: x.amax(0, keepdim=True),
            "min": lambda x: x.amin(0, keepdim=True),
        }
        check_choice(how, "how", ways)
        note = {"frames": Origin(1, "computed", f"{how} of {self.n_frames} frames")}
        facts = {**self.provenance, **note}
        return replace(self, pixels=ways[how](self.pixels), frame_times=None, provenance=facts, of_frames=())

    def crop(self, *, top: int = 0, left: int = 0, height: int | None = None, width: int | None = None) -> Radiograph:
        """The rectangle of `height` x `width` pixels from row `top`, column `left`; the camera looks at the same rays.

        c' = c - (left, top) for the principal point c [px]; sdd and spacing stay.
        """
        height = self.height - top if height is None else height
        width = self.width - left if width is None else width
        if top < 0 or left < 0 or height < 1 or width < 1 or top + height > self.height or left + width > self.width:
            asked = f"rows {top} to {top + height}, columns {left} to {left + width}"
            raise InputError(f"crop must lie inside the {self.height}x{self.width} image, got {asked}.")
        pixels = self.pixels[:, top : top + height, left : left + width]
        return self._seen_by(pixels, lambda camera: crop_camera(camera, top=top, left=left, height=height, width=width))

    def binned(self, factor: int) -> Radiograph:
        """The mean of each `factor` x `factor` block; spacing grows by `factor`, the principal point shrinks by it.

        Rows and columns that do not fill a block are cut at the bottom and the right.
        """
        if factor < 1 or factor > min(self.height, self.width):
            raise InputError(f"factor must lie in [1, {min(self.height, self.width)}], got {factor}.")
        pixels = torch.nn.functional.avg_pool2d(self.pixels[:, None], factor)[:, 0]
        height, width = pixels.shape[1:]

        def smaller(camera: Camera) -> Camera:
            whole = crop_camera(camera, top=0, left=0, height=height * factor, width=width * factor)
            return resize_camera(whole, height=height, width=width)

        return self._seen_by(pixels, smaller)

    def to(self, device: torch.device | str) -> Radiograph:
        """The same radiograph with its pixels on another device."""
        return replace(self, pixels=self.pixels.to(device))

    def _seen_by(self, pixels: Tensor, change: Callable[[Camera], Camera]) -> Radiograph:
        """Other pixels of the same rays, by the camera of each frame changed alike."""
        camera = None if self.camera is None else change(self.camera)
        frames = (each._replace(camera=None if each.camera is None else change(each.camera)) for each in self.of_frames)
        return replace(self, pixels=pixels, camera=camera, of_frames=tuple(frames))

    def _open_beam(self, unattenuated: Unattenuated) -> float:
        if unattenuated == "auto":
            values = self.pixels.detach().flatten()
            values = values[:: max(1, values.numel() // AUTO_SAMPLES)]
            bright = self.polarity in ("intensity", "log_intensity")
            return float(torch.quantile(values.float(), AUTO_QUANTILE if bright else 1 - AUTO_QUANTILE))
        known = self.unattenuated if unattenuated is None else unattenuated
        if known is None:
            raise InputError(
                f"a {self.polarity} image needs the value of the open beam, got unattenuated=None and the file names"
                " none; pass a number or 'auto' (99.5th percentile)."
            )
        return float(known)

    def _converted(
        self, pixels: Tensor, polarity: Polarity, note: str, asked: Unattenuated, open_beam: float | None
    ) -> Radiograph:
        facts = {**self.provenance, "polarity": Origin(polarity, "computed", note)}
        if asked == "auto":
            facts["unattenuated"] = Origin(open_beam, "assumed", "99.5th percentile of the open-beam side, all frames")
        elif open_beam is not None:
            facts["unattenuated"] = Origin(open_beam, "computed", "value of the open beam")
        return replace(
            self, pixels=pixels, polarity=polarity, unattenuated=open_beam, full_scale=None, provenance=facts
        )
