"""Which starts the settings ask for, and whether they have what these need; before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, TypeVar

from xraykit.render import InputError
from xraykit.render.storage import leaves

from .settings import StartKind, StartSettings

T = TypeVar("T")
BELONGS: dict[StartKind, tuple[str, ...]] = {
    "network": ("network", "network_sdd", "network_delx", "warp", "invert_warp"),
    "fixed": ("view", "lao_rao", "cra_cau", "roll", "pose"),
    "result": ("result",),
    "landmarks": ("landmarks_ct", "landmarks_xray"),
    "search": ("search_lao_rao", "search_cra_cau", "search_roll", "search_sod", "search_offset"),
}
"""The options of each kind of start, by their flat names."""
PLACES_VIEWS = ("pose", "result")  # of several views together they may do no more than say where the views are


def implied_starts(settings: StartSettings) -> tuple[StartKind, ...]:
    """The starts that the other options name; () where none does."""
    given = _given(settings)
    return tuple(kind for kind, names in BELONGS.items() if given.intersection(names))


def check_start(settings: StartSettings, *, views: int = 1) -> None:
    """Refuse options of a start that was not asked for, and starts that lack theirs.

    Args:
        settings: Where to start.
        views: How many X-rays get one pose together.

    Raises:
        InputError: Which one, and what to do.
    """
    kinds, given = settings.kinds or implied_starts(settings), _given(settings)
    for kind, names in BELONGS.items():
        strays = [name for name in names if name in given and (views == 1 or name not in PLACES_VIEWS)]
        if strays and kind not in kinds:
            raise InputError(
                f"{flag(strays[0])} belongs to --start {kind}, got --start {' --start '.join(kinds)}; add it."
            )
    for kind, name in (("network", "network"), ("result", "result"), ("landmarks", "landmarks_ct")):
        if kind in kinds and name not in given:
            raise InputError(f"--start {kind} needs {flag(name)}, got none.")
    ways = ("view" in given, bool(given & {"lao_rao", "cra_cau", "roll"}), "pose" in given)
    if "fixed" in kinds and sum(ways) != 1:
        raise InputError("--start fixed needs one of --view, angles (--lao-rao, --cra-cau, --roll) and --pose.")
    if ("landmarks_ct" in given) != ("landmarks_xray" in given):
        raise InputError("landmarks come in pairs: give both --landmarks-ct and --landmarks-xray.")


def start_of(settings: StartSettings, numbers: Sequence[int], count: int) -> StartSettings:
    """The settings of some X-rays: of what is given for each of `count`, only theirs.

    Raises:
        InputError: Something is given neither once nor for each X-ray.
    """

    def own(name: str, values: tuple[T, ...]) -> tuple[T, ...]:
        if len(values) not in (0, 1, count):
            raise InputError(f"{flag(name)} must be given once, or once for each of {count} X-rays, got {len(values)}.")
        return values if len(values) < 2 else tuple(values[n] for n in numbers)

    said = settings.stated
    stated = {name: own(name, getattr(said, name)) for name in ("lao_rao", "cra_cau", "roll", "pose")}
    return replace(
        settings,
        result=own("result", settings.result),
        stated=replace(said, **stated),
        landmarks=replace(settings.landmarks, xray=own("landmarks_xray", settings.landmarks.xray)),
    )


def flag(name: str) -> str:
    """An option as one types it."""
    return "--" + name.replace("_", "-")


def _given(settings: StartSettings) -> set[str]:
    """The flat names of what was said."""

    def value(path: tuple[str, ...]) -> Any:
        return reduce(getattr, path, settings)

    return {name for name, leaf in leaves(StartSettings).items() if value(leaf.path) not in (None, False, ())}
