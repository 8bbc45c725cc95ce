"""Shutters and collimators whose tags describe no opening in the image are doubted; those of real machines are not."""

import numpy as np
import pytest
import torch
from support.xray_dicom import write_xray, xray_dataset
from xraykit.render import read_radiograph
from xraykit.render.radiographs import shutter_field

EDGES = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")


def rectangle(kind: str, *edges: object) -> dict[str, object]:
    return {
        f"{kind}Shape": "RECTANGULAR",
        **{f"{kind}{edge}Edge": v for edge, v in zip(EDGES, edges, strict=True) if v is not None},
    }


def read(folder, tags):
    dataset = xray_dataset(np.ones((15, 20), dtype=np.uint16), **tags)
    return read_radiograph(write_xray(folder / "x.dcm", dataset)), folder / "x.dcm"


@pytest.mark.parametrize("kind", ["Shutter", "Collimator"])
@pytest.mark.parametrize(
    ("edges", "why"),
    [
        ((17, 5, 3, 12), "its edges describe no opening"),
        ((5, 17, 3, None), "LowerHorizontalEdge (0018,"),
        ((50, 70, 3, 12), "its opening lies outside the image"),
        ((-70, -50, 3, 12), "its opening lies outside the image"),
    ],
)
def test_a_rectangle_that_is_none_is_doubted_and_closes_nothing(tmp_path, kind, edges, why):
    back, path = read(tmp_path, rectangle(kind, *edges))
    doubt = back.doubts[f"{kind}Shape"]
    assert why in doubt.note and doubt.note.endswith("; it is left out")
    assert bool(shutter_field(path, height=15, width=20).all())


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [8, 11], "RadiusOfCircularShutter": 0}, "no opening"),
        ({"ShutterShape": "CIRCULAR", "RadiusOfCircularShutter": 5}, "CenterOfCircularShutter (0018,1610) is missing"),
        (
            {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [3, 5, 3, 17, 12]},
            "does not hold its numbers",
        ),
        ({"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [3, 5, 3, 17]}, "no opening"),
        ({"ShutterShape": "HEXAGON"}, "it has a shape that there is not"),
    ],
)
def test_other_shapes_that_are_none_are_doubted(tmp_path, tags, why):
    back, _ = read(tmp_path, tags)
    assert why in back.doubts["ShutterShape"].note


@pytest.mark.parametrize(
    "tags",
    [
        rectangle("Shutter", 0, 21, 0, 16),
        rectangle("Collimator", -40, 60, -30, 45),
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [8, 11], "RadiusOfCircularShutter": 500},
        rectangle("Shutter", 1, 20, 1, 15)
        | {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
        | {"CenterOfCircularShutter": [8, 11], "RadiusOfCircularShutter": 5},
        {"ShutterShape": "BITMAP"},
        {},
    ],
)
def test_openings_are_no_doubt(tmp_path, tags):
    back, _ = read(tmp_path, tags)
    assert not {"ShutterShape", "CollimatorShape"} & set(back.doubts)


def test_of_two_shapes_the_one_that_lies_outside_closes_nothing(tmp_path):
    tags = rectangle("Shutter", 50, 70, 3, 12) | {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    back, path = read(tmp_path, tags | {"CenterOfCircularShutter": [8, 11], "RadiusOfCircularShutter": 5})
    y, x = torch.meshgrid(torch.arange(15) - 7.0, torch.arange(20) - 10.0, indexing="ij")
    assert "ShutterShape" in back.doubts
    assert torch.equal(shutter_field(path, height=15, width=20), torch.hypot(x, y) < 5)
