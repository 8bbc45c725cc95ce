"""The picture of the study of trust: calibration, failures found, and what became of all cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from xraykit.render.evaluation import auroc, reliability

from .xvr_trust_cases import CAMERAS, STRANGER


def draw(rows: Sequence[dict[str, Any]], threshold: float, path: Path) -> None:
    """Calibration, ROC curve and the chances of each kind."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    chance = np.array([row["chance"] for row in rows])
    failed = np.array([row["error"] > threshold for row in rows])
    camera = np.array([row["kind"] in CAMERAS for row in rows])
    stranger = np.array([row["kind"] == STRANGER for row in rows])
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(13, 4.2), constrained_layout=True)
    bins = reliability(chance[~camera], ~failed[~camera])
    left.plot([0, 1], [0, 1], color="0.7", lw=1)
    left.plot([b.predicted for b in bins], [b.observed for b in bins], "o-", color="tab:blue")
    for b in bins:
        where = (0, -14 if b.observed > 0.5 else 8)
        left.annotate(f"{b.count}", (b.predicted, b.observed), textcoords="offset points", xytext=where, ha="center",
                      fontsize=9)  # fmt: skip
    left.set(xlabel="predicted chance of success", ylabel="share that succeeded",
             title="calibration with right cameras, cases per bin")  # fmt: skip
    cuts = np.concatenate([[-1], np.sort(chance), [2]])
    for of, colour, name in ((~camera, "tab:blue", "right cameras"), (camera | ~camera, "tab:orange", "all")):
        flagged = [[(chance[group & of] < cut).mean() for cut in cuts] for group in (~failed, failed)]
        said = f"{name}, AUROC {auroc(-chance[of], failed[of]):.3f}"
        middle.plot(flagged[0], flagged[1], color=colour, drawstyle="steps-post", label=said)
    middle.axvline((chance[~failed] < 0.5).mean(), color="0.7", lw=1)
    middle.set(xlabel="share of successes flagged", ylabel="share of failures flagged",
               title=f"failures (true TRE above {threshold:g} mm) found")  # fmt: skip
    middle.legend(loc="lower right")
    kinds = {"success": ~failed, "failure": failed & ~stranger & ~camera, "another patient's CT": stranger,
             "wrong camera": failed & camera}  # fmt: skip
    shown = [chance[group] for group in kinds.values()]
    names, colours = [f"{n} ({g.sum()})" for n, g in kinds.items()], ["tab:blue", "tab:orange", "tab:red", "tab:purple"]
    right.hist(shown, bins=np.linspace(0, 1, 11).tolist(), stacked=True, color=colours, label=names)
    right.set(xlabel="predicted chance of success", ylabel="registrations", title="what became of them")
    right.legend()
    figure.suptitle("Each judged by a model that the patient had no part in", fontsize=11)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)
