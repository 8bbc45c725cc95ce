"""Landmarks of 3D Slicer are in the spacing that the X-ray's own file states, whatever the options say."""

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK
import torch
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.render import Camera, InputError, read_radiograph
from xraykit.render.radiographs import Origin
from xraykit.xvr.start.finding import _image_points, _spacing_in_slicer
from xraykit.xvr.xray import XraySettings

PIXELS = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)


@pytest.mark.parametrize(
    ("stated", "place"),
    [(None, (20.0, 30.0)), (["0.4", "0.2"], (20 * 0.2, 30 * 0.4))],  # Slicer: 1 mm a pixel, or what the file states
)
def test_a_landmark_is_where_it_was_placed_though_the_option_gives_another_spacing(tmp_path, stated, place):
    tags = {key: value for key, value in GEOMETRY.items() if key != "ImagerPixelSpacing"}
    if stated is not None:
        tags["ImagerPixelSpacing"] = stated
    path = write_xray(tmp_path / "xa.dcm", xray_dataset(PIXELS, **tags))
    points = tmp_path / "points.fcsv"
    points.write_text(
        f"# CoordinateSystem = LPS\n# columns = id,x,y,z,label\n1,{place[0]},{place[1]},0,P1\n", encoding="utf-8"
    )
    shot = SimpleNamespace(camera=Camera(sdd=1000.0, height=48, width=64, pixel_spacing=0.7), frame=None)
    request = SimpleNamespace(
        shots=(shot,), paths=(path,), reading=XraySettings(pixel_spacing=0.7), isocenter=torch.zeros(3).double()
    )
    assert _image_points(request, points)["P1"] == pytest.approx((20.5, 30.5))


def test_what_was_assumed_or_comes_from_a_picture_is_no_spacing_of_slicer():
    def stored(tag, modality):
        return SimpleNamespace(modality=modality, provenance={"pixel_spacing": Origin((0.3, 0.3), tag)})

    assert _spacing_in_slicer(stored("assumed", "XA")) is None
    assert _spacing_in_slicer(stored("ImageDescription", None)) is None
    assert _spacing_in_slicer(stored("ImagerPixelSpacing (0018,1164)", "XA")) == [0.3, 0.3]


def test_a_dicom_without_spacing_has_none(tmp_path):
    path = write_xray(tmp_path / "xa.dcm", xray_dataset(PIXELS, DistanceSourceToDetector="1000"))
    assert _spacing_in_slicer(read_radiograph(path)) is None


def on_file(tmp_path, name, **geometry):
    image = SimpleITK.GetImageFromArray(PIXELS)
    for key, value in geometry.items():
        getattr(image, f"Set{key}")(value)
    SimpleITK.WriteImage(image, str(tmp_path / name))
    shot = SimpleNamespace(camera=Camera(sdd=1000.0, height=48, width=64, pixel_spacing=0.7), frame=None)
    return SimpleNamespace(
        shots=(shot,), paths=(tmp_path / name,), reading=XraySettings(), isocenter=torch.zeros(3).double()
    )


@pytest.mark.parametrize("name", ["x.mha", "x.nrrd"])
def test_landmarks_on_a_file_of_volumes_count_from_its_origin(tmp_path, name):
    request = on_file(tmp_path, name, Spacing=(0.2, 0.4), Origin=(-5.0, 7.0))
    place = SimpleITK.ReadImage(str(tmp_path / name)).TransformIndexToPhysicalPoint((20, 30))
    points = tmp_path / "points.fcsv"
    points.write_text(
        f"# CoordinateSystem = LPS\n# columns = id,x,y,z,label\n1,{place[0]},{place[1]},0,P1\n", encoding="utf-8"
    )
    assert _image_points(request, points)["P1"] == pytest.approx((20.5, 30.5))


def test_landmarks_on_turned_axes_are_refused(tmp_path):
    request = on_file(tmp_path, "x.mha", Direction=(0, 1, 1, 0))
    points = tmp_path / "points.fcsv"
    points.write_text("# CoordinateSystem = LPS\n# columns = id,x,y,z,label\n1,2,3,0,P1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"along turned axes, .* give them as \.csv in pixels"):
        _image_points(request, points)
