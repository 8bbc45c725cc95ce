"""The rows of corr's suites as Markdown."""

from __future__ import annotations


def pairs_table(rows: list[dict]) -> str:
    """The suite `corr_pairs`: time of a pair with both images and its truth, and pairs per second."""
    lines = [
        "| image px | stored px | patches | truth | workers | CPU ms a pair | of it truth | pairs/s | density |",
        "|---" * 9 + "|",
    ]
    for row in rows:
        spent = [
            f"{row[name]:.1f}" if row[name] is not None else "-" for name in ("processor_ms_each", "truth_ms_each")
        ]
        cells = [row["size"], row["stored"], f"{row['grid']} x {row['grid']}", row["mode"], row["workers"], *spent]
        lines.append("| " + " | ".join(map(str, [*cells, row["pairs_per_s"], f"{100 * row['density']:.1f} %"])) + " |")
    return "\n".join(lines)


def real_ct_table(rows: list[dict]) -> str:
    """The suite `corr_real_ct`: average precision of priors and matchers."""
    lines = ["| predictor | pairs | AP | AP, pooled | MSE 1e-3 | precision at 0.5 | recall at 0.5 |", "|---" * 7 + "|"]
    for row in rows:
        shares = [f"{100 * row[name]:.1f}" for name in ("ap_macro", "ap_micro", "precision", "recall")]
        cells = [row["predictor"], row["pairs"], *shares[:2], f"{1000 * row['mse']:.1f}", *shares[2:]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def real_pairs_table(rows: list[dict]) -> str:
    """The suite `corr_real_pairs`: shares of what is predicted in the true band and in the other view's mask."""
    lines = ["| X-rays | patches of | predictor | pairs | answered | in the band | in the mask |", "|---" * 7 + "|"]
    for row in rows:
        shares = [
            "" if row[name] is None else f"{100 * row[name]:.1f} %" for name in ("answered", "in_band", "in_mask")
        ]
        cells = [row["subject"], row["part"], row["predictor"], row["pairs"], *shares]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def step_table(rows: list[dict]) -> str:
    """The suite `corr_step`: time of a training step and of matching two X-rays."""
    lines = ["| network | image px | work | pairs | ms | pairs/s | first loss | off by |", "|---" * 8 + "|"]
    for row in rows:
        cells = [
            row["variant"],
            row["size"],
            row["work"],
            row["batch"],
            f"{row['ms']:.0f}",
            f"{row['pairs_per_s']:.1f}",
        ]
        cells += [f"{row['losses'][0]:.5f}", f"{row['first_loss_difference']:.0e}"] if row["losses"] else ["", ""]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def table1_table(rows: list[dict]) -> str:
    """The suite `corr_table1`: average precision of modules and priors, straight and with one view turned."""
    turns = list(next(row["turned"] for row in rows if not row["prior"]))
    head = ["row", "weights M", "GFLOP a pair", "training pairs/s", "AP", "95 %", "AP, pooled", "MSE 1e-3", "precision"]
    head += ["recall", "overlap AUROC", "p (Holm)", *(f"AP at {turn}°" for turn in turns)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cost = [f"{row['weights'] / 1e6:.2f}", f"{row['flops'] / 1e9:.2f}", f"{row['train_pairs_per_s'] or 0:.0f}"]
        cells = [f"prior: {row['row']}" if row["prior"] else row["row"], *(["", "", ""] if row["prior"] else cost)]
        cells += [_percent(row["ap_macro"]), f"{_percent(row['low'])} to {_percent(row['high'])}"]
        cells += [_percent(row["ap_micro"]), f"{1000 * row['mse']:.2f}", _percent(row["precision"])]
        cells += [_percent(row["recall"]), _short(row["overlap_auroc"]), _short(row["p_holm"])]
        cells += [_percent(row["turned"].get(turn)) for turn in turns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table3_table(rows: list[dict]) -> str:
    """The suite `corr_table3`: scores of classifiers of studies, and how far they are from the reference."""
    head = ["arm", "seeds", "AUROC", "± over seeds", "95 %", "accuracy", "precision", "recall", "kappa", "AUROC more"]
    head += ["95 %", "p", "p (Holm)", "McNemar p"]
    steps = rows[0]["curve"][-1][0]
    head += [f"validation AUROC after {steps // 5}, {2 * steps // 5}, {steps} batches"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [row["arm"], str(row["seeds"]), f"{row['auroc']:.3f}", _short(row["deviation"], 3)]
        cells += [f"{row['low']:.3f} to {row['high']:.3f}"]
        cells += [f"{row[name]:.3f}" for name in ("accuracy", "precision", "recall", "kappa")]
        if row["difference"] is None:
            cells += ["reference", "", "", "", ""]
        else:
            cells += [f"{row['difference']:+.3f}", f"{row['difference_low']:+.3f} to {row['difference_high']:+.3f}"]
            cells += [_short(row[name], 3) for name in ("p", "p_holm", "mcnemar")]
        seen = dict(row["curve"])
        cells += [", ".join(_short(seen.get(step)) for step in (steps // 5, 2 * steps // 5, steps))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _short(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"
