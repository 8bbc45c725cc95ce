"""Match two X-rays of one knee: where may a point of the first lie in the second, by true geometry and by a matcher?

You learn how the true correspondence follows from the tissue and two cameras, how `Matcher` predicts it from the X-rays
alone, and that a patch answers with a band, since one view does not tell depth. On the shell: `xraykit corr match` and
`xraykit corr query`.

    python examples/corr/match_views.py
"""

import sys
from pathlib import Path

import torch
from xraykit.corr import Matcher, Matches, correspondence, image_projection, volume_support
from xraykit.corr.pictures import QueryPoint, draw_heat, draw_matches
from xraykit.render import Camera, PatientSettings, carm_pose, generate_patient, simulate
from xraykit.render.pictures import save_png


def main(out: Path, quick: bool) -> tuple[float, float]:
    """Write `truth.png`, `heat.png` and `matches.png`. Returns the average truth where matcher and chance point."""
    size = 96 if quick else 256
    patient = generate_patient(seed=5, region="knee", settings=PatientSettings(size=48 if quick else 128))
    camera = Camera(sdd=1020.0, height=size, width=size, pixel_spacing=280 / size)
    poses = [carm_pose(lao_rao=angle, sod=750.0, isocenter=patient.volume.center) for angle in (180.0, 250.0)]
    xrays = [simulate(patient.scene(), camera, pose).intensity[0, 0] for pose in poses]

    matches = Matcher("shipped").match(xrays)  # or a folder of your own training
    grid = matches.grid
    support = volume_support(patient.volume, cells=48)
    truth = correspondence(support, *(image_projection(camera, pose)[0] for pose in poses), grid=grid)

    bone = torch.tensor([*patient.volume.center, 1.0], dtype=torch.float64)
    x, y, depth = image_projection(camera, poses[0])[0] @ bone
    point = QueryPoint(0, float(x / depth) * size, float(y / depth) * size)
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "truth.png", draw_heat(Matches(matches.xrays, truth[None]), [point]))
    save_png(out / "heat.png", draw_heat(matches, [point]))
    save_png(out / "matches.png", draw_matches(matches, (0, 1), matches.top()))

    predicted = matches.between(0, 1)
    hit = float((predicted * truth).sum() / predicted.sum())
    print(f"truth where the matcher points: {hit:.3f}, where nothing is known: {float(truth.mean()):.3f}")
    return hit, float(truth.mean())


if __name__ == "__main__":
    main(Path("out/match_views"), quick="--quick" in sys.argv)
