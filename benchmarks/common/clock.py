"""Timing: warm up, then one repetition of everybody per round, so that drift of the machine hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median, quantiles

import torch


def wall_ms(work: Callable[[], object], *, device: str) -> float:
    """Wall time of one run with the device drained before and after."""
    drain(device)
    begun = time.perf_counter()
    work()
    drain(device)
    return (time.perf_counter() - begun) * 1e3


def device_ms(work: Callable[[], object]) -> float:
    """Time between two CUDA events around one run: what the device was busy with, launch gaps included."""
    begun, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    begun.record()
    work()
    ended.record()
    torch.cuda.synchronize()
    return begun.elapsed_time(ended)


def drain(device: str) -> None:
    """Wait for outstanding work."""
    if device != "cpu":
        torch.cuda.synchronize()


def interleave(
    jobs: dict[str, Callable[[], object]], *, device: str, seconds: float, at_least: int, at_most: int
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of every job, wall and (on CUDA) device.

    Rounds go on until each job has had `seconds` of its own or `at_most` runs; a slow job drops out after `at_least`
    runs, so that it does not hold up the fast ones.
    """
    times: dict[str, dict[str, list[float]]] = {name: {"wall": [], "device": []} for name in jobs}
    spent = dict.fromkeys(jobs, 0.0)
    for work in jobs.values():
        work()
    while True:
        waiting = [n for n in jobs if len(times[n]["wall"]) < (at_least if spent[n] > seconds else at_most)]
        if not waiting:
            return times
        for name in waiting:
            elapsed = wall_ms(jobs[name], device=device)
            times[name]["wall"].append(elapsed)
            if device != "cpu":
                times[name]["device"].append(device_ms(jobs[name]))
            spent[name] += elapsed / 1e3


def summary(values: list[float]) -> dict[str, object] | None:
    """Median, interquartile range, number and the raw values."""
    if not values:
        return None
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    return {
        "median_ms": round(median(values), 4),
        "iqr_ms": round(high - low, 4),
        "n": len(values),
        "all_ms": [round(value, 4) for value in values],
    }
