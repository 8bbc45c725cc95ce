"""The settings of a simulation as tables of a scene file, read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import FileError, InputError
from ..materials.materials import Material
from ..physics.detector import Detector
from ..physics.scatter import ScatterKernel
from ..physics.spectrum import AnySpectrum, MonochromaticSpectrum, Spectrum
from ..radiographs.shutters import CircularShutter, PolygonalShutter, RectangularShutter, Shutter
from ..simulation.settings import BeamSettings, DoseSettings, MarchSettings, ScatterSettings, SimulationSettings
from ..storage.settings_leaves import typed_fields
from ..storage.typed_settings import from_plain


@dataclass(frozen=True)
class ShutterEntry:
    """The opening of the collimator: one of three shapes [px]."""

    rectangle: tuple[float, float, float, float] | None = None
    circle: tuple[float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True)
class BeamEntry:
    """`BeamSettings` with the keys of its spectrum beside its own: those of a tube, or one energy."""

    kvp: float | None = None
    filtration: Mapping[str, float] | None = None
    anode_angle: float | None = None
    energy_kev: float | None = None
    shutter: ShutterEntry = field(default_factory=ShutterEntry)
    penumbra: float = BeamSettings.penumbra
    leakage: float = BeamSettings.leakage
    anode_direction: float | None = BeamSettings.anode_direction
    oblique: bool = BeamSettings.oblique

    def __post_init__(self) -> None:
        if self.penumbra <= 0:
            raise InputError(f"penumbra must be above 0, got {self.penumbra:g}.")


@dataclass(frozen=True)
class ScatterEntry:
    """`ScatterSettings` with the keys of its kernel beside its own."""

    scatter_to_primary: float = ScatterSettings.scatter_to_primary
    widths: tuple[float, ...] = ScatterKernel.widths
    weights: tuple[float, ...] = ScatterKernel.weights


@dataclass(frozen=True)
class DetectorEntry:
    """`Detector` with the word none for its Nones."""

    scintillator: str = str(Detector.scintillator)
    thickness: float = Detector.thickness
    packing: float = Detector.packing
    counts: Literal["energy", "photons"] = Detector.counts
    blur: Literal["gaussian", "lorentzian", "none"] = Detector.blur or "none"
    mtf50: float = Detector.mtf50


@dataclass(frozen=True)
class SettingsEntries:
    """`SimulationSettings` as a scene file says them."""

    beam: BeamEntry = field(default_factory=BeamEntry)
    dose: DoseSettings = field(default_factory=DoseSettings)
    scatter: ScatterEntry = field(default_factory=ScatterEntry)
    detector: DetectorEntry = field(default_factory=DetectorEntry)
    march: MarchSettings = field(default_factory=MarchSettings)
    masks: bool = SimulationSettings.masks
    path_lengths: tuple[str, ...] = SimulationSettings.path_lengths


SETTINGS = ("beam", "dose", "scatter", "detector", "march", "masks", "path_lengths")
"""The keys of a scene file that say how it is X-rayed."""


def settings_from(content: Mapping[str, Any], file: Path) -> SimulationSettings:
    """The settings that a scene file asks for, with the defaults of the dataclasses for the rest.

    Args:
        content: The file's tables; keys that are no settings are passed over.
        file: The file, for messages.

    Raises:
        FileError: A key or value is not legal.
    """
    try:
        given = {key: content[key] for key in SETTINGS if key in content}
        entries = from_plain(SettingsEntries, given, what="the scene")
        return SimulationSettings(
            beam=_beam(entries.beam),
            detector=_detector(entries.detector),
            dose=entries.dose,
            scatter=_scatter(entries.scatter),
            march=entries.march,
            masks=entries.masks,
            path_lengths=entries.path_lengths,
        )
    except InputError as error:
        raise FileError(f"{file}: {error}") from error


def settings_record(settings: SimulationSettings) -> dict[str, Any]:
    """The settings as tables that `settings_from` reads again."""
    beam, detector, scatter, march = settings.beam, settings.detector, settings.scatter, settings.march
    if isinstance(beam.spectrum, Spectrum):
        filtration = {_name(material): mm for material, mm in beam.spectrum.filtration}
        tube = {"kvp": beam.spectrum.kvp, "filtration": filtration, "anode_angle": beam.spectrum.anode_angle}
    else:
        tube = {"energy_kev": beam.spectrum.energy_kev}
    shape = {"penumbra": beam.penumbra, "leakage": beam.leakage, "oblique": beam.oblique}
    panel = {"thickness": detector.thickness, "packing": detector.packing, "counts": detector.counts}
    return {
        "beam": {**tube, "shutter": _shutter_record(beam.shutter), "anode_direction": beam.anode_direction, **shape},
        "dose": {name: getattr(settings.dose, name) for name in typed_fields(DoseSettings)},
        "scatter": {
            "scatter_to_primary": scatter.scatter_to_primary,
            "widths": list(scatter.kernel.widths),
            "weights": list(scatter.kernel.weights),
        },
        "detector": {
            "scintillator": "none" if detector.scintillator is None else _name(detector.scintillator),
            **panel,
            "blur": detector.blur or "none",
            "mtf50": detector.mtf50,
        },
        "march": {name: getattr(march, name) for name in typed_fields(MarchSettings)},
        "masks": settings.masks,
        "path_lengths": list(settings.path_lengths),
    }


def _beam(entry: BeamEntry) -> BeamSettings:
    shutter = _shutter(entry.shutter)
    with _naming("beam"):
        return BeamSettings(
            spectrum=_spectrum(entry),
            shutter=shutter,
            penumbra=entry.penumbra,
            leakage=entry.leakage,
            anode_direction=entry.anode_direction,
            oblique=entry.oblique,
        )


def _spectrum(entry: BeamEntry) -> AnySpectrum:
    usual = BeamSettings().spectrum
    tube = {key: getattr(entry, key) for key in ("kvp", "filtration", "anode_angle")}
    said = {key: value for key, value in tube.items() if value is not None}
    if entry.energy_kev is not None:
        if said:
            raise InputError(f"one energy or a tube, got energy_kev and {next(iter(said))}; leave one out.")
        return MonochromaticSpectrum(entry.energy_kev)
    if "filtration" in said:
        said["filtration"] = tuple(said["filtration"].items())
    return replace(usual, **said)


def _shutter(entry: ShutterEntry) -> Shutter | None:
    given = [key for key in typed_fields(ShutterEntry) if getattr(entry, key) is not None]
    if len(given) > 1:
        raise InputError(f"beam.shutter must be one of rectangle, circle, polygon, got {' and '.join(given)}.")
    with _naming("beam.shutter"):
        if entry.rectangle is not None:
            return RectangularShutter(*entry.rectangle)
        if entry.circle is not None:
            return CircularShutter(*entry.circle)
        return None if entry.polygon is None else PolygonalShutter(entry.polygon)


def _shutter_record(shutter: Shutter | None) -> dict[str, Any] | None:
    if isinstance(shutter, RectangularShutter):
        return {"rectangle": [shutter.left, shutter.top, shutter.right, shutter.bottom]}
    if isinstance(shutter, CircularShutter):
        return {"circle": [shutter.x, shutter.y, shutter.radius]}
    return None if shutter is None else {"polygon": [list(corner) for corner in shutter.corners]}


def _detector(entry: DetectorEntry) -> Detector:
    with _naming("detector"):
        return Detector(
            scintillator=None if entry.scintillator == "none" else entry.scintillator,
            thickness=entry.thickness,
            packing=entry.packing,
            counts=entry.counts,
            blur=None if entry.blur == "none" else entry.blur,
            mtf50=entry.mtf50,
        )


def _scatter(entry: ScatterEntry) -> ScatterSettings:
    with _naming("scatter"):
        return ScatterSettings(entry.scatter_to_primary, ScatterKernel(entry.widths, entry.weights))


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Let errors that values cause name the place."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _name(material: str | Material) -> str:
    return material if isinstance(material, str) else material.name
