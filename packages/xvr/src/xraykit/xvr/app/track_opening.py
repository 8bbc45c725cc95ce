"""A track named alone, without CT and X-rays: its own settings say what was followed, and where."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from xraykit.render import FileError, InputError
from xraykit.render.commands import LabelSettings
from xraykit.render.storage import absolute_paths, kind_at, noted_folder, read_settings

from ..tracking.cine import read_runs
from ..tracking.file_tracking import SETTINGS_FILE
from ..tracking.settings import TrackSettings
from ..tracking.starting import read_followed
from .cine_steps import CineSteps, gaps
from .settings import AppSettings, OpeningSettings
from .track_server import TrackServer
from .track_session import TrackSession
from .tracked_bodies import drawn_bodies
from .tracked_poses import read_tracked_poses


def track_settings(path: Path) -> TrackSettings:
    """What `xraykit xvr track` was told for a folder, or the frames.jsonl in it, with paths that hold from here.

    Raises:
        FileError: There is no such file beside the track, it is damaged, or what it names is no longer there.
    """
    file = (path if path.is_dir() else path.parent) / SETTINGS_FILE
    as_given, folder = read_settings(TrackSettings, file, what="a track"), noted_folder(file)
    settings = as_given if folder is None else absolute_paths(as_given, folder)
    for name, place in zip(_inputs(as_given), _inputs(settings), strict=True):
        if kind_at(place) is None and not _PATTERN.intersection(str(name)):
            where = "the working folder, and does not say" if folder is None else f"{folder.resolve()},"
            raise FileError(
                f"{file} names {name}, which is not in {where} where `xraykit xvr track` was run; "
                f"{'open it from there' if folder is None else 'put it back, or correct its path in that file'}."
            )
    return settings


def _inputs(track: TrackSettings) -> tuple[Path, ...]:
    """What the page reads."""
    labels = () if track.anatomy.labels is None else (track.anatomy.labels,)
    return (track.ct, *track.views, *track.camera, *track.meshes.mesh, *track.anatomy.bone, *labels)


def settings_of_ct(settings: AppSettings, track: TrackSettings) -> AppSettings:
    """The page's settings with the CT, its labels and the runs of a track.

    Raises:
        InputError: Options that the track states already.
    """
    if (settings.camera, settings.anatomy, settings.xray) != (_NONE.camera, _NONE.anatomy, _NONE.xray):
        raise InputError(
            "--track alone takes cameras, labels and how X-rays are read from the track, got options of them; leave "
            "them out, or name CT and X-rays too."
        )
    labels = LabelSettings(**{part.name: getattr(track.anatomy, part.name) for part in fields(LabelSettings)})
    return replace(settings, ct=track.ct, xrays=track.views, camera=track.camera, anatomy=labels, xray=track.xray)


def open_track(settings: AppSettings, track: TrackSettings) -> TrackServer:
    """A page that looks at a track of implants or bones.

    Raises:
        FileError: A file that cannot be read.
        InputError: Options of what the page does not do here, or a track that does not fit its own settings.
    """
    opening = settings.opening
    if opening.track is None or settings != AppSettings(
        page=settings.page, opening=OpeningSettings(track=opening.track)
    ):
        raise InputError(
            "a track of implants or bones is looked at as it was found, got options beside --track and those of the "
            "page; leave them out."
        )
    followed = read_followed(track)
    runs = read_runs(track.all_views, track.xray, replace(track.cine, uneven=True), cameras=track.camera)
    frames = CineSteps(runs, read_tracked_poses(opening.track, runs, bodies=followed.names))
    notes = (*gaps(runs), *followed.doubts, *followed.notes)
    page = settings.page
    return TrackServer(TrackSession(frames, drawn_bodies(followed), notes), port=page.port, outer=page.outer)


_NONE, _PATTERN = AppSettings(), set("*?[")
