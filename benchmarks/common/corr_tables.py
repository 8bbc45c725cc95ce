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
