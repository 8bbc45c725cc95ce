"""gVirtualXray's image of the phantom, made in a process of its own: its OpenGL context, logs and crashes stay there.

`python -m benchmarks.oracles.gvxr_apart OUT.npz SIZE LONGEST_EDGE DETECTOR` writes the image. gVirtualXray (BSD-3,
PyPI `gvxr`) rasterises triangles with OpenGL and takes cross sections from xraylib. It gets our photon bins, densities
and elements; path lengths, attenuation and the sum over energies are its own. Without a GPU it needs Mesa's EGL.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from xraykit.render import Mesh
from xraykit.render.materials import find_material

from .phantom import SPECTRUM, box, camera_and_pose, detector, inserts

MODULE = "gvxrPython3"
LONGEST_EDGE = 8.5  # mm
_UNAVAILABLE = 3  # exit status of a process that found no gvxr, or no OpenGL for it
_SORRY = "\nREASON: "


class GvxrUnavailableError(RuntimeError):
    """gVirtualXray is not installed, or finds no OpenGL; the message says which."""


@dataclass(frozen=True)
class Picture:
    """What gVirtualXray saw: intensity relative to air (size, size), rows from the top; who made it, and on what."""

    image: np.ndarray
    version: str
    renderer: str


def gvxr_picture(size: int = 256, *, longest_edge: float = LONGEST_EDGE, of: str = "ideal") -> Picture:
    """Start the process and read its image.

    Args:
        size: Rows and columns of the detector.
        longest_edge: Of the triangles of the water box [mm]. gVirtualXray measures distances at vertices and
            interpolates them linearly, which is h^2 / (8 r) off in the middle of an edge h at r from the source.
        of: A name from `phantom.detector`.

    Raises:
        GvxrUnavailableError: It cannot run here.
    """
    if find_spec(MODULE) is None:
        raise GvxrUnavailableError("gvxr is not installed (group oracle)")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "picture.npz"
        command = [sys.executable, "-m", "benchmarks.oracles.gvxr_apart", str(out), str(size), str(longest_edge), of]
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=root, check=False)
        if done.returncode == _UNAVAILABLE:
            raise GvxrUnavailableError(done.stderr.partition(_SORRY)[2].partition("\n")[0])
        if done.returncode or not out.exists():
            raise RuntimeError(f"gvxr ended with status {done.returncode}: {done.stderr[-2000:]}")
        with np.load(out, allow_pickle=False) as found:
            return Picture(found["image"], str(found["version"]), str(found["renderer"]))


def main() -> None:
    """Make the image."""
    out, size, longest_edge, of = sys.argv[1:]
    try:
        from gvxrPython3 import gvxr  # type: ignore[import-not-found]

        gvxr.createOpenGLContext()
    except (ImportError, RuntimeError) as error:
        sys.stderr.write(f"{_SORRY}gvxr cannot run: {' '.join(str(error).split())}\n")
        sys.exit(_UNAVAILABLE)
    _aim(gvxr, int(size))
    _shine(gvxr, of)
    _place(gvxr, "box", box(float(longest_edge)))
    gvxr.addPolygonMeshAsOuterSurface("box")
    for name, mesh in inserts().items():
        _place(gvxr, name, mesh)
        gvxr.addPolygonMeshAsInnerSurface(name)
    signal = np.array(gvxr.computeXRayImage(), dtype=np.float64) / gvxr.getTotalEnergyWithDetectorResponse()
    version = gvxr.getVersionOfCoreGVXR().partition(" [")[0]
    image = signal[::-1].astype(np.float32)  # OpenGL counts rows from the bottom
    np.savez_compressed(out, image=image, version=version, renderer=gvxr.getOpenGlRenderer())


def _aim(gvxr, size: int) -> None:
    camera, pose = camera_and_pose(size)
    right, down, forward, source = pose[0, :3].numpy().T
    gvxr.usePointSource()
    gvxr.setSourcePosition(*source.tolist(), "mm")
    gvxr.setDetectorPosition(*(source + camera.sdd * forward).tolist(), "mm")
    gvxr.setDetectorUpVector(*(-down).tolist())
    gvxr.setDetectorRightVector(*right.tolist())
    gvxr.setDetectorNumberOfPixels(size, size)
    gvxr.setDetectorPixelSize(camera.pixel_spacing, camera.pixel_spacing, "mm")


def _shine(gvxr, of: str) -> None:
    for energy, photons in zip(SPECTRUM.energies.tolist(), SPECTRUM.photons.tolist(), strict=True):
        gvxr.addEnergyBinToSpectrum(energy, "keV", photons)
    panel = detector(of)
    if panel.scintillator is not None:
        gvxr.setScintillator("CsI", panel.thickness * panel.packing, "mm")


def _place(gvxr, name: str, mesh: Mesh) -> None:
    gvxr.makeTriangularMesh(name, mesh.vertices.reshape(-1).tolist(), mesh.faces.reshape(-1).tolist(), "mm")
    material = find_material(mesh.material)
    numbers = [gvxr.getElementAtomicNumber(symbol) for symbol, _ in material.composition]
    gvxr.setMixture(name, numbers, [fraction for _, fraction in material.composition])
    gvxr.setDensity(name, material.density, "g/cm3")


if __name__ == "__main__":
    main()
