"""Figures with matplotlib (extra `plot`): an X-ray with axes and masks, and the geometry of a shot in 3D."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import InputError
from ..extras import require
from ..geometry.camera import Camera
from ..volumes.volume import Volume
from .grey_and_overlay import colours, overlay, to_grey

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOURCE, DETECTOR, PATIENT, BEAM = "#d1495b", "#2e6f95", "#555555", "#e9a03b"


def plot_xray(
    image: Tensor | NDArray[np.floating],
    camera: Camera | None = None,
    *,
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
    mirrored: bool = False,
    title: str = "",
    axes: Axes | None = None,
) -> Figure:
    """One X-ray with axes in mm on the detector (px without a camera), masks in colour with a legend.

    Args:
        image: Line integrals (H, W), or (1, 1, H, W) as `render` returns them.
        camera: Intrinsics; its principal point is marked.
        masks: Named (H, W) masks in the frame of the image.
        mirrored: Mirror for display (`View.mirrored_display`); the axis then runs from right to left.
        title: Above the picture.
        axes: Draw here instead of on a new figure.

    Raises:
        BackendUnavailableError: matplotlib is missing.
        InputError: The image is no single picture.
    """
    figure_type = require_matplotlib()
    values = torch.as_tensor(image).detach().cpu()
    if values.ndim < 2 or values.numel() != values.shape[-1] * values.shape[-2]:
        raise InputError(
            f"plot_xray shows one picture (H, W), got shape {tuple(values.shape)}; choose view and channel."
        )
    grey = to_grey(values.reshape(values.shape[-2:]).numpy(), percentiles=(0.5, 99.8))
    axes = axes if axes is not None else figure_type(figsize=(6, 6), layout="constrained").add_subplot()
    height, width = grey.shape
    extent, unit = (0.0, float(width), float(height), 0.0), "px"
    if camera is not None:
        _, spacing, centre = (t[0].tolist() for t in camera.tensors(dtype=torch.float64, device="cpu"))
        columns, rows = (  # the borders of the image, where detector_axes has pixel centres
            (np.array([0, width]) - centre[0]) * spacing[1],
            (np.array([0, height]) - centre[1]) * spacing[0],
        )
        extent, unit = (columns[0], columns[1], rows[1], rows[0]), "mm on the detector"
        axes.plot([0], [0], "+", color=BEAM, markersize=12, label="principal point")
    picture = overlay(grey, masks) if masks else grey
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
    for name, colour in zip(masks or {}, colours(len(masks or {})), strict=True):
        axes.plot([], [], "s", color=np.array(colour) / 255, label=name)
    if mirrored:
        axes.invert_xaxis()
    axes.set(xlabel=f"x [{unit}]" + (", mirrored" if mirrored else ""), ylabel=f"y [{unit}]", title=title)
    if masks or camera is not None:
        axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize="small", frameon=False)
    figure = axes.get_figure(root=True)
    if not isinstance(figure, figure_type):
        raise InputError("axes must belong to a figure, got axes without one.")
    return figure


def explain_geometry(
    volume: Volume | None,
    camera: Camera,
    pose: Tensor,
    *,
    image: Tensor | None = None,
    isocenter: Tensor | None = None,
    title: str = "",
) -> Figure:
    """The shot in 3D, to scale, in world RAS: source, beam, detector with image corners, patient box with its axes.

    The detector shows the first pixel's corner and the directions of columns (u) and rows (v); the patient's bones
    appear as points, so that one sees whether the picture can be right.

    Args:
        volume: The patient; None draws the camera alone, in its own frame or in the world of pose.
        camera: Intrinsics of one view.
        pose: camera_to_world (1, 4, 4) or (4, 4).
        image: Line integrals (H, W) or (1, 1, H, W) to show on the detector.
        isocenter: Point to mark [mm]; None is the volume's centre.
        title: Above the picture.

    Raises:
        BackendUnavailableError: matplotlib is missing.
        InputError: There is more than one view.
    """
    figure_type = require_matplotlib()
    if pose.numel() != 16:
        raise InputError(f"explain_geometry draws one pose (1, 4, 4), got shape {tuple(pose.shape)}; choose a view.")
    matrix = pose.detach().cpu().to(torch.float64).reshape(4, 4).numpy()
    corners, source, foot = _detector(camera, matrix)
    figure = figure_type(figsize=(9, 8), layout="constrained")
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)  # seen from behind the detector's edge
    seen = [corners, source[None]]
    if volume is not None:
        box = _box(volume)
        seen.append(box)
        _draw_patient(axes, volume, box)
        isocenter = volume.center if isocenter is None else isocenter
    if isocenter is not None:
        point = np.asarray(isocenter, dtype=np.float64)
        axes.scatter(*point, marker="x", s=70, color="black", zorder=8, label=f"isocentre {_place(point)}")
    if image is not None:
        _draw_image(axes, corners, image)
    _draw_camera(axes, corners, source, foot)
    everything = np.concatenate(seen)
    low, high = everything.min(axis=0), everything.max(axis=0)
    reach = np.maximum(high - low, 0.25 * (high - low).max())
    for name, middle, size in zip("xyz", (low + high) / 2, reach, strict=True):
        getattr(axes, f"set_{name}lim")(middle - 0.55 * size, middle + 0.55 * size)
    axes.set_box_aspect(reach, zoom=0.98)
    axes.set(xlabel="x: left → right [mm]", ylabel="y: back → front [mm]", zlabel="z: feet → head [mm]")
    beam = matrix[:3, 2]
    axes.view_init(elev=18, azim=float(np.degrees(np.arctan2(beam[1], beam[0]))) - 62)
    axes.legend(loc="upper left", fontsize="small", frameon=False)
    axes.set_title(title or "Where source, patient and detector are")
    return figure


def require_matplotlib() -> type[Figure]:
    """Matplotlib's Figure, drawn without pyplot and its global state.

    Raises:
        BackendUnavailableError: It is not installed.
    """
    return require("matplotlib.figure", extra="plot", what="a figure").Figure


def _detector(camera: Camera, matrix: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """World positions of the image corners (first row first, clockwise), the source, and the foot of the beam."""
    sdd, spacing, centre = (t[0].numpy() for t in camera.tensors(dtype=torch.float64, device="cpu"))
    # Corners of the image, where detector_axes has pixel centres.
    u = np.array([0, camera.width, camera.width, 0]) - centre[0]
    v = np.array([0, 0, camera.height, camera.height]) - centre[1]
    local = np.stack([u * spacing[1], v * spacing[0], np.full(4, float(sdd))], axis=1)
    source = matrix[:3, 3]
    return local @ matrix[:3, :3].T + source, source, source + float(sdd) * matrix[:3, 2]


def _box(volume: Volume) -> NDArray:
    depth, height, width = volume.shape
    index = np.array([(i, j, k) for k in (0, depth) for j in (0, height) for i in (0, width)]) - 0.5
    affine = volume.affine.numpy()
    return index @ affine[:3, :3].T + affine[:3, 3]


def _draw_patient(axes: Any, volume: Volume, box: NDArray) -> None:
    from matplotlib.patheffects import withStroke

    for a, b in combinations(range(8), 2):
        if bin(a ^ b).count("1") == 1:
            axes.plot(*box[[a, b]].T, color=PATIENT, linewidth=0.8, zorder=1)
    low, high = box.min(axis=0), box.max(axis=0)
    middle, gap = (low + high) / 2, 0.06 * (high - low).max()
    for axis, (minus, plus) in enumerate((("L", "R"), ("P", "A"), ("I", "S"))):
        for name, end, sign in ((minus, low, -1), (plus, high, 1)):
            place = middle.copy()
            place[axis] = end[axis] + sign * gap
            style = {"fontsize": 14, "weight": "bold", "color": PATIENT, "ha": "center", "va": "center"}
            axes.text(*place, name, **style, zorder=9, path_effects=[withStroke(linewidth=3, foreground="white")])
    mu = volume.mu[:: max(1, volume.shape[0] // 160), ::2, ::2].float().cpu().numpy()
    step = np.array([2, 2, max(1, volume.shape[0] // 160)])
    dense = np.argwhere(mu > max(float(np.quantile(mu, 0.985)), 0.0))
    dense = dense[np.random.default_rng(0).permutation(len(dense))[:4000]]
    affine = volume.affine.numpy()
    points = (dense[:, ::-1] * step) @ affine[:3, :3].T + affine[:3, 3]
    axes.scatter(*points.T, s=4, color=PATIENT, alpha=0.45, linewidths=0, zorder=2, label="patient: densest voxels")


def _draw_image(axes: Any, corners: NDArray, image: Tensor) -> None:
    values = image.detach().cpu().float()
    grey = to_grey(values.reshape(values.shape[-2:]).numpy()).astype(np.float64) / 255
    rows, columns = (min(96, n) for n in grey.shape)
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    plane = corners[0] + u[..., None] * (corners[1] - corners[0]) + v[..., None] * (corners[3] - corners[0])
    pick = np.ix_(
        np.linspace(0, grey.shape[0] - 1, rows).astype(int), np.linspace(0, grey.shape[1] - 1, columns).astype(int)
    )
    colour = np.repeat(grey[pick][..., None], 3, axis=2)
    axes.plot_surface(
        *np.moveaxis(plane, -1, 0),
        facecolors=colour,
        rcount=rows + 1,
        ccount=columns + 1,
        shade=False,
        linewidth=0,
        antialiased=False,
        zorder=4,
    )


def _draw_camera(axes: Any, corners: NDArray, source: NDArray, foot: NDArray) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    axes.scatter(*source, s=60, color=SOURCE, zorder=8, label=f"source {_place(source)}")
    axes.plot(*np.stack([source, foot]).T, "--", color=SOURCE, linewidth=1, zorder=3, label="central beam")
    for n, corner in enumerate(corners):
        side = np.stack([source, corner, corners[(n + 1) % 4]])
        axes.add_collection3d(Poly3DCollection([side], facecolor=BEAM, alpha=0.07, linewidth=0, zorder=2))
        axes.plot(*np.stack([source, corner]).T, color=BEAM, linewidth=0.8, zorder=3)
    axes.plot(*corners[[0, 1, 2, 3, 0]].T, color=DETECTOR, linewidth=2, zorder=5, label="detector")
    axes.scatter(*corners[0], s=30, color=DETECTOR, marker="s", zorder=6, label="first pixel (row 0, column 0)")
    u, v = corners[1] - corners[0], corners[3] - corners[0]
    for along, across, name in ((u, v, "u"), (v, u, "v")):
        axes.quiver(*corners[0], *(0.3 * along), color=DETECTOR, linewidth=2.5, arrow_length_ratio=0.25, zorder=7)
        axes.text(
            *(corners[0] + 0.3 * along - 0.09 * across), name, color=DETECTOR, fontsize=13, weight="bold", zorder=9
        )


def _place(point: NDArray) -> str:
    return "(" + ", ".join(str(round(float(v))) for v in point) + ") mm"
