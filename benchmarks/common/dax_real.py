"""Tables of the real X-rays that lie beside the repository, with what is certain of them, for the probes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

# File, whose it is, region, polarity where the file does not say. The names of the two cadaver images are swapped.
REGIONS = (
    ("cadaver_pelvis_0011.dcm", "cadaver", "thorax", "intensity"),
    ("cadaver_torso_0030.dcm", "cadaver", "abdomen_pelvis", "intensity"),
    ("chest_cr_j2k.dcm", "chest", "thorax", ""),
    ("acl-reconstruction-knee-radiograph-frontal.jpeg", "knee", "knee", "log_attenuation"),
    ("acl-reconstruction-knee-radiograph-lateral.jpeg", "knee", "knee", "log_attenuation"),
    ("acl-reconstruction-knee-radiograph-oblique.jpeg", "knee", "knee", "log_attenuation"),
    ("normal-foot-radiograph_dp.png", "foot", "ankle_foot", "log_attenuation"),
    ("biplane_knee_beads/*.tif", "beads", "knee", "intensity"),
    ("biplane_wrist/xr_*.tif", "wrist", "wrist_hand", "intensity"),
)
CAMERAS, STEP = ("cam1", "cam2"), 10


def write_real_regions(folder: Path, table: Path) -> Path:
    """A table of X-rays whose region is certain: path, patient, label, polarity."""
    rows = []
    for pattern, patient, region, polarity in REGIONS:
        for path in sorted(folder.glob(pattern)):
            rows.append((str(path.resolve()), patient, region, polarity))
    return _write(table, ("path", "patient", "label", "polarity"), rows)


def write_real_metal(folder: Path, out: Path) -> Path:
    """A table of fluoroscopy frames of two knee replacements with the masks of both components of each."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    biplane = folder / "biplane_knee_implant"
    for camera in CAMERAS:
        for frame in sorted((biplane / camera).glob("*.png")):
            parts = [biplane / "masks" / f"{camera}_{frame.stem}_{part}.png" for part in ("femoral", "tibial")]
            mask = _union(parts, out / f"{camera}_{frame.stem}.png")
            rows.append((str(frame.resolve()), "biplane", str(mask.resolve()), "intensity"))
    kneel = folder / "kneel_implant"
    for frame in sorted(kneel.glob("????.png")):
        mask = _union([kneel / f"{frame.stem}_{part}.png" for part in ("fem", "tib")], out / f"kneel_{frame.stem}.png")
        rows.append((str(frame.resolve()), "kneel", str(mask.resolve()), "intensity"))
    return _write(out / "table.csv", ("path", "patient", "mask", "polarity"), rows)


def _union(parts: list[Path], path: Path) -> Path:
    """One clean mask of several, which may be grey where they came from JPEG."""
    masks = [np.asarray(Image.open(part).convert("L")) > 127 for part in parts]
    Image.fromarray((np.any(masks, axis=0) * 255).astype(np.uint8)).save(path)
    return path


def _write(path: Path, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path
