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
