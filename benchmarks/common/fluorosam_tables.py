"""The rows of fluorosam's suites as Markdown."""

from __future__ import annotations

import math


def step_table(rows: list[dict]) -> str:
    """The suite `fluorosam_step`: time of a training step."""
    head = [
        "network",
        "image px",
        "points",
        "work",
        "images",
        "prompts each",
        "s",
        "images/s",
        "prompts/s",
        "first loss",
    ]
    lines = ["| " + " | ".join([*head, "off by"]) + " |", "|---" * (len(head) + 1) + "|"]
    for row in rows:
        cells = [row[name] for name in ("variant", "size", "points", "work", "batch", "prompts")]
        cells += [f"{row['ms'] / 1e3:.2f}", f"{row['images_per_s']:.2f}", f"{row['prompts_per_s']:.1f}"]
        cells += [f"{row['losses'][0]:.5f}", f"{row['first_loss_difference']:.0e}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def use_table(rows: list[dict], ratios: list[dict]) -> str:
    """The suite `fluorosam_use`: what encoding and prompts cost."""
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    times = {(row["work"], row["variant"]): row["ms"] for row in rows}
    lines = ["| ms | " + " | ".join(variants) + " |", "|---" * (len(variants) + 1) + "|"]
    for work in dict.fromkeys(row["work"] for row in rows):
        cells = [f"{times[work, name]:.0f}" if (work, name) in times else "" for name in variants]
        lines.append(f"| {work} | " + " | ".join(cells) + " |")
    lines += ["", *(f"- {one['what']}: {one['ours']} cost {one['ratio']:.2f} x {one['other']}" for one in ratios)]
    return "\n".join(lines)


def masks_table(rows: list[dict], summary: dict) -> str:
    """The suite `fluorosam_masks`: how well masks fit, by set and way of asking; all sizes of masks together."""
    lines = [
        "| set | method | asked by | masks | IoU | Dice (95 %) | HD95 | not visible | other side |",
        "|---" * 9 + "|",
    ]
    for row in rows:
        if row["size"] == "all":
            low, high = row["dice_interval"]
            spread = "" if low is None else f" ({low:.3f} to {high:.3f})"
            far = "" if row["hd95"] is None else f"{row['hd95']:.0f} {row['unit']}"
            side = f"{100 * row['other_side']:.0f} % of {row['sided']}" if row["sided"] else ""
            cells = [row["set"], row["method"], row["asked_by"], row["masks"], f"{row['iou']:.3f}"]
            cells += [f"{row['dice']:.3f}{spread}", far, f"{100 * row['missed']:.0f} %", side]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, "", *(_facts(name, one) for name, one in summary.items())])


def _facts(name: str, one: dict) -> str:
    """False alarms, wording, gain of points and calibration of a set, in a line."""
    parts = []
    if absent := one["absent"].get("fluorosam"):
        low, high = absent["interval"]
        parts.append(f"false alarms {100 * absent['alarms']:.0f} % ({100 * low:.0f} to {100 * high:.0f}) of "
                     f"{absent['count']}, AUROC {absent.get('auroc', math.nan):.3f}")  # fmt: skip
    if (wording := one["wording"]) is not None:
        parts.append(f"held-out wordings {wording['difference']:+.3f} Dice")
    for kind, label in (("points", "points"), ("text_points", "words and points")):
        if chain := one["gains"].get("fluorosam", {}).get(kind):
            parts.append(f"Dice by {label} {', '.join(f'{value:.2f}' for value in chain)}")
    if every := one["calibration"].get("fluorosam", {}).get("all"):
        parts.append(f"expected calibration error {every['error']:.3f}")
    return f"- {name}, {one['images']} images: " + "; ".join(parts) + "."


def quantiser_table(rows: list[dict]) -> str:
    """The suite `fluorosam_quantiser`: what the codebook is worth."""
    lines = ["| asked by | masks | with codes | without | difference (95 %) |", "|---" * 5 + "|"]
    for row in rows:
        change = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        cells = [row["asked_by"], row["masks"], f"{row['with_codes']:.3f}", f"{row['without']:.3f}", change]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)
