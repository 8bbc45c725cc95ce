"""Draws the figures of docs/geometry.md with the library's own poses and projections.

Run: uv run python docs/makers/geometry_figures.py
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Ellipse, Rectangle
from torch import Tensor
from xraykit.render import Camera, carm_pose
from xraykit.render.geometry import VIEWS, back_project, pixel_centers, project, resize_camera

PICTURES = Path(__file__).parents[1] / "pictures"
BLUE, ORANGE, GREEN, RED, GREY = "#1f5fa8", "#d9730d", "#2e8b57", "#b3263a", "#8a8f98"
SKIN, BONE = "#f2d9c2", "#c9c4b4"
plt.rcParams.update({"font.size": 9, "font.family": "DejaVu Sans", "savefig.dpi": 110})


def main() -> None:
    """Write all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=PICTURES, help="folder of the pictures")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in {"frames": frames, "angles": angles, "views": views, "pixels": pixels}.items():
        figure = draw()
        figure.savefig(folder / f"geometry-{name}.png", metadata={"Software": None})
        plt.close(figure)


def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Tensor:
    """Points on the surface of an ellipsoid, (N, 3)."""
    angle, height = torch.meshgrid(
        torch.linspace(0, 2 * math.pi, 73), torch.linspace(-math.pi / 2, math.pi / 2, 37), indexing="ij"
    )
    unit = torch.stack([angle.cos() * height.cos(), angle.sin() * height.cos(), height.sin()], dim=-1)
    return (unit * torch.tensor(radii) + torch.tensor(centre)).reshape(-1, 3)


# The patient of all figures, in mm RAS around the isocentre.
PATIENT = {
    "torso": (ellipsoid((0, 0, 0), (170, 110, 260)), SKIN),
    "head": (ellipsoid((0, 10, 350), (75, 95, 105)), SKIN),
    "nose": (ellipsoid((0, 110, 345), (14, 22, 18)), SKIN),
    "spine": (ellipsoid((0, -70, 20), (22, 25, 250)), BONE),
    "heart": (ellipsoid((-45, 35, 70), (50, 40, 50)), RED),
}


# --- frames -----------------------------------------------------------------------------------------------------------


def frames() -> plt.Figure:
    """Source, detector, camera axes and patient axes in space."""
    figure = plt.figure(figsize=(6.9, 6.9))
    ax = figure.add_axes((-0.38, -0.325, 1.66, 1.66), projection="3d", computed_zorder=False)
    camera = Camera(sdd=1100.0, height=8, width=8, pixel_spacing=50.0)
    pose = carm_pose(lao_rao=30.0, sod=750.0)
    source, rotation = pose[0, :3, 3], pose[0, :3, :3]
    for name, colour in {"torso": "#d9b698", "head": "#d9b698", "nose": "#d9b698", "heart": RED}.items():
        ax.plot_wireframe(*PATIENT[name][0].reshape(73, 37, 3).unbind(-1), color=colour, lw=0.5, rstride=6, cstride=4)
    for letter, axis, length in (("R  (+x)", 0, 320), ("A  (+y)", 1, 250), ("S  (+z)", 2, 515)):
        arrow(ax, torch.zeros(3), torch.eye(3)[axis] * length, "black", letter)
    detector(ax, camera, pose)
    foot = back_project(torch.tensor([[4.0, 4.0]]), camera, pose)[0, 0]
    ax.plot(*torch.stack([source, foot]).T, color=ORANGE, lw=1.4, ls="--")
    ax.scatter(*foot, color=ORANGE, marker="+", s=70)
    heart = PATIENT["heart"][0].mean(0)
    image = back_project(project(heart[None], camera, pose).uv[0], camera, pose)[0, 0]
    ax.plot(*torch.stack([source, image]).T, color=RED, lw=1)
    ax.scatter(*torch.stack([heart, image]).T, color=RED, s=14)
    for axis, name in enumerate("xyz"):
        arrow(ax, source, rotation[:, axis] * 190, ORANGE, name)
    down = torch.tensor([0.0, 0.0, -1.0])
    dimension(ax, source + 310 * down, foot + 310 * down, "sdd = 1100 mm", BLUE)
    dimension(ax, source + 400 * down, 400 * down, "sod = 750 mm", ORANGE)
    ax.scatter(*source, color=ORANGE, s=45)
    ax.scatter(0, 0, 0, color="black", s=24)
    words(ax, source + torch.tensor([0.0, -40.0, 60.0]), "source", ORANGE)
    words(ax, torch.tensor([0.0, -75.0, -60.0]), "isocentre", "black")
    words(ax, image + torch.tensor([0.0, 0.0, 38.0]), "(u, v) of a point", RED)
    ax.set(xlim=(-500, 700), ylim=(-800, 400), zlim=(-450, 600))
    ax.set_box_aspect((1200, 1200, 1050), zoom=0.95)
    ax.view_init(elev=17, azim=-28)
    ax.set_axis_off()
    return figure


def detector(ax: Axes, camera: Camera, pose: Tensor) -> None:
    """The pixel grid, the edges of the beam, and the directions of u and v."""
    corners = back_project(torch.tensor([[0.0, 0], [8, 0], [8, 8], [0, 8], [0, 0]]), camera, pose)[0]
    for line in range(9):
        for ends in ([[line, 0], [line, 8]], [[0, line], [8, line]]):
            ax.plot(*back_project(torch.tensor(ends, dtype=torch.float32), camera, pose)[0].T, color=BLUE, lw=0.4)
    for corner in corners[:4]:
        ax.plot(*torch.stack([pose[0, :3, 3], corner]).T, color=BLUE, lw=0.6, ls=":")
    ax.plot(*corners.T, color=BLUE, lw=1.8)
    u_end, v_end = back_project(torch.tensor([[9.6, 0.0], [0.0, 9.6]]), camera, pose)[0]
    arrow(ax, corners[0], u_end - corners[0], BLUE, "u")
    arrow(ax, corners[0], v_end - corners[0], BLUE, "v")
    words(ax, (corners[0] + corners[1]) / 2 + torch.tensor([0.0, 0.0, 45.0]), "detector", BLUE)


def arrow(ax: Axes, start: Tensor, step: Tensor, color: str, label: str) -> None:
    """A labelled arrow in space."""
    ax.quiver(*start, *step, color=color, lw=1.8, arrow_length_ratio=0.1)
    words(ax, start + step * (1 + 55 / float(step.norm())), label, color)


def dimension(ax: Axes, start: Tensor, end: Tensor, label: str, color: str) -> None:
    """A labelled length below the scene."""
    ax.plot(*torch.stack([start, end]).T, color=color, lw=1.2, marker="|", ms=9)
    words(ax, (start + end) / 2, label, color)


def words(ax: Axes, place: Tensor, text: str, color: str) -> None:
    """Text in space on a white ground."""
    box = {"fc": "white", "ec": "none", "alpha": 0.75, "pad": 1}
    ax.text(*place, text, color=color, ha="center", va="center", weight="bold", bbox=box)


# --- angles -----------------------------------------------------------------------------------------------------------


def angles() -> plt.Figure:
    """The positive sense of lao_rao, cra_cau and roll."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13.6, 4.7), width_ratios=[1, 1, 1.25])
    left.set_title("lao_rao, seen from the feet", weight="bold")
    left.add_patch(Ellipse((0, 0), 340, 220, color=SKIN, zorder=1))
    left.add_patch(Ellipse((0, -70), 44, 50, color=BONE, zorder=2))
    left.add_patch(Ellipse((45, 35), 100, 80, color=RED, alpha=0.75, zorder=2))
    gantry(left, lambda p: (-p[0], p[1]), "lao_rao", {0.0: GREY, 40.0: BLUE, -40.0: ORANGE})
    sweep(left, 90, 50, BLUE, "+40° LAO")
    sweep(left, 90, 130, ORANGE, "−40° RAO")
    letters(left, {"A": (0, 130), "P": (0, -128), "R": (-195, 0), "L": (195, 0)})

    middle.set_title("cra_cau, seen from the patient's left", weight="bold")
    middle.add_patch(Ellipse((0, 0), 220, 520, color=SKIN, zorder=1))
    middle.add_patch(Ellipse((-10, 350), 190, 210, color=SKIN, zorder=1))
    middle.add_patch(Ellipse((-110, 345), 44, 36, color=SKIN, zorder=1))
    middle.add_patch(Ellipse((70, 20), 50, 500, color=BONE, zorder=2))
    gantry(middle, lambda p: (-p[1], p[2]), "cra_cau", {0.0: GREY, 25.0: BLUE, -25.0: ORANGE})
    sweep(middle, 180, 155, BLUE, "+25° CRA")
    sweep(middle, 180, 205, ORANGE, "−25° CAU")
    letters(middle, {"A": (-140, -90), "P": (140, -90), "S": (0, 490), "I": (0, -290)})
    for ax in (left, middle):
        ax.set(xlim=(-560, 500), ylim=(-500, 560))

    right.set_title("roll, the picture as projected", weight="bold")
    right.add_patch(Rectangle((0, 0), 600, 600, angle=25, rotation_point=(300, 300), fc="none", ec=BLUE, ls="--"))
    for place, roll in enumerate((0.0, 25.0)):
        picture(right, carm_pose(lao_rao=180.0, roll=roll, sod=750.0), shift=place * 700)
        right.text(place * 700 + 300, 735, f"roll = {roll:+.0f}°".replace("+0", "0"), ha="center", weight="bold")
    image_axes(right, 300, 300, 0.0, GREY)
    image_axes(right, 300, 300, 25.0, BLUE)
    image_axes(right, 700 + 300, 300, 0.0, BLUE)
    right.text(300, 790, "dashed: the camera turns, x towards y", color=BLUE, ha="center")
    right.text(1000, 790, "the picture turns the other way", color=BLUE, ha="center")
    right.set(xlim=(-110, 1310), ylim=(810, -130))
    for ax in (left, middle, right):
        ax.set_aspect("equal")
        ax.set_axis_off()
    figure.tight_layout()
    return figure


def gantry(ax: Axes, flat, angle: str, colours: dict[float, str]) -> None:
    """Source, detector and beam for some values of one angle, projected to the page by `flat`."""
    for degrees, colour in colours.items():
        pose = carm_pose(sod=400.0, **{angle: degrees})[0]
        across = pose[:3, 0 if angle == "lao_rao" else 1]
        source, centre = flat(pose[:3, 3]), flat(pose[:3, 3] + 800 * pose[:3, 2])
        ends = [flat(pose[:3, 3] + 800 * pose[:3, 2] + s * across) for s in (-90, 90)]
        ax.plot(*zip(source, centre, strict=True), color=colour, lw=1.2, ls="--", zorder=3)
        ax.plot(*zip(*ends, strict=True), color=colour, lw=6, solid_capstyle="butt", zorder=4)
        ax.plot(*source, "o", color=colour, ms=8, zorder=4)
        if degrees == 0:
            place = {"textcoords": "offset points", "ha": "center", "color": colour}
            turned = {"xytext": (0, 9)} if angle == "lao_rao" else {"xytext": (-9, 0), "rotation": 90, "va": "center"}
            ax.annotate("detector", centre, **turned, **place)
            ax.annotate("source", source, xytext=(0, -17), **place)


def sweep(ax: Axes, start: float, end: float, colour: str, label: str) -> None:
    """A curved arrow on the page from one direction to another [degrees anticlockwise from page right]."""
    radius = 300
    ax.add_patch(
        Arc((0, 0), 2 * radius, 2 * radius, theta1=min(start, end), theta2=max(start, end), color=colour, lw=2)
    )
    a, before = math.radians(end), math.radians(end + (4 if start > end else -4))
    ax.annotate(
        "",
        (radius * math.cos(a), radius * math.sin(a)),
        (radius * math.cos(before), radius * math.sin(before)),
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2, "shrinkA": 0, "shrinkB": 0},
        zorder=5,
    )
    far = 1.75 * radius
    ax.text(far * math.cos(a), far * math.sin(a), label, color=colour, ha="center", va="center", weight="bold")


def letters(ax: Axes, places: dict[str, tuple[float, float]]) -> None:
    """Names of the patient's sides."""
    for letter, (x, y) in places.items():
        ax.text(x, y, letter, ha="center", va="center", weight="bold", fontsize=11, zorder=6)


def image_axes(ax: Axes, u: float, v: float, roll: float, colour: str) -> None:
    """The camera's x and y on the picture."""
    a = math.radians(roll)
    for label, (x, y) in {"x": (math.cos(a), math.sin(a)), "y": (-math.sin(a), math.cos(a))}.items():
        ax.annotate("", (u + 170 * x, v + 170 * y), (u, v), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})
        ax.text(u + 200 * x, v + 200 * y, label, color=colour, ha="center", va="center", weight="bold")


# --- views ------------------------------------------------------------------------------------------------------------


def picture(ax: Axes, pose: Tensor, *, shift: float = 0.0, mirror: bool = False, size: int = 600) -> None:
    """The outline of the patient as the camera sees it, on a frame of `size` pixels."""
    camera = Camera(sdd=1100.0, height=size, width=size, pixel_spacing=2.5)
    ax.add_patch(Rectangle((shift, 0), size, size, fc="#f7f7f4", ec=GREY))
    for points, colour in PATIENT.values():
        uv = outline(project(points, camera, pose).uv[0])
        if mirror:
            uv[:, 0] = size - uv[:, 0]
        ax.fill(uv[:, 0] + shift, uv[:, 1], fc=colour, ec="#cfa98a" if colour == SKIN else colour, alpha=0.7, lw=1)


def outline(uv: Tensor) -> Tensor:
    """The hull of an elliptic cloud of points: the outermost point in each direction from its middle."""
    middle = (uv.amin(0) + uv.amax(0)) / 2
    directions = torch.linspace(0, 2 * math.pi, 181)
    rays = torch.stack([directions.cos(), directions.sin()])
    return uv[((uv - middle) @ rays).argmax(0)].clone()


def views() -> plt.Figure:
    """The four views as projected and, for PA, as displayed."""
    figure, axes = plt.subplots(1, 5, figsize=(13.4, 3.7))
    sides = {"ap": "RL", "pa": "LR", "lateral_left": "PA", "lateral_right": "AP"}
    shown = [("ap", False), ("pa", False), ("pa", True), ("lateral_left", False), ("lateral_right", False)]
    for ax, (name, mirror) in zip(axes, shown, strict=True):
        view = VIEWS[name]
        picture(ax, carm_pose(**view.angles, sod=750.0), mirror=mirror)
        mirrored = "picture, mirrored" if mirror else "as projected"
        note = mirrored if view.mirrored_display else "as projected = picture"
        ax.set_title(f"{name}  (lao_rao {view.lao_rao:+.0f}°)".replace("+0°", "0°"), weight="bold")
        ax.text(300, 640, note, ha="center", color=ORANGE if name == "pa" else GREY)
        for side, x in zip(sides[name][:: -1 if mirror else 1], (30, 570), strict=True):
            ax.text(x, 300, side, ha="center", va="center", weight="bold", fontsize=12)
        ax.set(xlim=(-5, 605), ylim=(665, -5), aspect="equal")
        ax.set_axis_off()
    figure.tight_layout()
    return figure


# --- pixels -----------------------------------------------------------------------------------------------------------


def pixels() -> plt.Figure:
    """Pixel centres at half-integers, and the same detector in half as many pixels."""
    camera = Camera(sdd=1000.0, height=4, width=6)
    half = resize_camera(camera, height=2, width=3)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3.9))
    grid(left, camera, BLUE, 1.0)
    left.add_patch(Rectangle((2, 1), 1, 1, fc="#cfe0f5", zorder=0))
    beside = {"va": "center", "fontsize": 8.5, "arrowprops": {"arrowstyle": "->"}}
    left.annotate("pixel (row 1, column 2)\nhas its centre at\n(u, v) = (2.5, 1.5)", (2.5, 1.5), (6.3, 1.1), **beside)
    left.plot(3, 2, "+", color=ORANGE, ms=15, mew=2.5)
    left.annotate("principal point\n(3, 2), the middle", (3, 2), (6.3, 2.5), color=ORANGE, **beside)
    left.set_title("4 × 6 pixels: borders at integers, centres at halves", weight="bold")
    grid(right, camera, "#9dbbe0", 1.0)
    grid(right, half, ORANGE, 2.0)
    small = "pixel (row 0, column 2)\nof the small image:\n(u', v') = (2.5, 0.5)\nwhich is (u, v) = (5, 1)"
    right.annotate(small, (5, 1), (6.3, 1.3), color=ORANGE, **beside)
    right.set_title("resized to 2 × 3: same borders, u' = u / 2", weight="bold")
    for ax in (left, right):
        ax.annotate("", (6.75, 0), (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 1.5})
        ax.annotate("", (0, 4.75), (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 1.5})
        ax.text(6.85, 0, "u", weight="bold", va="center")
        ax.text(0, 4.9, "v", weight="bold", ha="center")
        for i in range(7):
            ax.text(i, -0.17, str(i), ha="center", va="center", fontsize=8)
        for i in range(5):
            ax.text(-0.17, i, str(i), ha="center", va="center", fontsize=8)
        ax.set(xlim=(-0.5, 8.6), ylim=(5.1, -0.5), aspect="equal")
        ax.set_axis_off()
    figure.tight_layout()
    return figure


def grid(ax: Axes, camera: Camera, colour: str, step: float) -> None:
    """Pixel borders and centres, `step` page units per pixel."""
    height, width = camera.height * step, camera.width * step
    for c in range(camera.width + 1):
        ax.plot([c * step] * 2, [0, height], color=colour, lw=1.2)
    for r in range(camera.height + 1):
        ax.plot([0, width], [r * step] * 2, color=colour, lw=1.2)
    centres = pixel_centers(camera).reshape(-1, 2) * step
    ax.plot(centres[:, 0], centres[:, 1], "o", color=colour, ms=3.5 + step)


if __name__ == "__main__":
    main()
