"""The versions of installed distributions, as files and results state them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

UNKNOWN = "unknown"


def installed_version(distribution: str) -> str:
    """The version of a distribution such as "xraykit-render"; `UNKNOWN` where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return UNKNOWN


def installed_versions(distributions: Iterable[str]) -> dict[str, str]:
    """{distribution: version} of those that are installed."""
    found = {name: installed_version(name) for name in distributions}
    return {name: number for name, number in found.items() if number != UNKNOWN}
