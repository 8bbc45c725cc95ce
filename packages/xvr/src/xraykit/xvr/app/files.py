"""Results that the page saves and loads, as `xraykit xvr register` writes them, in one folder only."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from xraykit.render import FileError, InputError, OutputError

from ..procedure import XrayRegistration, start_record
from ..result.folder import save_result
from ..result.reading import read_result
from ..result.record import FILE_NAME
from ..xray.names import file_stem
from .placement import PlacedPose, RefinedViews
from .session import Session

LOADED = "loaded"
MOST = 9999  # results of one X-ray in a folder
LIMIT = 1 << 22  # bytes of a file that the page sends


def save_view(session: Session, index: int, folder: Path, inputs: Mapping[str, Any]) -> Path:
    """Write where an X-ray is seen from into NAME-NNNN, the first free number in the folder, as `xvr register` does.

    The record holds the whole registration if the pose is its result, with all X-rays of a joint one; a pose placed
    by hand or by a starter is recorded without similarity and trust. Of a cine run the frame shown is written, whose
    files take the place of the run in the record.

    Raises:
        OutputError: A file cannot be written.
    """
    view = session.view(index)
    now, found = view.now, view.now.found
    if session.frames is not None:
        inputs = {**inputs, "xrays": [str(each.shot.source) for each in session.views]}
    if found is None:
        chosen, shots = session.structure, [view.shot]
        first = view.history[0].pose[None]
        poses, structures = now.pose[None], (chosen.title,)
        record = start_record(shots, structures, poses, start_kind=now.kind, start=first, inputs=inputs)
    else:
        chosen, shots = found.structure, [session.views[i].shot for i in found.views]
        record = replace(found.result.record, inputs=dict(inputs))
    stem = file_stem(view.shot.name)
    taken = next((n for n in range(1, MOST + 1) if not (folder / f"{stem}-{n:04d}").exists()), None)
    if taken is None:
        raise OutputError(f"{folder} holds {MOST} results of {stem} already; start with another --output.")
    target = folder / f"{stem}-{taken:04d}"
    save_result(target, record, shots, [chosen.rigid.volume])
    return target


def result_text(path: Path) -> bytes:
    """The bytes of a result.json, or of the one in a folder.

    Raises:
        FileError: It cannot be read.
    """
    path = path / FILE_NAME if path.is_dir() else path
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"a result was expected at {path}, got {error.strerror}; check the path.") from error


def load_result(session: Session, text: bytes) -> list[str]:
    """Take over the poses of a result for the X-rays that it names, and return their names.

    A result of one X-ray is taken for the only X-ray of a session whatever its name. What the result says of its
    structure, its judgement above all, stays with the poses if the page has all of its X-rays.

    Raises:
        FileError: The text is no whole result.
        InputError: It is too long, names none of the X-rays here, or one of them is being registered.
    """
    if len(text) > LIMIT:
        raise InputError(f"a result must be shorter than {LIMIT} bytes, got {len(text)}; choose a result.json.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "the file"
        path.write_bytes(text)
        record = read_result(path)
    views = {view.shot.name: index for index, view in enumerate(session.views)}
    if len(record.views) == len(views) == 1:
        views = {record.views[0]: 0}
    known = [(v, name) for v, name in enumerate(record.views) if name in views]
    if not known:
        raise InputError(f"the result must name an X-ray of this page ({', '.join(views)}), got {record.views}.")
    found = None
    if len(known) == len(record.views) and len(record.structures) == 1 and record.similarity is not None:
        found = RefinedViews(XrayRegistration(record), tuple(views[name] for _, name in known), session.structure)
    poses = record.poses[0].to(torch.float64)
    session.take_over({views[name]: PlacedPose(poses[v], LOADED, found) for v, name in known})
    return [name for _, name in known]
