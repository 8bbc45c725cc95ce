"""Numpy arrays where tensors are meant: the same answers, or one sentence."""

from __future__ import annotations

from functools import wraps
from types import FunctionType
from typing import Any

import numpy as np
import pytest
import torch
from support.moded_calls import converter_calls, geometry_calls, registration_calls, rendering_calls
from support.registrations import CAMERA, lopsided, true_pose
from support.sameness import off
from torch import Tensor
from xraykit.render import Camera, InputError, Radiograph, Volume, converters, geometry, render, rendering
from xraykit.xvr import Shot, evaluate, refine, start, template

LONG = {"register", "register by adam", "judge", "simulate", "render_jacobian", "render", "voxelise"}
GROUPS = {
    "geometry": geometry_calls, "converters": converter_calls, "rendering": rendering_calls,
    "registration": registration_calls,
}  # fmt: skip
MODULES = (geometry, converters, rendering, refine, start, template, evaluate)


def given_arrays(function: FunctionType) -> Any:
    @wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        return function(*map(array_of, arguments), **{name: array_of(one) for name, one in named.items()})

    return called


def array_of(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    return type(value)(map(array_of, value)) if type(value) in (list, tuple) else value


@pytest.mark.parametrize("group", GROUPS)
def test_every_public_function_takes_arrays(group, monkeypatch):
    calls = {name: call for name, call in GROUPS[group]().items() if name not in LONG}
    wanted = {name: call() for name, call in calls.items()}
    for module in MODULES:
        for name in module.__all__:
            if isinstance(function := getattr(module, name), FunctionType):
                monkeypatch.setattr(module, name, given_arrays(function))
    answers = {}
    for name, call in calls.items():
        try:
            answers[name] = off(wanted[name], call())
        except (TypeError, AttributeError, RuntimeError, ValueError) as error:
            answers[name] = f"{type(error).__name__}: {error}"
    assert {name: answer for name, answer in answers.items() if answer} == {}


def test_volumes_shots_and_radiographs_are_made_of_arrays():
    volume, pose = lopsided(), true_pose(lopsided())
    labels = volume.labels.numpy()
    again = Volume(volume.mu.numpy(), volume.affine.numpy(), labels=labels, label_names=volume.label_names)
    assert torch.equal(again.mu, volume.mu) and torch.equal(again.labels, volume.labels)
    torch.testing.assert_close(render(again, CAMERA, pose.numpy()), render(volume, CAMERA, pose))
    hu = np.full((3, 4, 5), 40, dtype=np.int16)
    assert torch.equal(Volume.from_hu(hu, np.eye(4)).hu, torch.full((3, 4, 5), 40.0))
    pixels = np.random.default_rng(0).random((40, 48)).astype(np.float32)
    assert torch.equal(Shot(pixels, CAMERA, valid=pixels > 0.1).image, torch.from_numpy(pixels))
    assert Radiograph(pixels[None], "intensity").pixels.shape == (1, 40, 48)
    pair = Camera(sdd=np.float64(1000), height=4, width=4, pixel_spacing=np.array([1.0, 2.0]))
    assert pair.tensors(dtype=torch.float64, device="cpu")[1].tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3)[:, ::-1], np.arange(6.0).astype(">f8").reshape(2, 3), np.broadcast_to(2.0, (2, 3))],
    ids=["backwards", "big-endian", "read-only"],
)
def test_arrays_of_every_layout_become_tensors(array):
    assert geometry.tensor_of(array).tolist() == array.tolist()


def test_arrays_of_no_numbers_are_refused():
    with pytest.raises(InputError, match="an array must hold numbers, got object of shape"):
        geometry.rigid_inverse(np.array([[None] * 4] * 4))
