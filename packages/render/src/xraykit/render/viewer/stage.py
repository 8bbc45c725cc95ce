"""The 3D scene of the page: the patient's surface, the C-arm, the beam, and the live X-ray on the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..volumes.volume import Volume
from .carm_model import Points, arc, beam_edges, node_pose, patient_letters
from .isosurface import Surface
from .state import ViewerState

if TYPE_CHECKING:
    from viser import ViserServer

METRE = 1000.0  # the page works in metres about the middle of the CT, the rest of us in millimetres of the file's world
BONE, SKIN, CHOSEN = (227, 218, 192), (226, 184, 164), (86, 180, 233)
ENAMEL, STEEL, AMBER, RED = (225, 230, 234), (70, 86, 102), (244, 178, 60), (214, 60, 60)
RIM = 0.02  # of the detector's frame
FRONT_IS_UP = "+y"  # the patient lies on the back


class Stage:
    """Everything in 3D, moved by `show`.

    `gantry` holds the arc, the tube and the collimator; beam and detector are apart.

    Args:
        server: The page.
        volume: The patient, for place and size.
        start: The state that the fixed parts are built for.
    """

    def __init__(self, server: ViserServer, volume: Volume, start: ViewerState) -> None:
        self._server, self._scene = server, server.scene
        self._center = volume.center.cpu().numpy()
        self._field = 0.0
        longest = max(size * edge for size, edge in zip(volume.shape[::-1], volume.spacing.tolist(), strict=True))
        self._look_around(max(longest, start.sdd))
        for word, place in patient_letters(volume).items():
            self._scene.add_label(f"/patient/{word}", word, position=self._at(place), anchor="center-center")
        self._carm = self._scene.add_frame("/carm", show_axes=False)
        self.gantry = self._scene.add_frame("/carm/gantry", show_axes=False)
        self._isocentre = self._scene.add_icosphere("/isocentre", radius=0.011, color=RED)
        self._scene.add_label("/isocentre/name", "isocentre", anchor="bottom-left", font_screen_scale=0.8)
        self._build_carm(start)
        self._picture = self._scene.add_image("/carm/picture", np.zeros((2, 2, 3), np.uint8), 1.0, 1.0)
        self._chosen: Any = None

    def _look_around(self, reach: float) -> None:
        """Begin above the feet and to the patient's right, with the C-arm in sight."""
        self._scene.set_up_direction(FRONT_IS_UP)
        away = 1.08 * reach / METRE
        camera = self._server.initial_camera
        camera.position = (0.72 * away, 0.72 * away, -0.95 * away)
        camera.look_at = (-0.06 * away, -0.16 * away, 0.0)
        camera.up = (0.0, 1.0, 0.0)
        camera.fov = float(np.radians(50))

    def _at(self, world: NDArray[np.floating]) -> Points:
        """World millimetres as the page's metres."""
        return (world.astype(np.float64) - self._center) / METRE

    def _build_carm(self, start: ViewerState) -> None:
        solid = arc(start.sdd)
        self._scene.add_mesh_simple("/carm/gantry/arc", solid.vertices / METRE, solid.faces, color=ENAMEL)
        sdd = start.sdd / METRE
        add_box = self._scene.add_box
        add_box("/carm/gantry/tube", ENAMEL, (0.2, 0.2, 0.24), position=(0.0, 0.0, -0.13))
        add_box("/carm/gantry/collimator", STEEL, (0.13, 0.13, 0.06), position=(0.0, 0.0, 0.005), opacity=0.9)
        self._scene.add_label("/carm/gantry/tube/name", "X-ray tube", anchor="center-center", font_screen_scale=0.8)
        self._scene.add_label(
            "/carm/gantry/name", "detector", position=(0.0, 0.0, sdd + 0.08), anchor="center-center",
            font_screen_scale=0.8,
        )  # fmt: skip

    def add_surface(self, name: str, surface: Surface, *, color: tuple[int, int, int], opacity: float | None) -> Any:
        """Show a surface of the patient; returns its handle, whose `visible` can be set."""
        return self._scene.add_mesh_simple(
            f"/patient/{name}",
            self._at(surface.vertices).astype(np.float32),
            surface.faces,
            color=color,
            opacity=opacity,
            side="double" if opacity else "front",
            cast_shadow=opacity is None,
            receive_shadow=opacity is None,
        )

    def choose(self, surface: Surface | None) -> None:
        """Show this surface as the highlighted one, or none."""
        if self._chosen is not None:
            self._chosen.remove()
        self._chosen = None if surface is None else self.add_surface("chosen", surface, color=CHOSEN, opacity=None)

    def show(self, state: ViewerState, pose: Tensor, picture: NDArray[np.uint8]) -> None:
        """Move the C-arm to a pose and put the picture, as projected, on its detector."""
        place = node_pose(pose)
        self._carm.position, self._carm.wxyz = self._at(place.position), place.wxyz
        half = -np.radians(state.roll) / 2
        self.gantry.wxyz = (np.cos(half), 0.0, 0.0, np.sin(half))  # the picture rolls, the gantry does not
        self._isocentre.position = np.asarray(state.aim) / METRE
        self._picture.image = picture
        if state.field != self._field:
            self._resize(state)

    def _resize(self, state: ViewerState) -> None:
        """Rebuild what depends on the size of the field."""
        edges = beam_edges(state.camera) / METRE
        edge, depth = state.field / METRE, float(edges[0, 1, 2])
        self._picture.render_width = self._picture.render_height = edge
        self._picture.position = (0.0, 0.0, depth)
        self._scene.add_line_segments("/carm/edges", edges, AMBER, thickness=1.5, thickness_units="screen")
        middle, offset = edge / 2 + RIM / 2, depth + RIM / 2
        for n, (x, y) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):  # a frame: the picture is seen from both sides
            bar = (RIM if x else edge + 2 * RIM, RIM if y else edge + 2 * RIM, 2 * RIM)
            self._scene.add_box(f"/carm/rim{n}", STEEL, bar, position=(x * middle, y * middle, offset))
        self._field = state.field
