"""A backend is asked for the method too, and none answers with the image of another method."""

from typing import get_args

import pytest
import torch
from support.scenes import random_scene
from xraykit.render import BackendUnavailableError, InputError, render
from xraykit.render.rendering import Backend, Method, march
from xraykit.render.rendering.backends import choose_backend
from xraykit.render.rendering.options import KERNELS

PLACE = {"device": torch.device("cpu"), "dtype": torch.float32, "voxels": 8}


def test_every_method_has_a_torch_projector():
    assert set(march.PROJECTORS) == set(get_args(Method))


def test_a_method_without_a_kernel_runs_on_torch_or_is_missed_by_name(monkeypatch):
    monkeypatch.setitem(KERNELS, "numba", ("siddon",))
    assert choose_backend("auto", **PLACE, method="joseph") == "torch"
    assert choose_backend("auto", **PLACE, method="siddon") in ("numba", "torch")
    with pytest.raises(BackendUnavailableError, match="numba has no kernel for method='joseph'"):
        choose_backend("numba", **PLACE, method="joseph")


def test_an_unknown_method_is_refused_with_every_backend():
    scene = random_scene()
    for backend in get_args(Backend):
        with pytest.raises(InputError, match="method must be one of"):
            render(scene.volume, scene.camera, scene.pose, method="distance_driven", backend=backend)
