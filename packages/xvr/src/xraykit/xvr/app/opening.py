"""From settings to a running page: read the files, place the X-rays, serve."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from xraykit.render import InputError, Volume
from xraykit.render.storage import finding_sentences, to_plain

from ..procedure import WHOLE, register_xrays
from ..procedure_settings import ProcedureSettings
from ..start.candidates import calibrated_places, spread_to_views
from ..start.settings import StartSettings, StatedStart
from ..template.warp import read_warp
from ..tracking.cine import read_runs
from ..tracking.settings import CineSettings
from ..xray.input_files import InputFiles
from ..xray.runs import is_run
from ..xray.xray_input import read_shots
from .cine_steps import CineSteps, gaps
from .files import load_result, result_text
from .server import AppServer
from .session import Session
from .settings import AppSettings
from .starters import first_poses, make_starters
from .track_opening import open_track, settings_of_ct, track_settings
from .track_server import TrackServer
from .tracked_poses import TrackedPoses, names_of, read_tracked_poses


def open_app(settings: AppSettings) -> AppServer | TrackServer:
    """The running page that the settings ask for; of implants or bones that were tracked one that is only looked at.

    Raises:
        FileError: The CT, its labels, an X-ray, a result or a track cannot be read.
        InputError: Neither CT and X-rays nor a track is named, an X-ray lacks geometry that no option supplies, or the
            port is busy.
        OutputError: The output folder cannot be made.
    """
    if settings.ct is None and not settings.xrays and settings.opening.track is not None:
        track = track_settings(settings.opening.track)
        if track.meshes.mesh or track.anatomy.bone:
            return open_track(settings, track)
        settings = settings_of_ct(settings, track)
    if settings.ct is None or not settings.xrays:
        came = "X-rays alone" if settings.xrays else "neither" if settings.ct is None else f"{settings.ct} alone"
        raise InputError(f"a CT and an X-ray or more must be named, or --track FOLDER without them, got {came}.")
    mirror, network, opening = settings.xray.mirror, settings.network, settings.opening
    labels = settings.anatomy.labels
    frames = read_frames(settings)
    said_of_frames: list[str] = []
    if frames is None:
        shots = read_shots(settings.xrays, settings.xray, cameras=settings.camera)
    else:
        shots, said_of_frames = frames.open()
        said_of_frames += gaps(frames.runs)
    paths = tuple(Path(str(shot.source)) for shot in shots)  # a file stands here for each of its frames
    volume = Volume.from_file(settings.ct, **settings.anatomy.reading)
    warp = None if network.warp is None else read_warp(network.warp, volume, invert=network.invert_warp)
    starters = make_starters(volume, paths, shots, mirror=mirror, network=network, warp=warp)
    starts, notes = first_poses(volume, paths, shots, view=opening.view, mirror=mirror)
    places = calibrated_places(shots)
    if places is not None:
        starts = spread_to_views(starts[None, :1], places)[0]
    start = StartSettings(stated=StatedStart(view=opening.view))
    procedure = ProcedureSettings(start=start, refinement=settings.refinement, xray=settings.xray)
    said = [f"CT, {line}" for line in finding_sentences({**volume.doubts, **volume.assumptions})]
    notes = [*said, *said_of_frames, *(doubt for shot in shots for doubt in shot.doubts), *notes]
    refine = partial(register_xrays, settings=procedure)
    session = Session(volume, shots, starts, starters, refine, notes, start, frames)
    if frames is not None and frames.tracked is not None:
        choose_tracked(session, frames.tracked)
    if opening.result is not None:
        load_result(session, result_text(opening.result))
    inputs = to_plain(InputFiles(settings.ct, labels, paths if frames is None else settings.xrays))
    page = settings.page
    return AppServer(session, folder=page.output, port=page.port, inputs=inputs, outer=page.outer)


def read_frames(settings: AppSettings) -> CineSteps | None:
    """The runs to step through, where the X-rays are runs of frames; None where each is one X-ray.

    Raises:
        FileError: A file that cannot be read.
        InputError: Runs beside single X-rays, views without a frame in common, or a track of something else.
    """
    paths, track = settings.xrays, settings.opening.track
    are_runs = [is_run(path, settings.xray.of_view(n, len(paths))) for n, path in enumerate(paths)]
    if not are_runs or not all(are_runs):
        if any(are_runs):
            run, single = paths[are_runs.index(True)], paths[are_runs.index(False)]
            raise InputError(
                f"the X-rays must all be runs of frames or all be single, got {run} of several frames and {single} of "
                "one; open them apart, or choose a frame of each with --frame."
            )
        if track is not None:
            raise InputError(f"--track needs the run that was followed, got {paths[0]} of one X-ray; name the run.")
        return None
    runs = read_runs(paths, settings.xray, CineSettings(uneven=True), cameras=settings.camera)
    return CineSteps(runs, None if track is None else read_tracked_poses(track, runs))


def choose_tracked(session: Session, tracked: TrackedPoses) -> None:
    """Show the first body of a track alone, where it is a structure of the CT and the page has labels of it."""
    names = names_of(tracked.bodies[0])
    if tracked.bodies[0] != WHOLE and set(names) <= {name for kind in session.offered.values() for name in kind}:
        session.choose(names)
