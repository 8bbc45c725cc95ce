"""Published checkpoints: three generations read with their frames spelt out, everything else refused unexecuted."""

import os
import pathlib
import pickle
import zipfile

import pytest
import torch
from support.pose_networks import CONFIG, random_state, reference_extrinsic, reference_numbers, write_checkpoint
from xraykit.render import FileError
from xraykit.xvr import NetworkFrame
from xraykit.xvr.network import read_published


@pytest.fixture(scope="module")
def state():
    return random_state(10)


@pytest.fixture(scope="module")
def published(tmp_path_factory, state):
    return write_checkpoint(tmp_path_factory.mktemp("published") / "0120.pth", state)


def damaged(published, tmp_path, content):
    path = tmp_path / "bad.pth"
    path.write_bytes(content(published.read_bytes()))
    return path


def test_a_second_generation_file_gives_its_frame_and_its_poses(published, state):
    network = read_published(published)
    assert network.frame == NetworkFrame(1020.0, 64, 4.352875, reverse_x_axis=False)
    assert network.provenance == {
        "source": "0120.pth",
        "format": "xvr 2",
        "itr": 1000,
        "model_number": 1,
        "date": "2026-02-16 12:00:00",
    }
    assert not network.training
    images = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    rotation, translation = (x[0].tolist() for x in reference_numbers(state, images))
    expected = reference_extrinsic(rotation, [1000 * t for t in translation], "quaternion_adjugate")
    with torch.no_grad():
        torch.testing.assert_close(network(images)[0], expected.float(), atol=2e-3, rtol=1e-5)


def test_a_missing_unit_factor_means_millimetres(tmp_path, state):
    path = write_checkpoint(tmp_path / "a.pth", state, drop=("unit_conversion_factor",))
    assert read_published(path).frame.unit_factor == 1.0


def test_a_first_generation_file_is_pa_with_reversed_axis_where_it_does_not_say(tmp_path):
    config = {
        **{name: CONFIG[name] for name in ("sdd", "height", "delx", "convention", "model_name", "norm_layer")},
        "parameterization": "euler_angles",
        "inpath": "/data/pelvis.nii.gz",
        "n_epochs": 1000,
    }
    path = tmp_path / "pelvis_0250.pth"
    torch.save({"model_state_dict": random_state(3), "epoch": 250, "config": config}, path)
    frame = read_published(path).frame
    assert (frame.orientation, frame.reverse_x_axis, frame.unit_factor) == ("PA", True, 1.0)
    assert frame.frame == "centred" and frame.parameterization == "euler_angles"
    assert read_published(path).provenance == {"source": "pelvis_0250.pth", "format": "xvr 1", "epoch": 250}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "centred"),
        ({"volpath": "/data/ct.nii"}, "centred"),
        ({"volpath": "/data/wbct/imgs"}, "template"),
        ({"warp": "/data/subject01/warp2template.txt"}, "template"),
    ],
)
def test_networks_of_many_cts_and_warped_ones_speak_the_templates_frame(tmp_path, state, config, expected):
    path = write_checkpoint(tmp_path / "a.pth", state, **config)
    assert read_published(path).frame.frame == expected


def test_the_frame_can_be_said(tmp_path, state):
    path = write_checkpoint(tmp_path / "a.pth", state, volpath="/data/one_patient")
    assert read_published(path, frame="centred").frame.frame == "centred"


def test_paths_and_dates_that_xvr_saves_are_read(tmp_path, state):
    path = write_checkpoint(tmp_path / "a.pth", state, volpath=pathlib.Path("/data/ct.nii.gz"))
    assert read_published(path).frame.frame == "centred"


def diffpose(path, **changes):
    names = ("height", "model_name", "norm_layer")
    content = {name: CONFIG[name] for name in names} | {"parameterization": "se3_log_map", "convention": None}
    torch.save(content | {"model_state_dict": random_state(3), "epoch": 999, "loss": 0.1} | changes, path)
    return path


def test_a_diffpose_file_gives_offsets_from_the_isocentre(tmp_path):
    frame = read_published(diffpose(tmp_path / "specimen_01_best.ckpt"), sdd=1020.0, delx=2.2).frame
    assert (frame.frame, frame.mean, frame.std, frame.unit_factor) == ("isocentre_offset", 0.3080, 0.1494, 1.0)
    assert (frame.sdd, frame.delx, frame.parameterization) == (1020.0, 2.2, "se3_log_map")


def test_a_diffpose_file_needs_the_detector_it_does_not_state(tmp_path):
    with pytest.raises(FileError, match=r"give sdd= and delx= .*got no delx"):
        read_published(diffpose(tmp_path / "a.ckpt"), sdd=1020.0)


def test_a_diffpose_file_of_another_parameterisation_is_refused(tmp_path):
    path = diffpose(tmp_path / "a.ckpt", parameterization="euler_angles")
    with pytest.raises(FileError, match="se3_log_map, got 'euler_angles'"):
        read_published(path, sdd=1020.0, delx=2.2)


def test_a_diffpose_file_takes_no_other_frame(tmp_path):
    with pytest.raises(FileError, match="DiffPose has one frame"):
        read_published(diffpose(tmp_path / "a.ckpt"), frame="template", sdd=1020.0, delx=2.2)


class Malware:
    """Unpickling it makes a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch '{self.target}'",)


@pytest.mark.parametrize("zipped", [True, False])
def test_malware_is_refused_and_not_run(tmp_path, state, zipped):
    target, path = tmp_path / "made", tmp_path / "evil.pth"
    content = {"model_state_dict": state, "config": CONFIG, "itr": 1, "extra": Malware(target)}
    torch.save(content, path) if zipped else path.write_bytes(pickle.dumps(content["extra"]))
    with pytest.raises(FileError, match=r"nothing (of it|in it) was run"):
        read_published(path)
    assert not target.exists()
    if zipped:  # the file would have done it
        torch.load(path, weights_only=False)
        assert target.exists()


def test_malware_is_named(tmp_path, state):
    path = tmp_path / "evil.pth"
    torch.save({"model_state_dict": state, "extra": Malware(tmp_path / "made")}, path)
    with pytest.raises(FileError, match=r"\((posix|nt|os)\.system\)"):
        read_published(path)


def test_a_compressed_archive_is_refused_before_it_swells(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 10_000_000)
    with pytest.raises(FileError, match="must be uncompressed"):
        read_published(path)


def test_a_truncated_file_is_refused(published, tmp_path):
    with pytest.raises(FileError, match="checkpoint"):
        read_published(damaged(published, tmp_path, lambda content: content[: len(content) // 2]))


def test_a_file_with_damaged_bytes_is_refused(published, tmp_path):
    def spoil(content):
        place = content.index(b"data.pkl") + 80
        return content[:place] + b"\xff" * 40 + content[place + 40 :]

    with pytest.raises(FileError, match=r"checkpoint|Python objects"):
        read_published(damaged(published, tmp_path, spoil))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileError, match="checkpoint was expected at"):
        read_published(tmp_path / "none.pth")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(FileError, match="checkpoint dictionary, got list"):
        read_published(tmp_path / "list.pth")
    torch.save({"state_dict": {}, "epoch": 1}, tmp_path / "other.pth")
    with pytest.raises(FileError, match="model_state_dict, got the keys epoch, state_dict"):
        read_published(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_name": "resnet34"}, r"resnet34.*layer1\.2.*missing and nothing unexpected"),
        ({"parameterization": "rotation_6d"}, r"rot_regression.* of shape \(6"),
        ({"norm_layer": "batchnorm"}, "running_mean.*missing"),
    ],
)
def test_weights_of_another_architecture_are_named(tmp_path, state, changes, message):
    with pytest.raises(FileError, match=message):
        read_published(write_checkpoint(tmp_path / "a.pth", state, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm_layer": "instancenorm"}, "norm_layer must be groupnorm or batchnorm, got 'instancenorm'"),
        ({"drop": ("sdd",)}, "settings must state sdd"),
        ({"drop": ("model_name",)}, "settings must state model_name"),
        ({"height": "big"}, "height of a network must be a positive whole number"),
        ({"orientation": "lateral"}, "orientation must be one of AP, PA"),
        ({"model_name": "no_such_net"}, "backbone must be a timm model"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path, changes, message):
    with pytest.raises(FileError, match=message):
        read_published(write_checkpoint(tmp_path / "a.pth", {}, **changes))


def test_weights_of_a_training_that_failed_are_refused(tmp_path, state):
    broken = state | {"xyz_regression.bias": torch.full((3,), torch.nan)}
    with pytest.raises(FileError, match="NaN or infinity in xyz_regression"):
        read_published(write_checkpoint(tmp_path / "a.pth", broken))
