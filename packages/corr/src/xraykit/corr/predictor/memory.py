"""How much memory matching takes, and how many X-rays fit."""

from __future__ import annotations

from pathlib import Path

import torch

from xraykit.render import InputError

GIB = 1 << 30
COPIES = 3  # of an attention matrix and of a pair's matrix that are alive at once


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had on a device; None where nobody says."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024 if kilobytes else None


def needed_bytes(views: int, *, tokens: int, heads: int, dimension: int, jointly: bool) -> int:
    """About what matching takes: attention over all tokens of a pass, their vectors, and a matrix for each pair.

    Args:
        views: How many X-rays.
        tokens: Patches of one, L.
        heads: Of the attention.
        dimension: Of a token.
        jointly: All views in one pass, or two at a time.
    """
    together = (views if jointly else 2) * tokens
    pairs = views * (views - 1) // 2
    attention, vectors = COPIES * heads * together**2, 16 * dimension * together
    matrices = (pairs if jointly else 1) * COPIES * tokens**2 + pairs * tokens**2
    return 4 * (attention + vectors + matrices)


def check_memory(views: int, device: torch.device, *, tokens: int, heads: int, dimension: int, jointly: bool) -> None:
    """Refuse more X-rays than fit.

    Raises:
        InputError: Too many; says how many fit.
    """
    free = free_bytes(device)
    facts = {"tokens": tokens, "heads": heads, "dimension": dimension, "jointly": jointly}
    if free is None or needed_bytes(views, **facts) <= free:
        return
    fit = next((n for n in range(views - 1, 1, -1) if needed_bytes(n, **facts) <= free), 0)
    needed = needed_bytes(views, **facts) / GIB
    advice = f"match at most {fit} at a time" if fit else "use a network with fewer patches"
    raise InputError(
        f"{views} X-rays of {tokens} patches need about {needed:.2g} GiB, got {free / GIB:.2g} GiB free; {advice}."
    )
