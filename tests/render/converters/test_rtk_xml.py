"""RTK's geometry.xml: common and single values, there and back, and refused; tests/peers has RTK's own files."""

from dataclasses import replace

import pytest
import torch
from support.views import assert_same_view, camera, poses
from xraykit.render.converters import from_rtk, read_rtk, to_rtk, write_rtk
from xraykit.render.errors import FileError, GeometryError

IMAGE = {"size": (41, 30), "spacing": (2.5, 3.0)}
MADE_UP = """<?xml version="1.0"?>
<!DOCTYPE RTKGEOMETRY>
<RTKThreeDCircularGeometry version="3">
  <SourceToIsocenterDistance>600</SourceToIsocenterDistance>
  <SourceToDetectorDistance>1000</SourceToDetectorDistance>
  <Projection><GantryAngle>10</GantryAngle></Projection>
  <Projection><GantryAngle>20</GantryAngle><ProjectionOffsetX>-7</ProjectionOffsetX></Projection>
</RTKThreeDCircularGeometry>
"""


def test_values_before_the_first_projection_hold_for_all(tmp_path):
    (tmp_path / "geometry.xml").write_text(MADE_UP)
    first, second = read_rtk(tmp_path / "geometry.xml", **IMAGE)
    assert first.arguments == (600.0, 1000.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert second.arguments == (600.0, 1000.0, 20.0, -7.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert first.origin == (-50.0, -43.5)  # centred
    assert from_rtk([first, second]).mirrored


def test_round_trip_keeps_every_number(tmp_path):
    projections = to_rtk(camera(), poses())
    write_rtk(tmp_path / "geometry.xml", projections)
    again = read_rtk(tmp_path / "geometry.xml", **IMAGE, origin=projections[0].origin, direction=(1, -1))
    assert again == projections
    assert_same_view(from_rtk(again), (camera(), poses()))


CURVED = MADE_UP.replace("</Proj", "<RadiusCylindricalDetector>9</RadiusCylindricalDetector></Proj")


BAD = {
    "no xml": ("geometry", "text that is no XML"),
    "another root": ("<Geometry/>", "with the root RTKThreeDCircularGeometry, got 'Geometry'"),
    "no projection": ("<RTKThreeDCircularGeometry/>", "must hold projections, got none"),
    "parallel": (MADE_UP.replace(">1000<", ">0<"), "SourceToDetectorDistance above 0 in projection 0"),
    "curved": (CURVED, "must be of a flat detector"),
    "a word": (MADE_UP.replace(">20<", ">far<"), "must give numbers for GantryAngle, got 'far'"),
    "entities": (MADE_UP.replace("<!DOCTYPE RTKGEOMETRY>", '<!DOCTYPE R [<!ENTITY a "1">]>'), "declares entities"),
    "a matrix of its own": (
        MADE_UP.replace("<GantryAngle>20</GantryAngle>", f"<GantryAngle>20</GantryAngle><Matrix>{'1 ' * 12}</Matrix>"),
        "contradicts itself in projection 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_say_what_is_wrong(tmp_path, case):
    text, says = BAD[case]
    (tmp_path / "geometry.xml").write_text(text)
    with pytest.raises(FileError, match=says):
        read_rtk(tmp_path / "geometry.xml", **IMAGE)


def test_an_empty_geometry_is_not_written(tmp_path):
    with pytest.raises(GeometryError, match="must have projections"):
        write_rtk(tmp_path / "geometry.xml", [])


def test_the_matrix_in_the_file_is_that_of_the_numbers(tmp_path):
    projection = replace(to_rtk(camera(), poses())[1], source_offset=(3.0, -4.0))
    write_rtk(tmp_path / "geometry.xml", [projection])
    stated = (tmp_path / "geometry.xml").read_text().partition("<Matrix>")[2].partition("</Matrix>")[0]
    torch.testing.assert_close(
        torch.tensor([float(word) for word in stated.split()], dtype=torch.float64).reshape(3, 4), projection.matrix
    )
