"""How many photons the beam brings, and what the detector makes of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera
from ..materials.materials import Material
from ..physics.beam import heel_effect, illumination
from ..physics.beer_lambert import transmission
from ..physics.detector import blur_image, detected_quanta
from ..physics.noise import add_quantum_noise, add_readout_noise, quanta_behind
from ..physics.spectrum import Spectrum, photons_per_pixel
from ..radiographs.shutters import shutter_mask
from .settings import SimulationSettings

_NOISE_TOLERANCE = 5e-3  # of the noise's variance


def beam_in_air(camera: Camera, settings: SimulationSettings, like: Tensor) -> Tensor:
    """The beam with nothing in it, relative to the central ray: (B or 1, 1, H or 1, W or 1)."""
    beam, options = settings.beam, {"dtype": like.dtype, "device": like.device}
    air = torch.ones(1, 1, 1, 1, **options)
    if beam.oblique:
        air = air * illumination(camera, **options)
    if beam.anode_direction is not None and isinstance(beam.spectrum, Spectrum):
        direction = beam.anode_direction
        detector = settings.detector
        air = air * heel_effect(camera, beam.spectrum, anode_direction=direction, detector=detector, **options)
    if beam.shutter is not None:
        air = air * shutter_mask(beam.shutter, camera, penumbra=beam.penumbra, leakage=beam.leakage, **options)
    return air


def quanta_in_air(camera: Camera, settings: SimulationSettings) -> float | None:
    """Counted quanta per pixel on the central ray in air, None without a dose."""
    dose, spectrum = settings.dose, settings.beam.spectrum
    if dose.photons_per_pixel is not None:
        photons = dose.photons_per_pixel
    elif dose.mas is not None:
        sdd, spacing, _ = (part.detach() for part in camera.tensors(dtype=torch.float64, device="cpu"))
        if len(sdd) > 1 or len(spacing) > 1:
            raise InputError("mas needs one camera for all views, got a batch of cameras; give photons_per_pixel.")
        photons = photons_per_pixel(spectrum, mas=dose.mas, sdd=float(sdd), pixel_area=float(spacing.prod()))
    else:
        return None
    return photons * detected_quanta(spectrum, settings.detector)


def quanta_in_place(
    quanta: float | None,
    area: Tensor,
    materials: tuple[Material, ...],
    primary: Tensor,
    settings: SimulationSettings,
) -> Tensor | None:
    """Quanta per pixel in air, (B, 1, H, W), that give each pixel the noise of its hardened beam."""
    if quanta is None:
        return None
    spectrum, detector = settings.beam.spectrum, settings.detector
    second = transmission(area, materials, spectrum, detector=detector, moment=2, tolerance=_NOISE_TOLERANCE)
    return quanta_behind(quanta, primary, second)


def detector_readout(
    expected: Tensor,
    spacing: Tensor,
    settings: SimulationSettings,
    quanta: Tensor | None,
    seed: int,
    *,
    readout: float | None,
) -> Tensor:
    """The image that the detector reads out where it expects this one."""
    if quanta is None or readout is None:
        return blur_image(expected, settings.detector, pixel_spacing=spacing)
    generators = [_generator(seed, view, expected.device) for view in range(len(expected))]
    counted = [
        add_quantum_noise(expected[b : b + 1], quanta[b : b + 1], generator=generator, law=settings.dose.law)
        for b, generator in enumerate(generators)
    ]
    signal = blur_image(torch.cat(counted), settings.detector, pixel_spacing=spacing)
    if settings.dose.readout_quanta == 0:
        return signal
    std = settings.dose.readout_quanta / readout
    read = [add_readout_noise(signal[b : b + 1], std, generator=generator) for b, generator in enumerate(generators)]
    return torch.cat(read)


def _generator(seed: int, view: int, device: torch.device) -> torch.Generator:
    """Randomness for one view: seeds of neighbouring views and calls are unrelated."""
    if isinstance(seed, bool) or int(seed) != seed or not 0 <= seed < 2**63:
        raise InputError(f"seed must be a whole number from 0 to 2^63 - 1, got {seed}.")
    source = torch.Generator().manual_seed(int(seed))
    for _ in range(view + 1):
        own = int(torch.randint(2**62, (1,), generator=source))
    return torch.Generator(device).manual_seed(own)
