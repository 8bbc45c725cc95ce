"""How one image is taken: its tube, dose, scatter, blur and collimator, drawn from the configured ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...physics.detector import Detector
from ...physics.spectrum import MonochromaticSpectrum, Spectrum
from ...radiographs.shutters import CircularShutter, RectangularShutter, Shutter
from ...simulation.settings import BeamSettings, DoseSettings, MarchSettings, ScatterSettings, SimulationSettings
from ...storage.typed_settings import Range
from ..plan.config import DatasetConfig, PhysicsSettings


def choose_physics(config: DatasetConfig, rng: np.random.Generator) -> tuple[SimulationSettings, dict[str, Any]]:
    """Settings for one image, and the numbers in them as JSON has them."""
    physics = config.physics
    march = MarchSettings(samples=physics.samples)
    if physics.model == "drr":
        beam = BeamSettings(spectrum=MonochromaticSpectrum(physics.energy_kev))
        settings = SimulationSettings(beam, detector=Detector(scintillator=None, blur=None), march=march)
        return settings, {"model": "drr", "energy_kev": physics.energy_kev}
    filters = tuple((name, round(float(rng.uniform(*pair)), 3)) for name, pair in physics.filtration.items())
    spectrum = Spectrum(round(float(rng.uniform(*physics.kvp)), 1), filters)
    low, high = physics.photons_per_pixel
    photons = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if high > 0 else None
    readout = _between(physics.readout_quanta, rng)
    scatter = _between(physics.scatter_to_primary, rng)
    mtf50 = _between(physics.mtf50, rng)
    shutter, shape = _shutter(config, rng)
    settings = SimulationSettings(
        BeamSettings(spectrum=spectrum, shutter=shutter),
        detector=Detector(mtf50=mtf50),
        dose=DoseSettings(photons_per_pixel=photons, readout_quanta=readout if photons else 0.0),
        scatter=ScatterSettings(scatter),
        march=march,
    )
    record = {
        "model": "xray",
        "kvp": spectrum.kvp,
        "filtration": dict(filters),
        "photons_per_pixel": photons,
        "readout_quanta": readout,
        "scatter_to_primary": scatter,
        "mtf50": mtf50,
        "shutter": shape,
    }
    return settings, record


def _shutter(config: DatasetConfig, rng: np.random.Generator) -> tuple[Shutter | None, dict[str, list[float]] | None]:
    physics: PhysicsSettings = config.physics
    height, width = config.image.size
    if rng.random() >= physics.collimation:
        return None, None
    if rng.random() < 0.5:
        radius = round(0.5 * min(height, width) * _between(physics.opening, rng), 2)
        return CircularShutter(width / 2, height / 2, radius), {"circle": [width / 2, height / 2, radius]}
    open_x, open_y = (_between(physics.opening, rng) for _ in range(2))
    left, top = (round(size * (1 - part) / 2, 2) for size, part in ((width, open_x), (height, open_y)))
    corners = [left, top, width - left, height - top]
    return RectangularShutter(*corners), {"rectangle": corners}


def _between(pair: Range, rng: np.random.Generator) -> float:
    """Evenly spread, with five digits: readable, and exact in JSON."""
    return float(f"{rng.uniform(*pair):.5g}")
