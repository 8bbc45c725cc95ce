"""Compare two methods on the same cases: predict and write rows first, read and score them second.

A case is a pair of noisy X-rays of the procedural torso, the second shifted. Two methods say by how much: the peak of
the phase correlation, and the shift of the centre of mass. What is learned: one row a case, intervals that respect what
belongs together, a paired test, a ranking, a report.

    python examples/render/score_two_methods.py        # rows.csv, report.md, report.json and errors.png in out/
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from xraykit.render import Camera, carm_pose, render, torso
from xraykit.render import evaluation as ev


@dataclass(frozen=True)
class ShiftRow:
    """What a method said of one pair; lengths in pixels."""

    method: str
    subject: str
    case: str
    inputs: str
    truth: tuple[float, ...]
    found: tuple[float, ...]


def phase_correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    product = np.fft.fft2(b) * np.conj(np.fft.fft2(a))
    peak = np.unravel_index(np.fft.ifft2(product / (abs(product) + 1e-9)).real.argmax(), a.shape)
    return tuple(float((p + n // 2) % n - n // 2) for p, n in zip(peak, a.shape, strict=True))


def mass_center(a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    return tuple(float((axis * b).sum() / b.sum() - (axis * a).sum() / a.sum()) for axis in np.indices(a.shape))


def predict(cases: int) -> list[ShiftRow]:
    volume, rng, rows = torso(spacing=8.0), np.random.default_rng(0), []
    for subject, angle in {"AP": 0.0, "LAO 30": 30.0, "LAO 60": 60.0, "lateral": 90.0}.items():
        pose = carm_pose(lao_rao=angle, sod=700.0, isocenter=volume.center)
        for case in range(cases):
            truth = tuple(map(float, rng.uniform(-8, 8, 2)))
            images = []
            for row, column in ((0.0, 0.0), truth):
                camera = Camera(1000.0, 96, 96, pixel_spacing=5.0, principal_point=(48.0 + column, 48.0 + row))
                drr = render(volume, camera, pose, method="trilinear", samples=100)[0, 0].numpy()
                images.append(drr + rng.normal(0, 0.02, drr.shape))
            digest = ev.input_digest(*(image.tobytes() for image in images))
            for method in (phase_correlation, mass_center):
                rows.append(ShiftRow(method.__name__, subject, f"{case}", digest, truth, method(*images)))
    return rows


def main(out: Path, quick: bool = False) -> ev.EvaluationReport:
    out.mkdir(parents=True, exist_ok=True)
    rows = ev.read_rows(ev.write_rows(out / "rows.csv", predict(3 if quick else 12)), ShiftRow)
    scored = [ev.MethodAttempt(row.method, row.subject, row.case, math.dist(row.truth, row.found)) for row in rows]
    errors = {m: [one.error for one in scored if one.method == m] for m in ("phase_correlation", "mass_center")}
    table = []
    for name, values in errors.items():
        low, high = ev.wilson_interval(sum(e < 1 for e in values), len(values))
        ends = ev.bootstrap_interval(values, np.median, groups=[row.subject for row in rows[::2]])
        median = f"{ev.quartiles(values).median:.2f} ({ends[0]:.2f} to {ends[1]:.2f})"
        table.append([name, median, f"{low:.0%} to {high:.0%}"])
    page = ev.markdown_table(["method", "median error [px] (95 %)", "within 1 px (95 %)"], table)
    notes = (f"Wilcoxon's signed rank test: p = {ev.wilcoxon_test(*errors.values()).p:.2g}.",)
    title = "Two ways to find a shift"
    report = ev.EvaluationReport((page,), {"errors": errors}, ev.rank_methods(scored), ("error", "px"), notes, title)
    ev.write_evaluation(out, report)
    ev.plot_errors(errors, out / "errors.png", ylabel="error [px]", bound=1.0)
    return report


if __name__ == "__main__":
    print(ev.report_text(main(Path("out"))))
