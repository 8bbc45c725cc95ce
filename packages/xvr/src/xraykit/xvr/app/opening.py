"""From settings to a running page: read the files, place the X-rays, serve."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from xraykit.render import Volume
from xraykit.render.storage import finding_sentences, to_plain

from ..procedure import register_xrays
from ..procedure_settings import ProcedureSettings
from ..start.candidates import calibrated_places, spread_to_views
from ..start.settings import StartSettings, StatedStart
from ..template.warp import read_warp
from ..xray.input_files import InputFiles
from ..xray.xray_input import read_shots
from .files import load_result, result_text
from .server import AppServer
from .session import Session
from .settings import AppSettings
from .starters import first_poses, make_starters


def open_app(settings: AppSettings) -> AppServer:
    """The running page that the settings ask for.

    Raises:
        FileError: The CT, its labels, an X-ray or a result cannot be read.
        InputError: An X-ray lacks geometry that no option supplies, or the port is busy.
        OutputError: The output folder cannot be made.
    """
    mirror, network, opening = settings.xray.mirror, settings.network, settings.opening
    labels = settings.anatomy.labels
    shots = read_shots(settings.xrays, settings.xray, cameras=settings.camera)
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
    notes = [*said, *(doubt for shot in shots for doubt in shot.doubts), *notes]
    session = Session(volume, shots, starts, starters, partial(register_xrays, settings=procedure), notes, start)
    if opening.result is not None:
        load_result(session, result_text(opening.result))
    inputs = to_plain(InputFiles(settings.ct, labels, paths))
    page = settings.page
    return AppServer(session, folder=page.output, port=page.port, inputs=inputs, outer=page.outer)
