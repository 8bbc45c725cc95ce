"""The table on the screen, and the JSON beside it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from .opponents import OPERATIONS, Entry

SCHEMA = 1
RESULTS = Path(__file__).parent / "results"
PACKAGES = ("xraykit-render", "torch", "numba", "triton", "numpy", "diffdrr", "nanodrr", "itk-rtk", "itk")
ROW_FIELDS = {
    "program": str, "method": str, "storage": str, "backend": str, "compiled": bool,
    "height": int, "width": int, "pixel_spacing_mm": float, "batch": int, "samples": int,
    "wall": dict, "device": dict, "first_call_ms": (float, type(None)), "peak_memory_mb": dict,
    "error_max": (float, type(None)), "error_rms": (float, type(None)), "reference": str,
    "skipped": (str, type(None)),
}  # fmt: skip
STAGE_FIELDS = {
    "work": str, "group": str, "height": int, "width": int, "pixel_spacing_mm": float, "batch": int, "samples": int,
    "wall": dict, "device": dict, "skipped": (str, type(None)),
}  # fmt: skip
REALISM_FIELDS = {
    "images_of": str, "part": str, "images": int, "named": dict, "recall": float, "recall_of_networks": list,
}  # fmt: skip
GROUPS = ("march", "image")  # the first row of each is what the others are compared with
ROWS = {"render": ROW_FIELDS, "simulate": STAGE_FIELDS, "realism": REALISM_FIELDS}
FILE_FIELDS = {
    "schema": int, "suite": str, "mode": str, "created": str, "commit": str, "device": str, "machine": dict,
    "clock_policy": str, "load_before": list, "load_after": list, "threads": dict, "versions": dict,
    "scene": dict, "rows": list, "ratios": list,
}  # fmt: skip


def problems(result: dict) -> list[str]:
    """What keeps a result file from following the schema; empty if nothing does."""
    found = _mistyped(result, FILE_FIELDS, "file")
    if found or result["schema"] != SCHEMA:
        return found or [f"schema is {result['schema']}, expected {SCHEMA}"]
    if result["suite"] not in ROWS:
        return [f"suite is {result['suite']!r}, expected one of {', '.join(ROWS)}"]
    for number, row in enumerate(result["rows"]):
        where = f"rows[{number}]"
        found += _mistyped(row, ROWS[result["suite"]], where)
        for clock in ("wall", "device"):
            for operation, times in row.get(clock, {}).items():
                if operation not in OPERATIONS or times["n"] != len(times["all_ms"]) or times["n"] < 1:
                    found.append(f"{where}.{clock}.{operation} is not a list of timings")
        if "wall" in ROWS[result["suite"]] and not row.get("wall") and not row.get("skipped"):
            found.append(f"{where} has neither timings nor a reason")
    if not result["rows"]:
        found.append("no rows")
    return found


def _mistyped(value: dict, fields: dict, where: str) -> list[str]:
    missing = [f"{where}.{name} is missing" for name in fields if name not in value]
    unknown = [f"{where}.{name} is not in the schema" for name in value if name not in fields]
    wrong = [
        f"{where}.{name} is {type(value[name]).__name__}"
        for name, kind in fields.items()
        if name in value and not isinstance(value[name], kind)
    ]
    return missing + unknown + wrong


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


def confusion_table(rows: list[dict]) -> str:
    """The rows of the suite `realism` as Markdown: what was shown, and what it was taken for, most often first."""
    lines = ["| X-rays of | show | images | right | named |", "|---|---|---|---|---|"]
    for images_of in dict.fromkeys(row["images_of"] for row in rows):
        here = [row for row in rows if row["images_of"] == images_of]
        for row in here:
            named = sorted(row["named"].items(), key=lambda entry: -entry[1])
            words = ", ".join(f"{name} {count}" for name, count in named)
            lines.append(f"| {images_of} | {row['part']} | {row['images']} | {100 * row['recall']:.0f} % | {words} |")
        images, right = sum(row["images"] for row in here), sum(row["named"].get(row["part"], 0) for row in here)
        each = [
            sum(row["recall_of_networks"][n] * row["images"] for row in here) / images
            for n in range(len(here[0]["recall_of_networks"]))
        ]
        networks = ", ".join(f"{100 * value:.0f}" for value in each)
        total = f"each network by itself {networks} %"
        lines.append(f"| **{images_of}** | all | {images} | **{100 * right / images:.0f} %** | {total} |")
    return "\n".join(lines)


def _time(row: dict, operation: str) -> str:
    times = (row["device"] or row["wall"]).get(operation)
    return f"{times['median_ms']:.2f} ± {times['iqr_ms']:.2f} ms" if times else "-"


def surroundings(device: str) -> dict[str, object]:
    """Versions, commit, machine, load and clock policy."""
    return {
        "commit": _said("git", "describe", "--always", "--dirty", "--abbrev=12") or "unknown",
        "device": torch.cuda.get_device_name() if device != "cpu" else platform.processor() or platform.machine(),
        "machine": {"system": platform.platform(), "cpu": _cpu(), "cores": os.cpu_count(),
                    "python": platform.python_version()},
        "clock_policy": _clock_policy(device),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }  # fmt: skip


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=RESULTS.parent, timeout=20, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _clock_policy(device: str) -> str:
    if device != "cpu":
        query = "--query-gpu=clocks.sm,clocks.max.sm,power.limit,persistence_mode"
        return f"as found: {_said('nvidia-smi', query, '--format=csv,noheader') or 'nvidia-smi silent'}"
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return (
        f"as found: governor {governor.read_text(encoding='utf-8').strip()}"
        if governor.exists()
        else "as found: no governor visible"
    )


def save(result: dict, path: Path) -> None:
    """Write a result that follows the schema, or say what is wrong with it."""
    wrong = problems(result)
    if wrong:
        raise ValueError("; ".join(wrong))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
