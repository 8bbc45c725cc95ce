"""The rows of the timed suites as text: who took how long, and how many times longer."""

from __future__ import annotations

from dataclasses import fields

from .entry import OPERATIONS, Entry

GROUPS = ("march", "image")  # the first row of each is what the others are compared with


def ratios(rows: list[dict]) -> list[dict]:
    """How many times longer each peer took than each of our rows, same regime and operation, medians."""
    found = []
    regime = ("height", "width", "batch", "samples")
    for ours in (row for row in rows if row["program"] == "xraykit"):
        for peer in (row for row in rows if row["program"] != "xraykit"):
            if any(ours[key] != peer[key] for key in regime) or ours["compiled"] != peer["compiled"]:
                continue
            for clock in ("wall", "device"):
                for operation in ours[clock].keys() & peer[clock].keys():
                    times = peer[clock][operation]["median_ms"] / ours[clock][operation]["median_ms"]
                    place = {key: ours[key] for key in regime} | {"compiled": ours["compiled"]}
                    names = {"ours": name_of(ours), "peer": name_of(peer), "clock": clock, "operation": operation}
                    found.append({**names, **place, "ratio": round(times, 3)})
    return sorted(found, key=lambda entry: [str(value) for value in entry.values()])


def name_of(row: dict) -> str:
    """What a row is called in the table."""
    return Entry(**{field.name: row[field.name] for field in fields(Entry)}).label


def table(rows: list[dict]) -> str:
    """The rows of one regime as text; times are medians, wall or (on CUDA) device."""
    head = f"{'':34}{'forward':>18}{'fwd+bwd pose':>18}{'fwd+bwd mu':>18}{'first call':>12}{'peak MB':>18}{'error':>11}"
    lines = [head]
    for row in rows:
        if row["skipped"] and not row["wall"]:
            lines.append(f"{name_of(row):34}  skipped: {row['skipped']}")
            continue
        cells = [_time(row, operation) for operation in OPERATIONS]
        first = f"{row['first_call_ms']:.0f} ms" if row["first_call_ms"] is not None else "-"
        memory = "/".join(f"{row['peak_memory_mb'][o]:.0f}" for o in OPERATIONS if o in row["peak_memory_mb"]) or "-"
        error = f"{row['error_max']:.1e}" if row["error_max"] is not None else "-"
        lines.append(f"{name_of(row):34}" + "".join(f"{c:>18}" for c in cells) + f"{first:>12}{memory:>18}{error:>11}")
    return "\n".join(lines)


def stages_table(rows: list[dict]) -> str:
    """The rows of one regime of the suite `simulate` as Markdown; shares are of the complete image."""
    medians = {row["work"]: (row["device"] or row["wall"])["forward"]["median_ms"] for row in rows}
    plain, image = (next((medians[row["work"]] for row in rows if row["group"] == group), None) for group in GROUPS)
    lines = ["| work | time | images/s | |", "|---|---|---|---|"]
    for row in rows:
        median, note = medians[row["work"]], ""
        if row["group"] == "march" and plain:
            note = f"{median / plain:.2f} x the plain march"
        elif row["group"] == "stage" and image:
            note = f"{100 * median / image:.0f} % of the complete image"
        rate = f"{1e3 * row['batch'] / median:.3g}" if row["group"] != "stage" else ""
        lines.append(f"| {row['work']} | {_time(row, 'forward')} | {rate} | {note} |")
    return "\n".join(lines)


def _time(row: dict, operation: str) -> str:
    times = (row["device"] or row["wall"]).get(operation)
    return f"{times['median_ms']:.2f} ± {times['iqr_ms']:.2f} ms" if times else "-"
