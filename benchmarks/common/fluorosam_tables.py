"""The rows of fluorosam's suites as Markdown."""

from __future__ import annotations


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
