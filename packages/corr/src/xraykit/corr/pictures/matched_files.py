"""Files in, a folder of matches and pictures out; and a point of one file looked for in others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import FileError, InputError, OutputError
from xraykit.render.pictures import save_png
from xraykit.render.storage import atomic_folder, check_result_folder, read_json_object, write_settings

from ..data.xray_files import xray_files
from ..data.xray_reading import XrayReading
from ..predictor.matcher import Matcher, check_count
from ..predictor.matches import Matches, PatchMatch
from ..predictor.point_heat import PointHeat
from ..predictor.saved_matches import HEAT, SCHEMA, TABLE
from ..predictor.view_letters import view_letter, view_number
from .heat_picture import QueryPoint, draw_heat
from .match_picture import draw_matches
from .settings import MatchFilesSettings, QueryFilesSettings, UsedMatcherSettings

SETTINGS, POINTS, LINES = "settings.json", "points.png", "matches_{}_{}.png"
MOST_BYTES = 1 << 28


@dataclass(frozen=True, eq=False)
class MatchedXrays:
    """What `match_xrays` found and wrote.

    Args:
        matches: All of it.
        listed: The best matches, pair after pair.
        folder: Where it lies.
        warnings: Sentences for the user.
    """

    matches: Matches
    listed: list[PatchMatch]
    folder: Path
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class AskedXrays:
    """What `ask_xrays` found: the heat of the point by view, what else is known, and sentences for the user."""

    matches: Matches
    heats: dict[int, PointHeat]
    warnings: tuple[str, ...]


def match_xrays(settings: MatchFilesSettings, *, matcher: Matcher | None = None) -> MatchedXrays:
    """Match X-rays and write matches.json, heat.npz, settings.json, matches_A_B.png of each pair and points.png.

    Args:
        settings: All there is to say.
        matcher: In place of the one that the settings name.

    Raises:
        InputError: One X-ray only, one that shows nothing, a point outside its image, or a number outside its range.
        FileError: An X-ray or the weights cannot be read. OutputError: The folder cannot be written.
    """
    check_result_folder(settings.output)
    xrays = xray_files(settings.xrays, without=settings.output)
    matches, warnings = open_matches(xrays, settings.matcher, settings.reading, matcher=matcher)
    count = len(matches.xrays)
    points = [QueryPoint(view_number(view, count), x, y) for view, x, y in settings.point]
    chosen = {"threshold": settings.threshold, "mutual": settings.mutual, "per_patch": settings.per_patch}
    listed = matches.top(settings.top, **chosen)
    pictures = {LINES.format(*map(view_letter, pair)): draw_matches(matches, pair, listed) for pair in matches.pairs}
    if points:
        pictures[POINTS] = draw_heat(matches, points)
    with atomic_folder(settings.output, owned=_earlier_files(settings.output)) as folder:
        matches.save(folder, matches=listed)
        write_settings(folder / SETTINGS, settings, command="corr match", distribution="xraykit-corr")
        for name, picture in pictures.items():
            save_png(folder / name, picture)
    return MatchedXrays(matches, listed, settings.output, warnings)


def _earlier_files(folder: Path) -> set[str]:
    """Names of what an earlier run left, none where it left no matches.json: pictures may then be somebody's own."""
    if not (folder / TABLE).is_file():
        return set()
    try:
        table = read_json_object(folder / TABLE, most_bytes=MOST_BYTES)
    except FileError:
        return set()
    if table.get("schema") != SCHEMA:
        return set()
    return {TABLE, HEAT, SETTINGS, POINTS, *(path.name for path in folder.glob(LINES.format("*", "*")))}


def ask_xrays(settings: QueryFilesSettings, *, matcher: Matcher | None = None) -> AskedXrays:
    """Look for a point of one X-ray in the others, and write the picture if it has a path.

    Args:
        settings: All there is to say.
        matcher: In place of the one that the settings name.

    Raises:
        InputError: One X-ray only, one that shows nothing, a point outside its image, or `top` below 1.
        FileError: An X-ray or the weights cannot be read. OutputError: The picture cannot be written.
    """
    if settings.top < 1:
        raise InputError(f"--top must be 1 or more, got {settings.top}.")
    if settings.output is not None and settings.output.suffix.lower() != ".png":
        raise OutputError(f"the picture must be a .png file, got {settings.output}; change its name.")
    matches, warnings = open_matches(xray_files(settings.xrays), settings.matcher, settings.reading, matcher=matcher)
    point = QueryPoint(view_number(settings.view, len(matches.xrays)), *settings.point)
    heats = matches.query(*point)
    if settings.output is not None:
        save_png(settings.output, draw_heat(matches, [point]))
    return AskedXrays(matches, heats, warnings)


def open_matches(
    xrays: Sequence[Path], settings: UsedMatcherSettings, reading: XrayReading, *, matcher: Matcher | None = None
) -> tuple[Matches, tuple[str, ...]]:
    """The matches of X-ray files, and sentences for the user: what was assumed and what is doubtful.

    Args:
        xrays: Two files or more.
        settings: Which network.
        reading: How files are read.
        matcher: In place of the network that the settings name.

    Raises:
        As `Matcher.match`.
    """
    check_count(xrays)
    matcher = matcher or Matcher(settings.weights, device=settings.device)
    matches = matcher.match(xrays, reading=reading, jointly=settings.jointly)
    return matches, (*matches.notes, *same_files(xrays), *matches.doubts.values())


def same_files(paths: Sequence[Path]) -> list[str]:
    """A sentence for each X-ray that was given before."""
    found = []
    for later, path in enumerate(paths):
        for earlier in range(later):
            if path.resolve() == paths[earlier].resolve():
                found.append(f"{view_letter(earlier)} and {view_letter(later)} are the same file, {path.name}")
    return found
