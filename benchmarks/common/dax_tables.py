"""The committed results about backbones as Markdown tables."""

from __future__ import annotations


def step_table(rows: list[dict]) -> str:
    """The suite `dax_step`: time of a whole training step, and how far its losses are from the published order's."""
    head = [
        "architecture",
        "work",
        "batch",
        "prototypes",
        "ms",
        "images/s",
        "times the first",
        "first loss",
        "loss off",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    first = {(row["architecture"], row["batch"]): row["ms"] for row in reversed(rows)}
    for row in rows:
        faster = first[row["architecture"], row["batch"]] / row["ms"]
        cells = [row["architecture"], row["work"], row["batch"], row["outputs"], f"{row['ms']:.0f}"]
        cells += [f"{row['images_per_s']:.2f}", f"{faster:.2f} x", f"{row['losses'][0]:.5f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['largest_loss_difference']:.4f}"])) + " |")
    return "\n".join(lines)


def probes_table(rows: list[dict]) -> str:
    """The suite `dax_probes`: a row for each place and score, a column for each backbone, with 95 % intervals."""
    backbones = list(dict.fromkeys(row["backbone"] for row in rows))
    lines = [
        "| probe | judged on | score | images | " + " | ".join(backbones) + " |",
        "|---" * (4 + len(backbones)) + "|",
    ]
    found: dict[tuple, dict[str, str]] = {}
    for row in rows:
        key = (row["probe"], row["tested_on"], row["score"], row["images"])
        interval = "" if row["low"] is None else f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
        found.setdefault(key, {})[row["backbone"]] = f"{100 * row['value']:.1f}{interval}"
    for key, cells in found.items():
        values = [cells.get(name, "-") for name in backbones]
        lines.append("| " + " | ".join(map(str, [*key, *values])) + " |")
    return "\n".join(lines)
