"""The live viewer: a page on 127.0.0.1 whose X-ray follows the sliders."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import OutputError, XraykitError
from ..files.pose_json import write_pose
from ..pictures.grey_and_overlay import save_png
from ..rendering.backends import explain_backend
from ..rendering.options import Backend
from ..storage.atomic_write import check_folder
from ..volumes.volume import Volume
from .controls import Controls
from .isosurface import hounsfield, isosurface
from .local_server import local_server, page_url, stop
from .page import MISSED, Page
from .picture import Renderer, ViewerFrame, label_mask
from .stage import BONE, SKIN, Stage
from .state import ViewerState

if TYPE_CHECKING:
    from viser import ViserServer

SKIN_HU = -300.0
TRIANGLES = {"bone": 75_000, "skin": 25_000, "highlight": 10_000}
OUTSIDE = 0.2  # share of a label at its drawn border: a little outside, so that the surface of bone does not hide it
SMOOTHING = 0.3  # share of the newest frame in the speed shown
PATIENCE = 0.5  # seconds between looks at an interrupt


def start_viewer(
    volume: Volume,
    *,
    port: int = 8080,
    name: str = "",
    folder: str | Path = ".",
    start: ViewerState | None = None,
    bone: float = 200.0,
    samples: int = 300,
    backend: Backend = "auto",
    outer: str | None = None,
) -> Viewer:
    """Open the viewer for a volume; it serves http://127.0.0.1:port from background threads until it is closed.

    Args:
        volume: The patient, on the device that renders.
        port: TCP port, 0 to let the system choose; the address is `Viewer.url`.
        name: What the page calls the patient.
        folder: Where its save button writes pose and picture.
        start: First position of the sliders; None is the C-arm above a patient who lies on the back.
        bone: Threshold of the bone surface [HU].
        samples: Samples per ray.
        backend: As in `render`.
        outer: Address at which a proxy (JupyterHub, Codespaces) shows the page, see `web.outer_address`.

    Raises:
        BackendUnavailableError: viser is not installed, or the backend cannot run.
        InputError: The port is busy, or an option is out of range.
        OutputError: The folder cannot be written.

    Example:
        viewer = start_viewer(torso(), port=0); print(viewer.url); viewer.wait()
    """
    folder = Path(folder).resolve()
    check_folder(folder / "view-0001.png")
    if volume.mu.dtype == torch.float32 and volume.device.type == "cpu" and float(volume.mu.min()) >= 0:
        volume = volume.stored_as(torch.int16)  # some 1e-5 of the picture's range, for twice the speed
    token = secrets.token_urlsafe(24)
    server = local_server(port, label=f"xraykit  {name}".strip(), token=token, outer=outer)
    with ExitStack() as undo:
        undo.callback(stop, server)
        renderer = Renderer(volume, samples=samples, backend=backend)
        url = page_url(server, token, outer)
        viewer = Viewer(server, renderer, url=url, folder=folder, start=start or ViewerState(), bone=bone)
        undo.pop_all()
    return viewer


class Viewer:
    """A running viewer; made by `start_viewer`. Usable in `with`, which closes it.

    `latest` is the newest state on the page with its picture, `frames` counts pictures, `controls` moves the sliders.
    """

    _highlight: str | None
    latest: tuple[ViewerState, ViewerFrame] | None

    def __init__(
        self, server: ViserServer, renderer: Renderer, *, url: str, folder: Path, start: ViewerState, bone: float
    ) -> None:
        self._server, self._renderer, self._folder, self._url = server, renderer, folder, url
        self._volume = volume = renderer.volume
        renderer.frame(start)  # loads or compiles the kernels, and refuses a state that cannot be
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._seconds, self._highlight = 0.0, None
        self.frames, self.latest = 0, None
        self._stage = Stage(server, volume, start)
        names = {volume.label_names[value] for value in present_labels(volume) if value in volume.label_names}
        self.controls = Controls(server.gui, start, highlights=sorted(names), changed=self._wanted.set)
        self._surfaces = self._add_surfaces(bone)
        backends = _explained(volume, renderer.backend)
        self.page = Page(server, backends=backends, surfaces=self._surfaces, save=self._save)
        self._wanted.set()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="xraykit-view")
        self._work = self._pool.submit(self._follow)

    @property
    def url(self) -> str:
        """Where the page is, with the token that it needs."""
        return self._url

    @property
    def frames_per_second(self) -> float:
        """Speed of the latest frames, encoding included; 0 before the first."""
        return 1 / self._seconds if self._seconds else 0.0

    def wait(self) -> None:
        """Block until the viewer is closed, or raise what stopped it."""
        while not self._closing.is_set():
            if wait([self._work], timeout=PATIENCE).done:
                self._work.result()

    def close(self) -> None:
        """Stop rendering and serving."""
        self._closing.set()
        self._wanted.set()
        self._pool.shutdown(wait=True)
        stop(self._server)

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self) -> tuple[Path, Path]:
        """Write the picture on the monitor and its pose as view-NNNN.png and .pose.json, the first free number.

        Raises:
            OutputError: The folder cannot be written.
        """
        if self.latest is None:
            raise OutputError("there is no picture to save yet; wait for the first one.")
        state, frame = self.latest
        number = 1
        while any(path.exists() for path in _names(self._folder, number)):
            number += 1
        picture, pose = _names(self._folder, number)
        save_png(picture, frame.monitor)
        write_pose(pose, state.camera, frame.pose)
        return picture, pose

    def _save(self) -> None:
        try:
            picture, pose = self.save()
        except XraykitError as error:
            self.page.say(f"not saved: {error}")
            return
        self.page.say(f"saved {picture} and {pose.name}")

    def _follow(self) -> None:
        """Render the newest state again and again; states that came and went meanwhile are skipped."""
        while self._wanted.wait() and not self._closing.is_set():
            self._wanted.clear()
            state = self.controls.read()
            try:
                self._show(state)
            except XraykitError as error:
                self.page.complain(str(error))

    def _show(self, state: ViewerState) -> None:
        begun = time.perf_counter()
        frame = self._renderer.frame(state)
        chosen = state.highlight != self._highlight
        if chosen:
            self._choose(state.highlight)
        with self._server.atomic():
            self._stage.show(state, frame.pose, frame.detector)
            self.page.monitor.image = frame.monitor
            if not chosen:  # that took longer than a frame does
                seconds = time.perf_counter() - begun
                self._seconds += (SMOOTHING if self._seconds else 1.0) * (seconds - self._seconds)
            self.page.describe(state, frame, self.frames_per_second)
            self.page.complain("" if frame.image.any() else MISSED)
        self.latest = state, frame
        self.controls.window = frame.window
        self.frames += 1

    def _choose(self, name: str | None) -> None:
        """Show the surface of a label, or none."""
        surface = None
        if name is not None:
            mask = label_mask(self._volume, name)
            surface = isosurface(mask.float(), self._volume.affine, threshold=OUTSIDE, triangles=TRIANGLES["highlight"])
        self._stage.choose(surface)
        self._highlight = name

    def _add_surfaces(self, bone: float) -> dict[str, Any]:
        """What can be shown or hidden in 3D, by the words on its check box."""
        hu = hounsfield(self._volume)
        handles: dict[str, Any] = {"C-arm": self._stage.gantry}
        for name, level, color, opacity in (("bone", bone, BONE, None), ("skin", SKIN_HU, SKIN, 0.12)):
            surface = isosurface(hu, self._volume.affine, threshold=level, triangles=TRIANGLES[name])
            handle = self._stage.add_surface(name, surface, color=color, opacity=opacity)
            empty = "" if len(surface.faces) else ", none here"
            handles[f"{name} (above {level:g} HU{empty})"] = handle
        return handles


def present_labels(volume: Volume) -> list[int]:
    """The label values above 0 that some voxel has."""
    return [] if volume.labels is None else [int(v) for v in torch.unique(volume.labels) if v > 0]


def _names(folder: Path, number: int) -> tuple[Path, Path]:
    return folder / f"view-{number:04d}.png", folder / f"view-{number:04d}.pose.json"


def _explained(volume: Volume, backend: Backend) -> str:
    text = explain_backend(device=volume.device, dtype=volume.mu.dtype)
    return text if backend == "auto" else f"backend {backend}\n{text}"
