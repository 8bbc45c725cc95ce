"""How a scene is X-rayed: beam, dose, scatter, detector and march."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ..errors import InputError
from ..physics.detector import Detector
from ..physics.scatter import ScatterKernel
from ..physics.spectrum import AnySpectrum, Spectrum
from ..radiographs.shutters import Shutter
from ..rendering.options import DEFAULT_SAMPLES, Backend, Method

MOST_SAMPLES, SHORTEST_STEP = 100_000, 0.001  # beyond these an image takes hours, and is no better


@dataclass(frozen=True)
class DoseSettings:
    """How many photons make the image; neither number given means no quantum noise.

    Args:
        photons_per_pixel: Photons that reach a pixel on the central ray in air.
        mas: Tube charge [mAs], from which, with spectrum, sdd and pixel size, the photons follow.
        readout_quanta: Standard deviation of the electronics' noise [absorbed quanta]; needs a dose.
        law: "poisson" counts; "gaussian" has the same mean and variance and a gradient.

    Raises:
        InputError: Both numbers, or one that is not positive.
    """

    photons_per_pixel: float | None = None
    mas: float | None = None
    readout_quanta: float = 0.0
    law: Literal["poisson", "gaussian"] = "poisson"

    def __post_init__(self) -> None:
        if self.photons_per_pixel is not None and self.mas is not None:
            raise InputError("dose must be photons_per_pixel or mas, got both; leave one out.")
        for name in ("photons_per_pixel", "mas"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"dose must be positive and finite, got {name}={value}; leave it out for no noise.")
        if not (math.isfinite(self.readout_quanta) and self.readout_quanta >= 0):
            raise InputError(f"readout_quanta must be 0 or more and finite, got {self.readout_quanta}.")
        if self.readout_quanta > 0 and not self.is_noisy:
            raise InputError("readout_quanta needs a dose to refer to, got none; give photons_per_pixel or mas.")
        if self.law not in ("poisson", "gaussian"):
            raise InputError(f"law must be 'poisson' or 'gaussian', got {self.law!r}.")

    @property
    def is_noisy(self) -> bool:
        """Whether a dose is given."""
        return self.photons_per_pixel is not None or self.mas is not None


@dataclass(frozen=True)
class ScatterSettings:
    """Scattered radiation: mean scatter over mean primary behind the object, and how far it spreads."""

    scatter_to_primary: float = 0.0
    kernel: ScatterKernel = field(default_factory=ScatterKernel)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scatter_to_primary) and self.scatter_to_primary >= 0):
            raise InputError(f"scatter_to_primary must be 0 or more and finite, got {self.scatter_to_primary}.")


@dataclass(frozen=True)
class BeamSettings:
    """What leaves the tube; by default every pixel gets the same in air.

    Args:
        spectrum: Tube spectrum, or `MonochromaticSpectrum`.
        shutter: The collimator's opening; None leaves the whole detector in the beam.
        penumbra: Width of its edge [px].
        leakage: What comes through it where it is closed, 0 to 1.
        anode_direction: Where the anode's side lies in the image [degrees, from right over down]; None leaves the heel
            effect out.
        oblique: Photons thin out towards the corners, by (sdd / r)^3.

    Raises:
        InputError: A heel effect without a tube.
    """

    spectrum: AnySpectrum = field(default_factory=lambda: Spectrum(90.0))
    shutter: Shutter | None = None
    penumbra: float = 1.0
    leakage: float = 0.0
    anode_direction: float | None = None
    oblique: bool = False

    def __post_init__(self) -> None:
        if self.anode_direction is not None and not isinstance(self.spectrum, Spectrum):
            raise InputError("anode_direction needs the spectrum of a tube, got one energy; leave it out.")


@dataclass(frozen=True)
class MarchSettings:
    """How rays are integrated; `method`, `samples` and `backend` as for `render`.

    `displacement_step` is the longest distance between samples inside tools [mm]. Through each pixel that tools vary
    in go `tool_rays` x `tool_rays` rays, whose light is averaged: with one, edges of metal show steps.

    Raises:
        InputError: samples outside 1 to 100 000, tool_rays outside 1 to 8, or a displacement_step below 0.001 mm.
    """

    method: Method = "trilinear"
    samples: int = DEFAULT_SAMPLES
    backend: Backend = "auto"
    displacement_step: float = 1.0
    tool_rays: int = 2

    def __post_init__(self) -> None:
        if type(self.samples) is not int or not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"samples must be a whole number from 1 to {MOST_SAMPLES}, got {self.samples}.")
        if type(self.tool_rays) is not int or not 1 <= self.tool_rays <= 8:
            raise InputError(f"tool_rays must be a whole number from 1 to 8, got {self.tool_rays}.")
        if not (math.isfinite(self.displacement_step) and self.displacement_step >= SHORTEST_STEP):
            raise InputError(
                f"displacement_step must be finite and at least {SHORTEST_STEP} mm, got {self.displacement_step}."
            )


@dataclass(frozen=True)
class SimulationSettings:
    """Everything `simulate` needs to know besides scene, camera and pose.

    Args:
        beam: Spectrum, collimator, heel effect.
        detector: Scintillator and blur.
        dose: Photons, and with them noise.
        scatter: Scattered radiation.
        march: How rays are integrated.
        masks: Make the masks of organs and tools.
        path_lengths: Labels and groups whose path lengths [mm] shall be returned; () is none.
    """

    beam: BeamSettings = field(default_factory=BeamSettings)
    detector: Detector = field(default_factory=Detector)
    dose: DoseSettings = field(default_factory=DoseSettings)
    scatter: ScatterSettings = field(default_factory=ScatterSettings)
    march: MarchSettings = field(default_factory=MarchSettings)
    masks: bool = True
    path_lengths: tuple[str, ...] = ()
