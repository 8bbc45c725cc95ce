"""The settings of a simulation as tables of a scene file, read and written."""

from __future__ import annotations

from typing import Any, get_args

from ..materials.materials import MATERIALS, Material
from ..physics.detector import Detector
from ..physics.scatter import ScatterKernel
from ..physics.spectrum import MonochromaticSpectrum, Spectrum
from ..radiographs.shutters import CircularShutter, PolygonalShutter, RectangularShutter, Shutter
from ..rendering.backends import Backend
from ..rendering.march import Method
from ..simulation.settings import BeamSettings, DoseSettings, MarchSettings, ScatterSettings, SimulationSettings
from ..storage.yaml_table import Table

SETTINGS = ("beam", "dose", "scatter", "detector", "march", "masks", "path_lengths")
_BEAM = (
    "kvp",
    "filtration",
    "anode_angle",
    "energy_kev",
    "shutter",
    "penumbra",
    "leakage",
    "anode_direction",
    "oblique",
)
_TUBE = ("kvp", "filtration", "anode_angle")
_SHUTTER = ("rectangle", "circle", "polygon")
_MARCH = ("method", "samples", "backend", "displacement_step", "tool_rays")


def settings_from(scene: Table) -> SimulationSettings:
    """The settings that a scene file asks for, with the defaults of the dataclasses for the rest.

    Raises:
        FileError: A key or value is not legal.
    """
    paths = scene.content.get("path_lengths") or []
    if not isinstance(paths, list) or not all(isinstance(name, str) for name in paths):
        raise scene.error(f"must be a list of labels or groups, got {paths!r}", "path_lengths")
    return SimulationSettings(
        beam=_beam(scene.table("beam", _BEAM)),
        detector=_detector(
            scene.table("detector", ("scintillator", "thickness", "packing", "counts", "blur", "mtf50"))
        ),
        dose=_dose(scene.table("dose", ("photons_per_pixel", "mas", "readout_quanta", "law"))),
        scatter=_scatter(scene.table("scatter", ("scatter_to_primary", "widths", "weights"))),
        march=_march(scene.table("march", _MARCH)),
        masks=scene.flag("masks", True),
        path_lengths=tuple(paths),
    )


def settings_record(settings: SimulationSettings) -> dict[str, Any]:
    """The settings as tables that `settings_from` reads back."""
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
        "dose": {name: getattr(settings.dose, name) for name in ("photons_per_pixel", "mas", "readout_quanta", "law")},
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
        "march": {name: getattr(march, name) for name in _MARCH},
        "masks": settings.masks,
        "path_lengths": list(settings.path_lengths),
    }


def _beam(table: Table) -> BeamSettings:
    default = BeamSettings()
    with table.naming():
        if "energy_kev" in table:
            also = [key for key in _TUBE if key in table]
            if also:
                raise table.error(f"is one energy or a tube, got energy_kev and {also[0]}; leave one out")
            spectrum = MonochromaticSpectrum(table.number("energy_kev", 60.0))
        else:
            filtration = table.scalars("filtration") if "filtration" in table else {"aluminium": 2.5}
            kvp, angle = table.number("kvp", 90.0), table.number("anode_angle", 12.0)
            spectrum = Spectrum(kvp, tuple(filtration.items()), angle)
        return BeamSettings(
            spectrum=spectrum,
            shutter=_shutter(table.table("shutter", _SHUTTER)),
            penumbra=table.positive("penumbra", default.penumbra),
            leakage=table.number("leakage", default.leakage),
            anode_direction=table.number("anode_direction"),
            oblique=table.flag("oblique", default.oblique),
        )


def _shutter(table: Table) -> Shutter | None:
    given = [key for key in _SHUTTER if key in table]
    if len(given) > 1:
        raise table.error(f"must be one of {', '.join(_SHUTTER)}, got {' and '.join(given)}")
    with table.naming():
        if "rectangle" in table:
            return RectangularShutter(*table.numbers("rectangle", 4) or ())
        if "circle" in table:
            return CircularShutter(*table.numbers("circle", 3) or ())
        if "polygon" in table:
            return PolygonalShutter(tuple((x, y) for x, y in table.rows("polygon", None, 2)))
    return None


def _shutter_record(shutter: Shutter | None) -> dict[str, Any] | None:
    if isinstance(shutter, RectangularShutter):
        return {"rectangle": [shutter.left, shutter.top, shutter.right, shutter.bottom]}
    if isinstance(shutter, CircularShutter):
        return {"circle": [shutter.x, shutter.y, shutter.radius]}
    return None if shutter is None else {"polygon": [list(corner) for corner in shutter.corners]}


def _detector(table: Table) -> Detector:
    default = Detector()
    with table.naming():
        scintillator = table.text("scintillator", "caesium_iodide", among=(*MATERIALS, "none"))
        blur = table.text("blur", default.blur, among=("gaussian", "lorentzian", "none"))
        counts = table.text("counts", default.counts, among=("energy", "photons"))
        return Detector(
            scintillator=None if scintillator == "none" else scintillator,
            thickness=table.positive("thickness", default.thickness),
            packing=table.positive("packing", default.packing),
            counts=counts,  # type: ignore[arg-type]
            blur=None if blur == "none" else blur,  # type: ignore[arg-type]
            mtf50=table.positive("mtf50", default.mtf50),
        )


def _dose(table: Table) -> DoseSettings:
    with table.naming():
        law = table.text("law", "poisson", among=("poisson", "gaussian"))
        return DoseSettings(
            photons_per_pixel=table.number("photons_per_pixel"),
            mas=table.number("mas"),
            readout_quanta=table.number("readout_quanta", 0.0),
            law=law,  # type: ignore[arg-type]
        )


def _scatter(table: Table) -> ScatterSettings:
    default = ScatterKernel()
    with table.naming():
        kernel = ScatterKernel(tuple(table.row("widths", default.widths)), tuple(table.row("weights", default.weights)))
        return ScatterSettings(table.number("scatter_to_primary", 0.0), kernel)


def _march(table: Table) -> MarchSettings:
    default = MarchSettings()
    with table.naming():
        return MarchSettings(
            method=table.text("method", default.method, among=get_args(Method)),  # type: ignore[arg-type]
            samples=table.whole("samples", default.samples),
            backend=table.text("backend", default.backend, among=get_args(Backend)),  # type: ignore[arg-type]
            displacement_step=table.positive("displacement_step", default.displacement_step),
            tool_rays=table.whole("tool_rays", default.tool_rays),
        )


def _name(material: str | Material) -> str:
    return material if isinstance(material, str) else material.name
