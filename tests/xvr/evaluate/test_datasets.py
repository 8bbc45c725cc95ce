"""Files written in the layouts of the published data sets come back with fiducials on the balls that were X-rayed."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.registration_sets import (
    HEIGHT,
    WIDTH,
    assert_close_to_balls,
    likeness,
    write_deepfluoro,
    write_ljubljana,
    write_remixed,
)
from xraykit.render import GeometryError
from xraykit.xvr.evaluate.datasets.deepfluoro_hdf5 import DeepFluoroHDF5
from xraykit.xvr.evaluate.datasets.ljubljana_hdf5 import LjubljanaHDF5
from xraykit.xvr.evaluate.datasets.opening import open_dataset
from xraykit.xvr.evaluate.datasets.remixed import Remixed

h5py = pytest.importorskip("h5py", reason="needs the extra evaluate")


@pytest.fixture(scope="module")
def pelvis(tmp_path_factory):
    """DeepFluoro's layout; tests that change it change a copy."""
    path = tmp_path_factory.mktemp("deepfluoro") / "d.h5"
    write_deepfluoro(path)
    return path


@pytest.fixture(scope="module")
def leg(tmp_path_factory):
    """The remixed layout of Femur."""
    path = tmp_path_factory.mktemp("femur")
    write_remixed(path, "femur", reverse=False)
    return path


@pytest.fixture
def damaged_leg(leg, tmp_path):
    return Path(shutil.copytree(leg, tmp_path / "femur"))


@pytest.mark.parametrize("turned", [False, True], ids=["as-stored", "rot-180-for-up"])
def test_deepfluoro_landmarks_lie_on_what_was_x_rayed(tmp_path, turned):
    body = write_deepfluoro(tmp_path / "d.h5", turned=turned)
    subject = DeepFluoroHDF5(tmp_path / "d.h5", crop=5).subject("17-1882")
    xray = subject.xray("000")
    order = [subject.fiducial_names.index(n) for n in ("FH-l", "FH-r", "GSN-l", "GSN-r", "ASIS-l", "ASIS-r")]
    np.testing.assert_allclose(subject.fiducials[order], body.points, atol=1e-4)
    assert xray.mirrored and tuple(xray.shot.image.shape) == (HEIGHT - 10, WIDTH - 10)
    assert_close_to_balls(xray, subject.fiducials)
    assert likeness(xray, subject.volume) > 0.97
    assert any("180 degrees" in note for note in xray.shot.notes) == turned


def test_deepfluoro_labels_have_names_and_a_femur_in_view_has_a_pose_of_its_own(pelvis):
    dataset = open_dataset("deepfluoro", pelvis)
    subject = dataset.subject(dataset.subjects[0])
    assert dataset.subjects == ("17-1882",) and subject.volume.label_names[5] == "left femur"
    assert subject.volume.labels is not None and int(subject.volume.labels.max()) == 5
    xray = DeepFluoroHDF5(pelvis, crop=5).subject("17-1882").xray("000")
    assert set(xray.structure_poses) == {"left_femur"}
    assert not torch.allclose(xray.structure_poses["left_femur"], xray.pose, atol=1.0)


def test_pixel_centres_at_halves_move_the_principal_point_by_half_a_pixel(pelvis):
    cameras = [
        DeepFluoroHDF5(pelvis, crop=5, pixel_center=way).subject("17-1882").xray("000").shot.camera
        for way in ("integer", "half")
    ]
    x, y = (np.subtract(*(camera.principal_point[axis] for camera in cameras)) for axis in (0, 1))
    assert (x, y) == pytest.approx((-0.5, 0.5))  # x counts from the other side in the mirrored file


@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_ljubljana_points_lie_on_what_was_x_rayed(tmp_path, view):
    body = write_ljubljana(tmp_path / "l.h5")
    dataset = LjubljanaHDF5(tmp_path / "l.h5")
    subject = dataset.subject("subject01")
    xray = subject.xray(view)
    assert dataset.subjects == ("subject01",) and subject.xrays == ("frontal", "lateral")
    np.testing.assert_allclose(subject.fiducials, body.points)
    assert_close_to_balls(xray, subject.fiducials)
    assert likeness(xray, subject.volume) > 0.97
    assert float(subject.volume.mu.min()) == 0.0


@pytest.mark.parametrize(
    ("collection", "reverse", "mirrored"),
    [("deepfluoro", True, True), ("ljubljana", False, True), ("femur", False, True), ("femur", True, False)],
)
def test_remixed_fiducials_lie_on_what_was_x_rayed(tmp_path, collection, reverse, mirrored):
    body = write_remixed(tmp_path, collection, reverse=reverse)
    dataset = Remixed(tmp_path, collection, None if collection != "femur" else reverse, crop=5)
    subject = dataset.subject("subject01")
    xray = subject.xray("000")
    assert dataset.subjects == ("subject01",) and subject.xrays == ("000",)
    assert subject.template_warp is not None and xray.mirrored == mirrored
    np.testing.assert_allclose(subject.fiducials, body.points, atol=1e-4)
    assert_close_to_balls(xray, subject.fiducials)
    assert likeness(xray, subject.volume) > 0.97


def test_the_wrong_flag_puts_the_fiducials_elsewhere(leg):
    """The check above can fail: with the other orientation of the columns the balls are elsewhere."""
    subject = Remixed(leg, "femur", True).subject("subject01")
    xray = subject.xray("000")
    with pytest.raises(AssertionError, match="not close"):
        assert_close_to_balls(xray, subject.fiducials)


class Malware:
    """A pickle that would leave a trace if it ran."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(damaged_leg):
    trace = damaged_leg / "trace"
    with (damaged_leg / "subject01" / "fiducials.pt").open("wb") as file:
        pickle.dump(Malware(trace), file)
    torch.save({"pose": Malware(trace), "intrinsics": {}}, damaged_leg / "subject01" / "xrays" / "000.pt")
    with pytest.raises(ValueError, match=r"fiducials.pt must be a PyTorch file .* nothing in it was executed"):
        Remixed(damaged_leg, "femur").subject("subject01")
    torch.save(torch.zeros(1, 3, 3), damaged_leg / "subject01" / "fiducials.pt")
    with pytest.raises(ValueError, match=r"000.pt must be a PyTorch file .* nothing in it was executed"):
        Remixed(damaged_leg, "femur").subject("subject01").xray("000")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"intrinsics": {}}, "must hold pose and intrinsics"),
        ({"pose": torch.eye(4), "intrinsics": {"sdd": 1.0}}, "must hold the intrinsics sdd, delx"),
        ({"pose": torch.eye(3), "intrinsics": True}, r"must hold a pose \(1, 4, 4\)"),
        ({"pose": torch.full((4, 4), torch.nan), "intrinsics": True}, "finite floating-point tensor"),
    ],
)
def test_truth_that_is_no_pose_is_refused(damaged_leg, stored, message):
    path = damaged_leg / "subject01" / "xrays" / "000.pt"
    whole = torch.load(path, weights_only=True)
    torch.save({**stored, "intrinsics": whole["intrinsics"]} if stored.get("intrinsics") is True else stored, path)
    with pytest.raises(ValueError, match=message):
        Remixed(damaged_leg, "femur").subject("subject01").xray("000")


def test_a_truth_that_contradicts_its_image_is_refused(damaged_leg):
    path = damaged_leg / "subject01" / "xrays" / "000.pt"
    whole = torch.load(path, weights_only=True)
    whole["intrinsics"]["sdd"] = 1200.0
    torch.save(whole, path)
    with pytest.raises(ValueError, match=r"must agree with its DICOM file, got sdd 1200.0 mm and 1000.0 mm"):
        Remixed(damaged_leg, "femur").subject("subject01").xray("000")


def edit(path, name, value):
    with h5py.File(path, "a") as file:
        del file[name]
        if value is not None:
            file[name] = value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("17-1882/vol/origin", None, "must hold origin, there is nothing by that name"),
        ("17-1882/vol/origin", np.full((3, 1), np.nan), "origin must be finite"),
        ("17-1882/vol/pixels", np.zeros((2, 2)), "pixels must have shape"),
        ("17-1882/vol/pixels", "text", "pixels must be numbers"),
        ("17-1882/vol-seg/image/origin", np.zeros((3, 1)), "must lie on the grid of vol"),
        ("17-1882/vol/pixels", h5py.ExternalLink("/etc/hostname", "/"), "must not lead elsewhere, got a link"),
        ("17-1882/projections/000/image/pixels", np.zeros((3, 3)), "pixels must have shape"),
        ("17-1882/projections/000/image/pixels", np.zeros((HEIGHT, WIDTH)), "intensities above zero"),
        ("proj-params/num-rows", "many", "must be one finite number"),
    ],
)
def test_hdf5_that_departs_from_the_layout_is_refused(pelvis, tmp_path, name, value, message):
    shutil.copy(pelvis, tmp_path / "d.h5")
    edit(tmp_path / "d.h5", name, value)
    with pytest.raises(ValueError, match=message):
        DeepFluoroHDF5(tmp_path / "d.h5", crop=5).subject("17-1882").xray("000")


def test_a_pose_that_is_no_motion_is_refused(pelvis, tmp_path):
    shutil.copy(pelvis, tmp_path / "d.h5")
    edit(tmp_path / "d.h5", "17-1882/projections/000/gt-poses/cam-to-pelvis-vol", 2 * np.eye(4))
    with pytest.raises(GeometryError, match="camera_to_volume"):
        DeepFluoroHDF5(tmp_path / "d.h5", crop=5).subject("17-1882").xray("000")


def test_wrong_names_and_places_are_told(pelvis, tmp_path):
    (tmp_path / "text.h5").write_text("nothing")
    subject = DeepFluoroHDF5(pelvis).subject("17-1882")
    for call, message in (
        (lambda: subject.xray("7"), "has the X-rays 000, got '7'"),
        (lambda: DeepFluoroHDF5(pelvis).subject("x"), "has the subjects 17-1882, got 'x'"),
        (lambda: DeepFluoroHDF5(tmp_path / "text.h5").subjects, "must be an HDF5 file, got another"),
        (lambda: DeepFluoroHDF5(tmp_path / "none.h5").subjects, "there is no file by that name"),
        (lambda: open_dataset("femur", pelvis), "remixed layout only"),
        (lambda: open_dataset("femur", tmp_path / "none"), "there is nothing by that name"),
        (lambda: open_dataset("knee", tmp_path), "deepfluoro, ljubljana or femur, got 'knee'"),
        (lambda: open_dataset("femur", tmp_path).subjects, "must hold folders such as subject01"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
