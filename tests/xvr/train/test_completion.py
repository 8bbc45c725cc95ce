"""Settings are completed for the device and refused before anything heavy."""

from dataclasses import fields
from pathlib import Path

import pytest
from support.training import train_settings
from xraykit.render import InputError
from xraykit.render.storage import leaves
from xraykit.xvr import TrainSettings
from xraykit.xvr.train.completion import completed


def settings(**changes):
    return train_settings(**{"ct": Path("ct.nii"), "output": Path("out"), "device": "cpu"} | changes)


def test_the_cpu_trains_small_images_by_their_poses():
    found = completed(settings())
    assert (found.detector.size, found.length.batch, found.length.steps) == (64, 16, 30_000)
    assert (found.loss.image_loss_from, found.run.device, found.network.norm) == (1.0, "cpu", "default")
    assert found.data.patients == 200
    assert found.run.precision in ("bf16-mixed", "32-true")


def test_a_gpu_trains_at_the_paper_s_size_with_images(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: True)
    found = completed(settings(device="auto"))
    assert (found.detector.size, found.length.batch, found.loss.image_loss_from) == (128, 116, 0.0)
    assert (found.run.device, found.run.precision, found.network.norm) == ("cuda", "bf16-mixed", "groupnorm")
    assert found.data.patients == 1000


def test_minutes_alone_set_no_number_of_batches():
    assert completed(settings(minutes=5.0)).length.steps is None
    assert completed(settings(minutes=5.0, steps=7)).length.steps == 7


def test_several_patients_share_a_batch_where_no_images_are_compared():
    def shared(**changes):
        return completed(settings(**changes)).data.patients_per_batch

    many = {"ct": None, "procedural": "knee"}
    assert [shared(), shared(**many), shared(**many, batch=2), shared(**many, image_loss_from=0.5)] == [1, 4, 2, 1]
    assert shared(**many, patients_per_batch=3) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ct": None}, "exactly one of CT.*got none"),
        ({"procedural": "knee"}, "exactly one of CT.*got ct and procedural"),
        ({"ct": None, "cts": Path("x"), "labels": Path("l")}, "--labels belongs to the one CT"),
        ({"warp": Path("w.tfm")}, "--warp says where the template"),
        ({"ct": None, "procedural": "elbows"}, "--procedural must be one of"),
        ({"pose_frame": "template"}, "leave --pose-frame out"),
        ({"ct": None, "dataset": Path("d"), "image_loss_from": 0.5}, "cannot be rendered again"),
        ({"checkpoint": "w", "size": 64}, "brings its own network and detector.*--size"),
        ({"batch": 0}, "--batch must be positive"),
        ({"rate": float("nan")}, "--rate must be positive"),
        ({"minutes": -1.0}, "--minutes must be positive"),
        ({"weight_dice": -1.0}, "--weight-dice must be 0 or more"),
        ({"augment": 2.0}, "--augment must lie in 0 to 1"),
        ({"image_loss_from": 1.5}, "--image-loss-from must lie in 0 to 1"),
        ({"bone": (3.0, 1.0)}, "--bone must be a lower and an upper multiplier"),
        ({"patients_per_batch": 2}, "--patients-per-batch is for --cts and --procedural"),
        ({"ct": None, "procedural": "knee", "patients_per_batch": 17}, "at most --batch, 16, got 17"),
        (
            {"ct": None, "procedural": "knee", "patients_per_batch": 2, "image_loss_from": 0.0},
            "several patients in a batch cannot be compared",
        ),
        ({"preset": "arm"}, "preset must be one of"),
        ({"device": "cuda"}, "needs a GPU"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changes, message, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=message):
        completed(settings(**changes))


def test_every_option_has_one_flag_and_no_group_has_more_than_twelve():
    assert len(leaves(TrainSettings)) == 61
    assert all(len(fields(type(getattr(settings(), group.name)))) <= 12 for group in fields(TrainSettings))
