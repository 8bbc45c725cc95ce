"""The soft parts of the procedural torso: skin to muscle, lungs and their vessels, heart, abdomen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .implicit import Array, Canvas, Region, ellipsoid, placed, smooth_union, spline, tube
from .torso_shape import OUTLINE, cage, section, spine_y

SIDES = (("right", 1), ("left", -1))


def paint_body(canvas: Canvas) -> None:
    """Skin, subcutaneous fat, muscle, and the fat of the abdominal cavity of a torso with stumps; no labels."""
    region = canvas.whole()
    skin = _with_stumps(canvas, trunk_surface(region))
    canvas.paint(region, skin, 30.0)
    inside = skin + 2
    canvas.paint(region, inside, -95.0)
    muscle = inside + trunk_fat(region)
    canvas.paint(region, muscle, 45.0)
    paint_cavity(canvas, region, muscle)


def trunk_fat(region: Region) -> Array:
    """Thickness of the subcutaneous fat at each height [mm]."""
    fat = np.interp(region.z[:, 0, 0], (-200, -90, 60, 200, 330, 480), (15, 20, 14, 9, 7, 4))
    return fat.astype(np.float32)[:, None, None]


def paint_cavity(canvas: Canvas, region: Region, muscle: Array) -> None:
    """The fat of the abdominal cavity, within `muscle` mm of the muscles' surface; no label."""
    cavity = np.maximum(muscle + 13, diaphragm(region) + 4)
    cavity = np.maximum(cavity, -(region.z + 105))
    cavity = np.maximum(cavity, spine_y(region.z[:, 0, 0]).astype(np.float32)[:, None, None] - 8 - region.y)
    pelvis = ellipsoid(region, (0, 4, 40), (128, 100, 140))
    canvas.paint(region, np.maximum(cavity, np.where(region.z < 60, pelvis, -1)), -75.0)


def trunk_surface(region: Region) -> Array:
    """Distance to the skin of a torso without limbs; buttocks and perineum round off below the hip joints."""
    z = region.z[:, 0, 0]
    width, back, front = (np.interp(z, OUTLINE[:, 0], OUTLINE[:, n]) for n in (1, 2, 3))
    trunk = section(region, width, back, front, 2.4)
    return smooth_max(trunk, -108 - region.z - 0.6 * np.abs(region.x), 24)


def _with_stumps(canvas: Canvas, field: Array) -> Array:
    """The torso with thighs and raised arms."""
    for _, sign in SIDES:
        thigh, leg = tube(
            canvas, [(sign * 92, -12, -60), (sign * 97, -10, -130), (sign * 102, -6, -270)], [88, 87, 80], margin=45
        )
        arm, limb = tube(
            canvas,
            [(sign * 120, -30, 400), (sign * 166, -22, 445), (sign * 196, -4, 520), (sign * 204, 4, 640)],
            [58, 50, 45, 42],
            margin=45,
        )
        for part, distance, blend in ((thigh, leg, 40), (arm, limb, 40)):
            field[part.window] = smooth_union(field[part.window], distance, blend)
    return field


def diaphragm(region: Region) -> Array:
    """Height of each point above the diaphragm: positive in the chest, negative in the abdomen [mm]."""
    domes = []
    for sign, top, center in ((1, 264.0, 60.0), (-1, 250.0, 64.0)):
        u = (np.float32(sign) * region.x - np.float32(center)) / 74
        v = (region.y - 12) / np.where(region.y < 12, 98, 108).astype(np.float32)
        domes.append(np.float32(top) - 48 * (u * u + v * v) ** 0.92)
    return (region.z - np.maximum(*domes)).astype(np.float32) * np.float32(0.8)


def paint_chest(canvas: Canvas, ids: dict[str, int], rng: np.random.Generator) -> None:
    """Lungs by lobe with vessels, then heart, great vessels and airways."""
    region = canvas.region((-150, -130, 150), (150, 130, 510))
    inner = np.maximum(cage(region, inset=8), -(diaphragm(region) - 2))
    apex = region.z - np.float32(492)
    column = spine_y(region.z[:, 0, 0]).astype(np.float32)[:, None, None]
    fat = np.maximum(np.maximum(inner + 4, apex), column + 16 - region.y)
    canvas.paint(region, np.maximum(fat, np.abs(region.x) - 40), -70.0)
    for side, sign in SIDES:
        x = np.float32(sign) * region.x
        # Lungs meet in front of the heart, leave room for the mediastinum, and wrap round the vertebral bodies.
        medial = np.interp(region.z[:, 0, 0], (250, 330, 400, 440, 480), (23, 25, 30, 32, 30)).astype(np.float32)
        beside_spine = np.interp(region.z, (250, 350, 480), (23, 19, 21))
        front = np.clip((region.y - 40) / 25, 0, 1) * 18
        room = np.where(region.y < column + 12, beside_spine, medial[:, None, None] - front)
        lung = smooth_max(np.maximum(inner, apex), room.astype(np.float32) - x, 14)
        canvas.paint(region, lung, -845.0, ids[f"lung_lower_lobe_{side}"])
        fissure = region.z - 335 + 0.95 * (region.y + 10)
        _relabel(canvas, region, (lung < 0) & (fissure > 0), ids[f"lung_upper_lobe_{side}"])
        if side == "right":
            middle = (lung < 0) & (fissure > 0) & (region.z < 338)
            _relabel(canvas, region, middle, ids["lung_middle_lobe_right"])
        _vessels(canvas, sign, rng)
    _heart(canvas, ids)
    _airways(canvas, ids)


def _relabel(canvas: Canvas, region: Region, where: NDArray[np.bool_], label: int) -> None:
    canvas.labels[region.window][where] = label


def smooth_max(first: Array, second: Array, blend: float) -> Array:
    """Intersection of two distances with a rounded edge of about `blend` mm."""
    return -smooth_union(-first, -second, blend)


def _vessels(canvas: Canvas, sign: int, rng: np.random.Generator) -> None:
    """A random tree from the hilum: each branch splits, thins and bends away from the heart."""
    hilum = np.array([sign * 30.0, -8.0, 352.0 if sign > 0 else 362.0])
    queue: list[tuple[NDArray, NDArray, float, int]] = []
    for elevation in np.radians((-78, -52, -30, -5, 22, 50, 74)):
        for turn in (-0.7, 0.5):
            azimuth = turn + rng.normal(0, 0.15)
            flat = np.array([sign * np.cos(azimuth), np.sin(azimuth)])
            direction = np.array([*(flat * np.cos(elevation)), np.sin(elevation)])
            queue.append((hilum + direction * 6, direction, rng.uniform(3.6, 5.2), 0))
    while queue:
        start, direction, radius, depth = queue.pop()
        length = 30 * (radius / 4) ** 0.45 * rng.uniform(0.7, 1.3)
        bend = direction + rng.normal(0, 0.12, 3)
        end = start + length * bend / np.linalg.norm(bend)
        _vessel(canvas, start, end, radius)
        if depth < 4 and radius > 0.9:
            for share in (0.78, 0.6):
                turned = direction + rng.normal(0, 0.42, 3)
                queue.append(
                    (end, turned / np.linalg.norm(turned), radius * share * rng.uniform(0.92, 1.08), depth + 1)
                )


def _vessel(canvas: Canvas, start: NDArray, end: NDArray, radius: float) -> None:
    region, distance = tube(canvas, [start, end], [radius, radius * 0.8])
    # Only inside the lungs, the sole labels so far: no branch reaches the chest wall or the air outside.
    patch = canvas.hu[region.window]
    share = np.clip(0.5 - distance / canvas.spacing, 0, 1) * min(1.0, (radius / (0.5 * canvas.spacing)) ** 2)
    air = np.clip((-350 - patch) / 200, 0, 1) * (canvas.labels[region.window] > 0)
    patch += share * air * (30 - patch)


def _heart(canvas: Canvas, ids: dict[str, int]) -> None:
    axis = np.array([-0.72, 0.42, -0.55]) / np.linalg.norm([-0.72, 0.42, -0.55])
    side = np.cross(axis, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    frame = np.stack([axis, side, np.cross(axis, side)]).astype(np.float32)
    region = canvas.region((-115, -60, 215), (75, 115, 385))
    ventricles = ellipsoid(region, (-34, 34, 292), (62, 41, 43), frame)
    atrium = ellipsoid(region, (20, 20, 302), (29, 34, 42))
    base = ellipsoid(region, (-16, 26, 258), (50, 42, 36))
    left_atrium = ellipsoid(region, (-8, -6, 322), (38, 24, 26))
    heart = smooth_union(smooth_union(smooth_union(ventricles, atrium, 22), left_atrium, 14), base, 20)
    floor = np.maximum(-2 - diaphragm(region), 238 - region.z)
    canvas.paint(region, np.maximum(heart, floor), 45.0, ids["heart"])
    _pipe(canvas, ids["pulmonary_vein"], [(-12, 30, 345), (-26, 14, 366), (-34, -8, 366)], 13.5, 45)
    _pipe(canvas, ids["superior_vena_cava"], [(24, 14, 325), (26, 12, 370), (25, 12, 420)], 9.5, 45)
    _pipe(canvas, ids["brachiocephalic_vein_right"], [(25, 12, 418), (32, 12, 450)], 7.5, 45)
    _pipe(canvas, ids["brachiocephalic_trunk"], [(4, 8, 405), (14, 4, 440), (20, 0, 470)], 6.5, 45)
    _pipe(canvas, ids["subclavian_artery_left"], [(-16, -8, 405), (-24, -10, 440), (-34, -8, 470)], 6.0, 45)
    arch = [(2, 30, 335), (8, 30, 372), (2, 22, 398), (-14, 0, 408), (-25, -24, 398), (-27, -38, 365), (-25, -42, 320)]
    _pipe(
        canvas,
        ids["aorta"],
        [*arch, (-20, -34, 270), (-12, -20, 225), (-8, 0, 170), (-6, 6, 120), (-4, 6, 70)],
        12.5,
        45,
    )
    _pipe(canvas, ids["inferior_vena_cava"], [(20, 8, 70), (20, 4, 130), (22, 4, 200), (24, 10, 275)], 11, 45)


def _airways(canvas: Canvas, ids: dict[str, int]) -> None:
    throat = float(spine_y(540.0)) + 22
    line = [(0, throat, 600), (0, throat, 540), (0, throat - 4, 470), (2, -12, 410), (3, -16, 390)]
    _pipe(canvas, ids["trachea"], line, 10.5, 40)
    _pipe(canvas, ids["trachea"], line, 8.5, -990)
    for line, radius in (
        ([(3, -16, 392), (20, -18, 370), (36, -18, 352), (44, -20, 330)], 7.0),
        ([(3, -16, 392), (-22, -18, 372), (-44, -22, 358), (-52, -24, 338)], 6.0),
    ):
        _pipe(canvas, ids["trachea"], line, np.linspace(radius + 1.5, radius, 16), 30)
        _pipe(canvas, ids["trachea"], line, np.linspace(radius, radius - 2, 16), -990)


def _pipe(canvas: Canvas, label: int | None, points: ArrayLike, radius: ArrayLike, hu: float, *, n: int = 16) -> None:
    region, distance = tube(canvas, spline(points, n), radius)
    canvas.paint(region, distance, hu, label)


def paint_abdomen(canvas: Canvas, ids: dict[str, int]) -> None:
    """Liver, spleen, stomach with its air bubble, kidneys, bowel with gas, bladder, psoas and gluteal muscles."""
    region = canvas.region((-150, -130, 60), (150, 130, 290))
    below = np.maximum(cage(region, inset=9), diaphragm(region) + 4)
    liver = np.maximum(below, ellipsoid(region, (64, 6, 204), (112, 108, 80)))
    edge = 168 + 0.42 * (40 - region.x) - 0.12 * region.y
    liver = smooth_max(liver, (edge - region.z) * np.float32(0.85), 14)
    canvas.paint(region, smooth_max(liver, -(region.x + 62), 10), 60.0, ids["liver"])
    spleen = np.maximum(below, ellipsoid(region, (-104, -54, 208), (30, 42, 52)))
    canvas.paint(region, spleen, 52.0, ids["spleen"])
    stomach = np.maximum(below, _stomach(canvas, region))
    canvas.paint(region, stomach, 35.0, ids["stomach"])
    canvas.paint(region, np.maximum(stomach + 4, 218 - region.z), -985.0, ids["stomach"])
    for side, sign in SIDES:
        z = 132.0 if side == "right" else 144.0
        lean = np.array([[1, 0.3, 0.28], [-0.3, 1, 0], [-0.28, 0, 1]], dtype=np.float32) * np.float32(0.93)
        lean *= np.array([[1, sign, sign], [sign, 1, 1], [sign, 1, 1]], dtype=np.float32)
        lean /= np.linalg.norm(lean, axis=1, keepdims=True)
        kidney = ellipsoid(region, (sign * 60, -46, z), (27, 24, 55), lean)
        fat = np.maximum(kidney - 9, below)
        canvas.paint(region, fat, -95.0, 0)
        canvas.paint(
            region,
            np.maximum(kidney, -ellipsoid(region, (sign * 40, -38, z), (13, 14, 16))),
            35.0,
            ids[f"kidney_{side}"],
        )
        psoas = spline(
            [
                (sign * 30, -34, 185),
                (sign * 38, -30, 110),
                (sign * 52, -14, 30),
                (sign * 84, 20, -50),
                (sign * 104, 0, -125),
            ],
            24,
        )
        part, distance = tube(canvas, psoas, np.interp(np.linspace(0, 1, 24), (0, 0.45, 0.75, 1), (8, 21, 22, 12)))
        canvas.paint(part, distance, 55.0, ids[f"iliopsoas_{side}"])
    _bowel(canvas, ids)
    pelvis = canvas.region((-60, -40, -110), (60, 90, -20))
    canvas.paint(pelvis, ellipsoid(pelvis, (0, 28, -68), (44, 34, 30)), 8.0, ids["urinary_bladder"])


def _stomach(canvas: Canvas, region: Region) -> Array:
    part, distance = tube(
        canvas,
        spline([(-62, -8, 228), (-66, 8, 200), (-58, 30, 165), (-34, 46, 140), (-4, 44, 134), (22, 30, 146)], 20),
        np.interp(np.linspace(0, 1, 20), (0, 0.3, 0.7, 1), (34, 33, 23, 12)),
    )
    return placed(region, part, distance)


def _bowel(canvas: Canvas, ids: dict[str, int]) -> None:
    ascending = [(100, 22, -18), (106, 8, 40), (104, 4, 100)]
    transverse = [(92, 36, 118), (44, 64, 92), (0, 72, 86), (-48, 62, 102), (-98, 14, 158)]
    descending = [(-112, -22, 120), (-112, -18, 50), (-104, 2, -10), (-68, 24, -36)]
    rectum = [(-26, 6, -26), (-2, -34, -34), (0, -52, -72), (0, -42, -108)]
    frame = spline([*ascending, *transverse, *descending, *rectum], 150)
    share = np.linspace(0, 1, 150)
    haustra = 2.6 * np.abs(np.sin(share * 70))
    radius = np.interp(share, (0, 0.3, 0.55, 0.85, 1), (25, 20, 17, 15, 17)) + haustra - 2
    region, distance = tube(canvas, frame, radius)
    canvas.paint(region, distance, 30.0, ids["colon"])
    for start, stop, fill in (
        (2, 30, 0.5),
        (34, 58, 0.62),
        (60, 74, 0.78),
        (76, 92, 0.55),
        (100, 108, 0.4),
        (116, 124, 0.5),
        (134, 141, 0.6),
    ):
        wave = 0.62 + 0.38 * np.abs(np.sin(share[start:stop] * 70 + 0.4)) * (
            0.8 + 0.2 * np.sin(share[start:stop] * 211)
        )
        line, size = np.add(frame[start:stop], (0, 3, 2)), np.maximum(radius[start:stop] * fill * wave, 2)
        size = size * np.clip(
            np.minimum(np.arange(stop - start) + 1, stop - start - np.arange(stop - start)) / 4, 0.4, 1
        )
        part, gas = tube(canvas, line, size)
        canvas.paint(part, gas, -960.0, ids["colon"])
    angle = np.linspace(0, 9 * np.pi, 160)
    loops = np.stack(
        [
            62 * np.cos(angle * 1.0) * (0.6 + 0.4 * np.cos(angle * 0.31)),
            40 + 22 * np.sin(angle * 1.7),
            np.linspace(66, -24, 160),
        ],
        axis=1,
    )
    region, distance = tube(canvas, loops, 12.5)
    canvas.paint(region, np.maximum(distance, -ellipsoid_gap(canvas, region)), 32.0, ids["small_bowel"])
    for start in (22, 61, 97, 128):
        part, gas = tube(canvas, loops[start : start + 5], [3, 5, 6, 5, 3])
        canvas.paint(part, gas, -940.0, ids["small_bowel"])


def ellipsoid_gap(canvas: Canvas, region: Region) -> Array:
    """Negative of a distance that keeps small bowel off the spine and off the colon already painted."""
    taken = canvas.labels[region.window] != 0
    return np.where(taken, np.float32(-1), np.float32(1)) * np.float32(canvas.spacing)
