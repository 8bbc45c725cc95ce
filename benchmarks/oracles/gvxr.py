"""Our polychromatic X-ray of a phantom against gVirtualXray's, pixel by pixel.

uv run --group oracle python -m benchmarks.oracles.gvxr                  # prints the table, writes the results
python -m benchmarks.oracles.gvxr --write-oracle                         # and the image that the tests compare with
python -m benchmarks.oracles.gvxr --pictures out/                        # and PNGs: ours, gVirtualXray's, 1000 x error
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.render.pictures import save_png

from ..common.result import RESULTS, Start, save
from .gvxr_apart import LONGEST_EDGE, Picture, gvxr_picture
from .phantom import BOX, FORMS, SPECTRUM, camera_and_pose, detector, our_image, regions

ORACLE = RESULTS.parents[1] / "tests/peers/data/gvxr_phantom.npz"
COARSER = (270.0, 68.0, 17.0)  # mm: the bare box, and two steps on the way to LONGEST_EDGE


def main(arguments: list[str] | None = None) -> None:
    """Compare both forms of the phantom, both detectors, and coarser triangles."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.oracles.gvxr",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", type=int, default=256, help="rows and columns of the detector")
    parser.add_argument("--write-oracle", action="store_true", help=f"write {ORACLE.name} for the tests")
    parser.add_argument("--pictures", type=Path, help="folder for PNGs")
    parser.add_argument("--output", type=Path, default=RESULTS / "gvxr--cpu.json")
    asked = parser.parse_args(arguments)
    start = Start.now()
    rows, oracle = compare(asked.size, asked.pictures)
    print(f"{oracle.version} on {oracle.renderer}\n{table(rows)}")
    versions = {"gvxr": oracle.version, "OpenGL renderer": oracle.renderer}
    threads, scene = {"torch": torch.get_num_threads()}, described(rows, asked.size)
    save(start.result("gvxr", rows, threads=threads, scene=scene, versions=versions), asked.output)
    if asked.write_oracle:
        ORACLE.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            ORACLE, image=oracle.image, version=oracle.version, renderer=oracle.renderer, photons=SPECTRUM.photons
        )


def compare(size: int, pictures: Path | None) -> tuple[list[dict], Picture]:
    """One row for each comparison, and the oracle's picture of the ideal detector."""
    where = regions(size)
    oracle = gvxr_picture(size)
    ours = {form: our_image(build(), size) for form, build in FORMS.items()}
    rows = [row(form, "ideal", LONGEST_EDGE, image, oracle, where) for form, image in ours.items()]
    panel = our_image(FORMS["meshes"](), size, of="caesium_iodide")
    rows.append(row("meshes", "caesium_iodide", LONGEST_EDGE, panel, gvxr_picture(size, of="caesium_iodide"), where))
    for edge in COARSER:
        rows.append(row("meshes", "ideal", edge, ours["meshes"], gvxr_picture(size, longest_edge=edge), where))
    if pictures is not None:
        show(ours["meshes"], torch.from_numpy(oracle.image), pictures)
    return rows, oracle


def row(form: str, of: str, edge: float, ours: Tensor, oracle: Picture, where: dict[str, Tensor]) -> dict:
    """How far our image is off: percent of the oracle's intensity, over all pixels behind the phantom."""
    error = percent_error(ours, oracle.image)
    behind = error[~where["air"]]
    worst = divmod(int(error.argmax()), error.shape[1])
    return {
        "ours": form, "detector": of, "oracle_longest_edge_mm": edge,
        "mape_percent": float(behind.mean()), "median_percent": float(behind.median()),
        "p99_percent": float(behind.quantile(0.99)), "max_percent": float(error.max()), "max_at_row_column": worst,
        "max_in": next(name for name, here in where.items() if here[worst]),
        "regions": {
            name: {"pixels": int(here.sum()), "mape_percent": float(error[here].mean()),
                   "max_percent": float(error[here].max())}
            for name, here in where.items()
        },
    }  # fmt: skip


def percent_error(ours: Tensor, oracle: np.ndarray) -> Tensor:
    """100 |ours / oracle - 1| of each pixel."""
    return 100 * (ours / torch.tensor(oracle, dtype=torch.float64) - 1).abs()


def table(rows: list[dict]) -> str:
    """The rows as text, then the regions of the first."""
    lines = [f"{'ours':18}{'detector':16}{'edge mm':>8}{'MAPE %':>10}{'median':>10}{'p99':>10}{'max':>10}  max in"]
    for r in rows:
        numbers = (r["mape_percent"], r["median_percent"], r["p99_percent"], r["max_percent"])
        cells = "".join(f"{value:>10.4f}" for value in numbers)
        lines.append(f"{r['ours']:18}{r['detector']:16}{r['oracle_longest_edge_mm']:>8g}{cells}  {r['max_in']}")
    lines.append(f"\n{'region':12}{'pixels':>8}" + "".join(f"{f'{d} MAPE %':>24}{'max':>9}" for d in ("ideal", "CsI")))
    for name, ideal in rows[0]["regions"].items():
        panel = next(r for r in rows if r["detector"] != "ideal")["regions"][name]
        cells = "".join(f"{cell['mape_percent']:>24.4f}{cell['max_percent']:>9.3f}" for cell in (ideal, panel))
        lines.append(f"{name:12}{ideal['pixels']:>8}{cells}")
    return "\n".join(lines)


def described(rows: list[dict], size: int) -> dict[str, object]:
    """What the result file says of phantom and camera."""
    camera, pose = camera_and_pose(size)
    panel = detector("caesium_iodide")
    return {
        "name": "a box of water with inserts",
        "phantom": {"box_mm": BOX, "inserts": list(rows[0]["regions"])[2:-1],
                    "kvp": SPECTRUM.kvp, "filtration_mm": dict(SPECTRUM.filtration),
                    "caesium_iodide_mm": panel.thickness * panel.packing},
        "camera": {"sdd_mm": camera.sdd, "size": size, "pixel_spacing_mm": camera.pixel_spacing,
                   "camera_to_world": pose[0].tolist()},
    }  # fmt: skip


def show(ours: Tensor, oracle: Tensor, folder: Path) -> None:
    """Log intensity of both, and their ratio - 1 with +-0.1 % from black to white."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {"ours": 1 + ours.log() / 5, "gvxr": 1 + oracle.double().log() / 5}
    images["error"] = (ours / oracle.double() - 1) * 500 + 0.5
    for name, image in images.items():
        save_png(folder / f"{name}.png", (image.clamp(0, 1) * 255).round().to(torch.uint8).numpy())


if __name__ == "__main__":
    main()
