"""Follow bodies through the frames in files, to a folder: frame by frame, then tables, plots and the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from xraykit.render import InputError, OutputError
from xraykit.render.pictures import save_png
from xraykit.render.storage import (
    atomic_folder,
    check_result_folder,
    check_same_settings,
    held_folder,
    make_folder,
    to_plain,
    write_settings,
)

from ..xray.names import file_stem
from .cine import SynchronousRuns, read_runs
from .following import CineFrame, groups_of, track
from .groups import BodyGroup
from .journal import FILE_NAME, TrackHeader, add_to_journal, begin_journal, read_journal
from .plots import check_plots, plot_motion, plot_poses
from .relative import RelativeMotion, relative_motions
from .result import Track, TrackedFrame
from .settings import TrackSettings
from .starting import Followed, camera_places, check_options, first_starts, read_followed
from .tables import write_motion, write_poses
from .video import frame_picture, write_video

SETTINGS_FILE, PICTURES = "settings.json", "frames"
FREE_ON_RESUME = ("resume", "output", "smooth", "knee", "plots", "video", "last")
OWN_NAMES = ("poses.csv", "poses_smoothed.csv", "poses.png", "video.gif")


@dataclass(frozen=True, eq=False)
class TrackResult:
    """What following bodies through files found.

    Args:
        track: As it was found.
        smooth: Smoothed, where that was asked for.
        motions: For each pair of bodies its relative motion, as found and perhaps smoothed.
        folder: Where it lies.
        notes: What was assumed, one sentence each.
        doubts: What is hardly true of a file, or was lost of it, with the frame where that is one's; one sentence each.
    """

    track: Track
    smooth: Track | None
    motions: tuple[tuple[RelativeMotion, ...], ...]
    folder: Path
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def track_files(settings: TrackSettings, *, report: Callable[[int, int], None] | None = None) -> TrackResult:
    """Follow a CT's structures or implants through a cine run, and write a folder.

    It holds settings.json, frames.jsonl (poses, fits and verdicts of each frame as soon as it is done), frames/
    (a picture of each), poses.csv, for each pair of bodies motion.REFERENCE.BODY.csv, plots of both, video.gif, and
    poses and motions once more as smoothed where that is asked for. Nothing is written before the first frame is done;
    what is killed goes on with `resume`.

    Args:
        settings: All there is to say.
        report: Called with how many frames are done, and how many there are.

    Raises:
        InputError: Settings that contradict each other, frames missing or repeated, or a body not in the first frame.
        FileError: A file that cannot be read.
        GeometryError: Geometry that contradicts itself.
        OutputError: The folder cannot be written, is in use by another process, or holds an earlier track.
        BackendUnavailableError: Plots need matplotlib, which is not installed.
    """
    output = settings.results.output
    check_options(settings)
    if settings.results.plots:
        check_plots()
    with held_folder(output):
        earlier = _earlier(settings)
        followed = read_followed(settings)
        runs = read_runs(settings.all_views, settings.xray, settings.cine, cameras=settings.camera)
        if earlier is not None:
            _check_earlier(earlier, followed, runs, output)
        header, found = _followed(settings, followed, runs, earlier, report or (lambda done, total: None))
        return _written(settings, followed, header, found)


Earlier = tuple[TrackHeader, tuple[TrackedFrame, ...]]


def _earlier(settings: TrackSettings) -> Earlier | None:
    """The frames that an interrupted run left, where it is to go on."""
    output = settings.results.output
    check_result_folder(output)
    journal = output / FILE_NAME
    if not journal.exists():
        return None
    if not settings.results.resume:
        raise OutputError(f"{output} must be new, got an earlier track; add --resume, or choose another --output.")
    check_same_settings(output / SETTINGS_FILE, settings, free=FREE_ON_RESUME)
    header, frames = read_journal(journal)
    return (header, frames) if frames else None  # killed before the first frame was whole: begin anew


def _check_earlier(earlier: Earlier, followed: Followed, runs: SynchronousRuns, output: Path) -> None:
    header, frames = earlier
    before, now = [frame.label for frame in frames][: len(runs.labels)], list(runs.labels[: len(frames)])
    if before != now or header.bodies != followed.names or header.views != runs.names:
        raise InputError(
            f"--resume must find the same frames and bodies as {output} has done, got others "
            f"({len(before)} frames up to {before[-1] if before else 'none'}); choose another --output."
        )


def _followed(
    settings: TrackSettings,
    followed: Followed,
    runs: SynchronousRuns,
    earlier: Earlier | None,
    report: Callable[[int, int], None],
) -> tuple[TrackHeader, Track]:
    """Follow what is not done; each frame is on the disk before the next begins."""
    output, total, begun = settings.results.output, len(runs.labels), earlier is not None
    journal, first = output / FILE_NAME, runs.frame(0)
    starts, notes = (None, ()) if earlier else first_starts(settings, followed, runs, first)
    placed = earlier[1][0].poses if earlier else None if starts is None else starts[0]
    followed = followed.scaled(settings.refinement, first.shots, placed)
    groups = groups_of(followed.bodies, followed.registration)
    if earlier is None:
        said = (*(note for shot in first.shots for note in shot.notes), *followed.notes, *notes)
        header, done = _header(settings, followed, runs, groups, tuple(dict.fromkeys(said))), ()
    else:
        header, done = earlier
        begin_journal(journal, header, done)  # without the line that a killed run left unfinished
    report(len(done), total)
    count = iter(range(len(done) + 1, total + 1))

    def keep(frame: TrackedFrame, seen: CineFrame) -> None:
        nonlocal begun
        if not begun:
            make_folder(output / PICTURES)
            place = output / SETTINGS_FILE
            write_settings(place, settings, command="xvr track", distribution="xraykit-xvr", note_folder=True)
            begin_journal(journal, header)
            begun = True
        if seen.shots:
            save_png(output / PICTURES / f"{frame.number:05}.png", frame_picture(frame, seen.shots, groups))
        add_to_journal(journal, frame)
        report(next(count), total)

    found = track(
        runs.frames(len(done)), followed.bodies, starts, settings.tracking, registration=followed.registration,
        cameras=camera_places(first), done=done, report=keep,
    )  # fmt: skip
    return header, replace(found, views=runs.names)


def _header(
    settings: TrackSettings,
    followed: Followed,
    runs: SynchronousRuns,
    groups: Sequence[BodyGroup],
    notes: tuple[str, ...],
) -> TrackHeader:
    pivots = torch.cat([group.pivots for group in groups]).double()
    radii = tuple(radius for group in groups for radius in group.radii)
    inputs = {"views": [str(run.path) for run in runs.runs], "meshes": to_plain(settings.meshes)["mesh"]}
    bones = settings.anatomy.bone
    inputs |= {"bones": [str(path) for path in bones]} if bones else {}
    inputs |= {} if settings.meshes.mesh or bones else {"ct": str(settings.ct)}
    return TrackHeader(followed.names, runs.names, pivots, radii, inputs, notes, followed.doubts)


def _written(settings: TrackSettings, followed: Followed, header: TrackHeader, found: Track) -> TrackResult:
    """Tables, plots and video, all of them or none."""
    results, output = settings.results, settings.results.output
    smooth = found.smooth(results.smooth) if results.smooth else None
    tracks = [found] if smooth is None else [found, smooth]
    motions = tuple(zip(*(relative_motions(one, followed.knee) for one in tracks), strict=True))
    stems = [f"motion.{file_stem(pair[0].reference)}.{file_stem(pair[0].body)}" for pair in motions]
    owned = [*OWN_NAMES, *(stem + end for stem in stems for end in (".csv", "_smoothed.csv", ".png"))]
    with atomic_folder(output, owned=owned) as staging:
        for one, end in zip(tracks, ("", "_smoothed"), strict=False):
            write_poses(staging / f"poses{end}.csv", one)
        for pair, stem in zip(motions, stems, strict=True):
            for motion, end in zip(pair, ("", "_smoothed"), strict=False):
                write_motion(staging / f"{stem}{end}.csv", found, motion)
            if results.plots and pair[0].values:
                plot_motion(staging / f"{stem}.png", found, pair)
        if results.plots:
            plot_poses(staging / "poses.png", found, smooth)
        if results.video:
            files = [output / PICTURES / f"{frame.number:05}.png" for frame in found.frames]
            pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files if file.is_file()]
            write_video(staging / "video.gif", pictures, seconds_per_frame=_pace(found))
    of_frames = [f"frame {frame.label}: {doubt}" for frame in found.frames for doubt in frame.doubts]
    return TrackResult(found, smooth, motions, output, header.notes, (*header.doubts, *of_frames))


def _pace(found: Track) -> float | None:
    times = found.times
    return None if times is None or len(times) < 2 else float(times.diff().median())
