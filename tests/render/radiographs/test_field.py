"""The exposed part of an X-ray: shutter tags, collimator and image intensifier in the picture, burnt-in text."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from support.grids import each_once
from support.xray_dicom import write_xray, xray_dataset
from xraykit.render import Camera, FileError, InputError, Radiograph, carm_pose, render, torso
from xraykit.render.geometry import VIEWS
from xraykit.render.radiographs import (
    CircularShutter,
    PolygonalShutter,
    RectangularShutter,
    burnt_in,
    exposed_field,
    shutter_field,
    shutter_mask,
)
from xraykit.render.radiographs.field_blades import Line, opening
from xraykit.render.radiographs.field_border import convex_hull, outside

SIZE = 200
CAMERA = Camera(sdd=1020.0, height=SIZE, width=SIZE, pixel_spacing=2.0)


@pytest.fixture(scope="module")
def beams() -> dict[str, torch.Tensor]:
    """Primary intensity behind the procedural torso, of 3000 photons a pixel in air, by view."""
    patient = torso(spacing=8.0)
    poses = {
        name: carm_pose(**VIEWS[name].angles, sod=700.0, isocenter=patient.center) for name in ("ap", "lateral_left")
    }
    return {name: 3000 * torch.exp(-render(patient, CAMERA, pose)[0, 0]) for name, pose in poses.items()}


def seen(beam: torch.Tensor, shutter: RectangularShutter | CircularShutter | None) -> torch.Tensor:
    """Line integrals of what a detector shows: collimated beam, leakage, wide scatter and quantum noise."""
    opening = 1.0 if shutter is None else shutter_mask(shutter, CAMERA, penumbra=2.0, leakage=0.005)[0, 0]
    primary = beam * opening
    wide = torch.nn.functional.pad(primary[None, None], (40, 40, 40, 40), mode="replicate")
    scatter = 0.5 * torch.nn.functional.avg_pool2d(wide, 81, 1)[0, 0]
    counts = torch.poisson(primary + scatter + 1, generator=torch.Generator().manual_seed(0))
    return -torch.log(counts.clamp_min(0.5) / counts.max())


@pytest.mark.parametrize("view", ["ap", "lateral_left"])
def test_an_image_without_collimator_is_exposed_throughout(beams, view):
    assert bool(exposed_field(seen(beams[view], None)).all())


@pytest.mark.parametrize(
    "shutter",
    [
        RectangularShutter(30, 45, 165, 180),
        RectangularShutter(25, -9, 999, 999),
        RectangularShutter(-9, 20, 999, 170),
        CircularShutter(100, 100, 98),
        CircularShutter(100, 100, 80),
    ],
)
def test_the_collimators_opening_is_found(beams, shutter):
    truth = shutter_mask(shutter, CAMERA)[0, 0] > 0.99
    found = exposed_field(seen(beams["ap"], shutter))
    assert float((found & truth).sum() / (found | truth).sum()) > 0.95
    assert float((found & ~truth).float().mean()) < 0.03


def turned(degrees: float, width: float, height: float, x: float = 100, y: float = 100) -> PolygonalShutter:
    """A rectangle about (x, y), turned."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return PolygonalShutter(
        tuple((x + (c * a * width - s * b * height) / 2, y + (s * a * width + c * b * height) / 2) for a, b in corners)
    )


ASKEW = {
    "a little": turned(6, 140, 120),
    "more": turned(-20, 150, 110, 95, 105),
    "a diamond": turned(45, 120, 120),
    "one blade is seen": turned(20, 420, 260, 100, 150),
    "two are": turned(-15, 400, 120),
    "eight": PolygonalShutter(tuple((100 + 85 * np.cos(a), 100 + 85 * np.sin(a)) for a in np.arange(8) * np.pi / 4)),
}


@pytest.mark.parametrize("shutter, view", each_once([*ASKEW], ["ap", "lateral_left"]))
def test_blades_that_stand_askew_are_found(beams, shutter, view):
    truth = shutter_mask(ASKEW[shutter], CAMERA)[0, 0] > 0.99
    found = exposed_field(seen(beams[view], ASKEW[shutter]))
    assert float((found & truth).sum() / (found | truth).sum()) > 0.92


def test_a_rod_across_the_image_is_no_blade(beams):
    rows = torch.arange(SIZE)[:, None] + 0.5
    columns = torch.arange(SIZE) + 0.5
    for slope, offset in ((0.0, 70.0), (0.4, 60.0), (-0.3, 140.0)):
        rod = (columns - offset - slope * rows).abs() < 4
        assert bool(exposed_field(seen(beams["ap"] * torch.where(rod, 0.15, 1.0), None)).all())


def test_an_opening_is_what_all_blades_leave():
    lines = [Line(0.0, 30.0), Line(np.pi / 2, 20.0), Line(np.pi, 40.0), Line(np.pi, 10.0)]
    corners = opening(lines, 100, 200)
    assert {tuple(corner) for corner in corners.round().tolist()} == {
        (90.0, 0.0),
        (130.0, 0.0),
        (130.0, 70.0),
        (90.0, 70.0),
    }
    assert len(opening([*lines, Line(0.0, -20.0)], 100, 200)) == 0


@pytest.mark.parametrize("blank", ["densest", "clearest"])
def test_a_blanked_surround_is_found_whatever_its_shade(beams, blank):
    image = seen(beams["ap"], None)
    corners = torch.tensor([[60.0, 20.0], [180.0, 50.0], [150.0, 190.0], [20.0, 140.0]])
    distance = outside(corners, image.shape)
    truth = distance < 0
    image = torch.where(truth, image, image.max() if blank == "densest" else image.min())
    found = exposed_field(image)
    assert float((found & truth).sum() / truth.sum()) > 0.95
    assert float(distance[found].max()) < 0.5  # px


def test_polygons_are_signed_distances():
    square = torch.tensor([[2.0, 1.0], [6.0, 1.0], [6.0, 5.0], [2.0, 5.0]])
    distance = outside(square, (8, 9))
    assert float(distance[3, 4]) == -1.5 and float(distance[3, 0]) == 1.5 and float(distance[0, 3]) == 0.5
    assert float(outside(square, (8, 9), margin=3.0)[3, 0]) == -1.0


def test_the_hull_of_pixels_holds_their_corners_and_no_more():
    mask = torch.zeros(10, 12, dtype=torch.bool)
    mask[2:8, 3:9] = True
    mask[4, 5] = False
    corners = convex_hull(mask)
    assert {tuple(corner) for corner in corners.tolist()} == {(9.0, 2.0), (9.0, 8.0), (3.0, 8.0), (3.0, 2.0)}
    assert bool((outside(corners, mask.shape) <= 0).sum() == 36)


def test_text_at_full_scale_is_marked_and_anatomy_is_not(beams):
    image = seen(beams["ap"], None)
    image = (image - image.min()) / (image.max() - image.min()) * 200
    canvas = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(canvas).text((12, 12), "L 42", fill=255)
    text = torch.from_numpy(np.array(canvas)) > 128
    everywhere = torch.ones_like(text)
    marked = burnt_in(torch.where(text, 255.0, image), everywhere)
    assert bool(marked[text].all()) and float(marked.float().mean()) < 0.03
    assert float(burnt_in(image, everywhere).float().mean()) < 0.003


def test_large_saturated_areas_are_no_text():
    image = torch.rand(100, 100, generator=torch.Generator().manual_seed(0))
    image[:, 50:] = 2.0
    assert not bool(burnt_in(image, torch.ones(100, 100, dtype=torch.bool))[:, 60:].any())


@pytest.mark.parametrize(
    ("tags", "open_rows", "open_columns"),
    [
        (
            {
                "ShutterShape": "RECTANGULAR",
                "ShutterLeftVerticalEdge": 5,
                "ShutterRightVerticalEdge": 17,
                "ShutterUpperHorizontalEdge": 3,
                "ShutterLowerHorizontalEdge": 12,
            },
            slice(3, 11),
            slice(5, 16),
        ),
        (
            {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [3, 5, 3, 17, 12, 17, 12, 5]},
            slice(3, 11),
            slice(5, 16),
        ),
    ],
)
def test_shutter_tags_open_what_lies_between_their_edges(tmp_path, tags, open_rows, open_columns):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(np.ones((15, 20), dtype=np.uint16), **tags))
    expected = torch.zeros(15, 20, dtype=torch.bool)
    expected[open_rows, open_columns] = True
    assert torch.equal(shutter_field(path, height=15, width=20), expected)


def test_a_circular_shutter_is_a_disc(tmp_path):
    tags = {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [8, 11], "RadiusOfCircularShutter": 5}
    path = write_xray(tmp_path / "x.dcm", xray_dataset(np.ones((15, 20), dtype=np.uint16), **tags))
    field = shutter_field(path, height=15, width=20)
    y, x = torch.meshgrid(torch.arange(15) - 7.0, torch.arange(20) - 10.0, indexing="ij")
    assert torch.equal(field, torch.hypot(x, y) < 5)


def test_a_shutter_that_is_none_opens_everything(tmp_path):
    tags = {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [3, 5, 3]}
    path = write_xray(tmp_path / "x.dcm", xray_dataset(np.ones((15, 20), dtype=np.uint16), **tags))
    assert bool(shutter_field(path, height=15, width=20).all())


def test_a_file_that_is_no_dicom_declares_nothing(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no DICOM")
    assert bool(shutter_field(tmp_path / "x.png", height=3, width=4).all())


def test_a_missing_file_and_shutters_of_another_size_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"gone.dcm must be a file that can be read"):
        shutter_field(tmp_path / "gone.dcm", height=3, width=4)
    tags = {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [8, 11], "RadiusOfCircularShutter": 5}
    path = write_xray(tmp_path / "x.dcm", xray_dataset(np.ones((15, 20), dtype=np.uint16), **tags))
    with pytest.raises(InputError, match=r"are those of 15x20 px, got an image of 30x40; give the image as stored"):
        shutter_field(path, height=30, width=40)


def test_the_field_of_a_radiograph_is_that_of_its_line_integrals_whatever_its_polarity(beams):
    image = seen(beams["ap"], RectangularShutter(30, 45, 165, 180))
    intensity = torch.exp(-image)
    full = float(intensity.max())
    stored = {
        "line_integral": Radiograph(image[None], "line_integral"),
        "intensity": Radiograph(40 * intensity[None], "intensity"),
        "inverted_intensity": Radiograph(full - intensity[None], "inverted_intensity", full_scale=full),
        "log_attenuation": Radiograph(700 * image[None] + 50, "log_attenuation"),
        "log_intensity": Radiograph(9000 - 700 * image[None], "log_intensity"),
    }
    expected = exposed_field(image)
    assert 0.3 < float(expected.float().mean()) < 0.6
    for polarity, xray in stored.items():
        agreement = float((exposed_field(xray) == expected).float().mean())
        assert agreement > 0.97, polarity
    twice = Radiograph(torch.stack([image, image]), "line_integral")
    assert torch.equal(exposed_field(twice), expected)
    assert torch.equal(exposed_field(image.numpy()), expected)


def test_shutters_of_the_file_close_pixels_that_the_image_leaves_open(tmp_path, beams):
    tags = {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [101, 101], "RadiusOfCircularShutter": 60}
    path = write_xray(tmp_path / "x.dcm", xray_dataset(np.ones((SIZE, SIZE), dtype=np.uint16), **tags))
    image = seen(beams["ap"], None)
    assert bool(exposed_field(image).all())
    assert torch.equal(exposed_field(image, file=path), shutter_field(path, height=SIZE, width=SIZE))


@pytest.mark.parametrize("image", [torch.ones(2, 9, 9), torch.full((9, 9), float("nan")), torch.ones(0, 9)])
def test_what_is_no_finite_image_is_refused(image):
    with pytest.raises(InputError, match=r"in a finite \(H, W\) image, got shape"):
        exposed_field(image)
