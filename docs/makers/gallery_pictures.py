"""The pictures of the gallery, each from a patient and a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from gallery_placement import hip_stem, pedicle_screws
from gallery_shots import (
    KVP,
    SCATTER,
    Frame,
    Grey,
    Patient,
    Shot,
    as_display,
    as_intensity,
    shoot,
    white_of,
    window_of,
)
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from xraykit.render import PlacedTool, Scene, Volume, instrument, read_radiograph
from xraykit.render.meshes import INSTRUMENTS
from xraykit.render.pictures import INK, PAPER, colours, legend, montage, overlay
from xraykit.render.simulation import Body, tool_pose
from xraykit.render.volumes import label_centroids

VOLTAGES = (60.0, 80.0, 120.0)
RATIOS = (0.0, 0.1, 0.3)
DOSES = (2.0, 0.02)  # mAs
GROUPS = ("ribs_right", "ribs_left", "lungs", "heart", "aorta", "vertebrae", "liver", "spleen", "pelvis", "femora")
BOXED = ("heart", "aorta", "liver", "spleen", "stomach", "urinary_bladder", "sacrum", "femur_left", "femur_right")


def voltages(patient: Patient, frame: Frame, at: Tensor) -> Grey:
    """A chest at three tube voltages: intensity above, display below, each row in one window."""
    shots = [shoot(patient.scene(), frame, at, kvp=kvp, masks=True) for kvp in VOLTAGES]
    white, window = white_of(shots[-1]), window_of(shots[1])
    words = [
        f"{kvp:g} kVp: ribs take {rib_contrast(shot):.1%} of the light behind the lung"
        for kvp, shot in zip(VOLTAGES, shots, strict=True)
    ]
    return stacked(
        montage([as_intensity(shot, white) for shot in shots], title="transmitted intensity, one scale"),
        montage([as_display(shot, window) for shot in shots], words, title="radiographic display, one window"),
    )


def rib_contrast(shot: Shot) -> float:
    """How much less light comes through ribs than through the lung beside them, as a share."""
    lungs, ribs = (torch.from_numpy(shot.mask(name)) for name in ("lungs", "ribs"))
    clear = (lungs & ~ribs & ~torch.from_numpy(shot.mask("heart"))).double()
    reach = 2 * (len(clear) // 24) + 1
    total, weight = (
        torch.nn.functional.avg_pool2d(image[None, None], reach, 1, reach // 2)[0, 0]
        for image in (shot.log.double() * clear, clear)
    )
    behind = lungs & ribs & (weight > 0.2)
    return float(1 - torch.exp((total[behind] / weight[behind] - shot.log[behind]).mean()))


def profiles(patient: Patient, frame: Frame, at: Tensor) -> Grey:
    """-ln(intensity) down the right lung at three voltages, and across the chest at three scatter ratios."""
    figure = Figure(figsize=(10.6, 3.4), layout="constrained")
    down, across = figure.subplots(1, 2)
    for kvp in VOLTAGES:
        shot = shoot(patient.scene(), frame, at, kvp=kvp, mas=None, masks=True)
        rows, columns = np.nonzero(shot.mask("lung_right"))
        log = shot.log[rows.min() : rows.max(), round(columns.mean())]
        down.plot(np.linspace(0, 1, len(log)), log, label=f"{kvp:g} kVp")
    for ratio in RATIOS:
        log = shoot(patient.scene(), frame, at, mas=None, scatter=ratio).log[frame.rows // 2]
        across.plot(np.linspace(-0.5, 0.5, len(log)) * frame.width, log, label=f"S/P {ratio:g}")
    down.set(xlabel="right lung, top to base", ylabel="-ln(intensity)", title=f"tube voltage, S/P {SCATTER:g}")
    across.set(xlabel="mm at the isocentre, patient's right to left", title=f"mean scatter to primary, {KVP:g} kVp")
    for axes in (down, across):
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def scatter(patient: Patient, frame: Frame, at: Tensor) -> Grey:
    """Without and with scatter in one display window, and the scatter alone."""
    shots = [shoot(patient.scene(), frame, at, mas=None, scatter=ratio, masks=ratio == 0) for ratio in RATIOS]
    window, primary = window_of(shots[0]), shots[0].intensity
    places = {name: torch.from_numpy(shots[0].mask(name)) for name in ("lungs", "heart")}
    places["lungs"] &= ~places["heart"]
    words = [
        f"S/P {ratio:g}"
        + "".join(f", {name} {float((shot.scatter / primary)[where].median()):.2f}" for name, where in places.items())
        for ratio, shot in zip(RATIOS, shots, strict=True)
    ]
    alone = np.round((shots[-1].scatter / shots[-1].scatter.max()).numpy() * 255).astype(np.uint8)
    pictures = [*(as_display(shot, window) for shot in shots), alone]
    return montage(pictures, [*words, "the scattered part alone, own scale"])


def noise(patient: Patient, frame: Frame, at: Tensor, detail: Frame, where: Tensor) -> Grey:
    """No noise and two doses: the whole picture, and a part of it on a finer detector."""
    rows = []
    for part, middle in ((frame, at), (detail, where)):
        shots = [shoot(patient.scene(), part, middle, mas=mas) for mas in (None, *DOSES)]
        window = window_of(shots[0])
        words = [f"no noise; pixels of {part.pitch:.2f} mm"] + [
            f"{mas:g} mAs, {shot.quanta:,.0f} quanta a pixel in air: noise {rough(shot, shots[0]):.1%} of the signal"
            for mas, shot in zip(DOSES, shots[1:], strict=True)
        ]
        rows.append(montage([as_display(shot, window) for shot in shots], words))
    return stacked(*rows)


def rough(shot: Shot, clean: Shot) -> float:
    """The median size of the noise relative to the signal, as a standard deviation, over the patient."""
    return float((shot.intensity / clean.intensity - 1)[clean.intensity < 0.6].abs().median()) / 0.6745


def screws(patient: Patient, frame: Frame, levels: tuple[str, ...]) -> Grey:
    """Pedicle screws from the front and from the side."""
    at = patient.place(*(f"vertebrae_{level}" for level in levels))
    scene = patient.scene(*screws_in(patient, levels))
    front, side = (
        shoot(scene, frame, at, view=view, kvp=kvp, mas=10.0) for view, kvp in (("ap", 80.0), ("lateral_left", 100.0))
    )
    pictures = [as_intensity(front, white_of(front, 0.9)), as_display(front, window_of(front, high=0.95))]
    return montage(
        [*pictures, as_display(side, window_of(side, 0.1, 0.8))],
        [f"{patient.name}, {', '.join(levels)}: intensity, AP", "display, AP", "display, left lateral"],
    )


def screws_in(patient: Patient, levels: tuple[str, ...]) -> list[PlacedTool]:
    """Both screws of each vertebra."""
    return [screw for level in levels for screw in pedicle_screws(patient.volume, level)]


def stem(patient: Patient, frame: Frame, side: str, *, below: float) -> Grey:
    """A hip stem: intensity, display, and its mask over the femur's; the frame's middle lies `below` the ball [mm]."""
    tool, volume, off = hip_stem(patient.volume, side)
    operated = Patient.of(patient.name, volume)
    at = patient.place(f"femur_{side}")
    lowest = float(patient.volume.affine[2, 3]) + 0.52 * frame.height  # where the CT ends, so does the picture
    at[2] = max(float(tool.pose[2, 3] + tool.mesh.size[2]) - below, lowest)
    shot = shoot(operated.scene(tool), frame, at, masks=True)
    white, window = white_of(shot, 0.85), window_of(shot, 0.05, 0.93)
    shown = {name: shot.mask(name) for name in (f"hip_{side}", f"femur_{side}", "hip_stem")}
    grey = as_display(shot, window)
    print(f"  the ball stands {off:.1f} mm from the middle of the head", flush=True)
    return montage(
        [as_intensity(shot, white), grey, overlay(grey, shown)],
        [f"{patient.name}, AP: intensity", "display", f"amodal masks: hip, femur, {tool.mesh.description}"],
    )


def masks(patient: Patient, frame: Frame, at: Tensor, levels: tuple[str, ...]) -> Grey:
    """Groups of organs, and pedicle screws, in colour with a legend."""
    shot = shoot(patient.scene(*screws_in(patient, levels)), frame, at, masks=True)
    shown = {name: shot.mask(name) for name in GROUPS if patient.shows(name)} | {"tools": shot.mask("tools")}
    shown = {name: mask for name, mask in shown.items() if mask.any()}
    picture = overlay(as_display(shot, window_of(shot)), shown)
    return montage([picture, legend([name.replace("_", " ") for name in shown], width=150)])


def boxes(patient: Patient, frame: Frame, at: Tensor, levels: tuple[str, ...]) -> Grey:
    """Amodal boxes of organs and tools, and the centroids of vertebrae as landmarks."""
    middles = label_centroids(patient.volume)
    points = {name[10:]: point for name, point in middles.items() if name.startswith("vertebrae_")}
    shot = shoot(patient.scene(*screws_in(patient, levels), landmarks=points), frame, at, masks=True)
    found, marks = shot.masks, shot.simulation.landmarks
    picture = Image.fromarray(as_display(shot, window_of(shot))).convert("RGB")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(max(8, frame.rows // 36))
    edges = (found.boxes()[0] / 2).tolist()
    wanted = {m: entry for m, entry in enumerate(found.entries) if entry.kind == "tool" or entry.name in BOXED}
    for (m, entry), colour in zip(wanted.items(), colours(len(wanted)), strict=True):
        x0, y0, x1, y1 = edges[m]
        if x1 > x0:
            draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=colour)
            label = entry.name if entry.kind == "organ" else ""
            draw.text((x0 + 3, y0 + 1), label, fill=colour, font=font, stroke_width=2, stroke_fill=PAPER)
    for name, (x, y), seen in zip(marks.names, (marks.uv[0] / 2).tolist(), marks.visible[0].tolist(), strict=True):
        if seen:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=PAPER, outline=INK)
            draw.text((x + 5, y - 6), name, fill=INK, font=font, stroke_width=2, stroke_fill=PAPER)
    return montage([np.asarray(picture)])


def tray(frame: Frame) -> Grey:
    """Every built-in instrument in 10 cm of water, with its name."""
    step = 5.0
    shape = (round(frame.height * 1.2 / step), round(100 / step), round(frame.width * 1.2 / step))
    affine = torch.diag(torch.tensor([step, step, step, 1.0], dtype=torch.float64))
    affine[:3, 3] = -step * (torch.tensor(shape[::-1], dtype=torch.float64) - 1) / 2
    water = Body.from_volume(Volume.from_hu(torch.zeros(shape), affine), name="water")
    meshes = [instrument(name, seed=3) for name in INSTRUMENTS]
    turns = [90.0 if name == "plate" else 0.0 for name in INSTRUMENTS]  # the plate shows its holes
    wide = [max(22.0, float(mesh.size[0])) for mesh in meshes]
    gap = (0.98 * frame.width - sum(wide)) / len(wide)
    tools, places, x = [], [], -0.49 * frame.width  # x as seen from the front: the world's, turned round
    for mesh, turn, width in zip(meshes, turns, wide, strict=True):
        places.append(x + (gap + width) / 2)
        shift = 0.0 if turn else float(mesh.bounds[:, 0].mean())
        tools.append(PlacedTool(mesh, tool_pose((-places[-1] - shift, 0.0, -0.45 * frame.height), turn=turn)))
        x += gap + width
    shot = shoot(Scene((water,), tuple(tools)), frame, torch.zeros(3))
    pictures = []
    for grey, ink in ((as_intensity(shot, white_of(shot) * 1.2), 0), (as_display(shot, (0.8, 4.0)), 255)):
        picture = Image.fromarray(grey)
        draw, font = ImageDraw.Draw(picture), ImageFont.load_default(max(7, frame.rows // 28))
        for mesh, middle in zip(meshes, places, strict=True):
            spot = (grey.shape[1] * (0.5 + middle / frame.width), 2 + frame.rows * 0.005)
            draw.text(spot, mesh.name.replace("_", "\n"), fill=ink, font=font, anchor="ma", align="center")
        pictures.append(np.asarray(picture))
    return montage(pictures, ["transmitted intensity", "radiographic display"])


def beside(real: Path, patient: Patient, frame: Frame, at: Tensor) -> Grey:
    """A real X-ray, 120 kVp, next to a simulated one: intensity above, display below, windows from the same shares."""
    shot = shoot(patient.scene(), frame, at, kvp=120.0, mas=0.15)
    radiograph = read_radiograph(real)
    if radiograph.polarity != "intensity":
        raise SystemExit(f"{real.name} must hold intensity, as for-processing DICOM does, got {radiograph.polarity}.")
    values = torch.as_tensor(np.asarray(radiograph.pixels, np.float32))[:1]
    size = (frame.rows, round(values.shape[2] * frame.rows / values.shape[1]))
    values = torch.nn.functional.interpolate(values[None], size=size, mode="area")[0, 0]
    taken = Shot(shot.simulation, values * (white_of(shot, 0.9) / values.quantile(0.9)), torch.zeros_like(values))
    return stacked(
        montage([as_intensity(one, white_of(one, 0.95)) for one in (taken, shot)], title="transmitted intensity"),
        montage(
            [as_display(one, window_of(one)) for one in (taken, shot)],
            [real.stem, f"{patient.name}, 120 kVp, 0.15 mAs, S/P {SCATTER:g}"],
            title="radiographic display",
        ),
    )


def stacked(*pictures: Grey) -> Grey:
    """Pictures one above the other."""
    wide = max(picture.shape[1] for picture in pictures)
    return np.concatenate(
        [np.pad(picture, ((0, 0), (0, wide - picture.shape[1]), (0, 0)), mode="edge") for picture in pictures]
    )
