"""Geometry, rendering and registration give the same numbers and types in every torch mode of the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

import pytest
import torch
from support.moded_calls import converter_calls, geometry_calls, registration_calls, rendering_calls
from support.sameness import off
from xraykit.render import Camera, Volume, carm_pose, converters, geometry, render
from xraykit.render.geometry import differentiating, full_precision

GROUPS = {
    "geometry": geometry_calls, "converters": converter_calls, "rendering": rendering_calls,
    "registration": registration_calls,
}  # fmt: skip


@contextmanager
def float64_by_default() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


MODES: dict[str, Any] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "float64 by default": float64_by_default,
}


@cache
def plain(group: str) -> dict[str, Any]:
    return {name: call() for name, call in GROUPS[group]().items()}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("mode", MODES)
def test_every_public_function_gives_the_same_numbers(mode, group):
    calls = GROUPS[group]()  # what goes in is made outside
    wanted = plain(group)
    assert {name: off(wanted[name], in_mode(MODES[mode](), call)) for name, call in calls.items()} == dict.fromkeys(
        calls, ""
    )


def test_every_function_of_geometry_and_converters_is_tried():
    for module, calls in ((geometry, geometry_calls()), (converters, converter_calls())):
        functions = {name for name in module.__all__ if name[0].islower()}
        assert functions - {"differentiating", "full_precision"} == set(calls)


def test_a_patient_made_in_inference_mode_is_registered_outside_of_it():
    with torch.inference_mode():
        made = registration_calls()
        answer = made["register"]()
    assert off(plain("registration")["register"], answer) == ""


def test_gradients_flow_through_a_step_in_autocast():
    camera = Camera(sdd=1000.0, height=8, width=8, pixel_spacing=2.0)
    patch = Volume(torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(0)), torch.eye(4))
    angles = [torch.tensor(20.0, requires_grad=True) for _ in range(2)]
    for angle, mode in zip(angles, (nullcontext, MODES["autocast"]), strict=True):
        with mode():
            pose = carm_pose(lao_rao=angle, sod=700.0, isocenter=patch.center)
            render(patch, camera, pose).square().sum().backward()
    assert float(angles[0].grad) != 0
    torch.testing.assert_close(angles[0].grad, angles[1].grad)


def test_the_modes_of_the_caller_are_back_after_an_error():
    @differentiating
    def fails() -> None:
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")
        raise ValueError("meant so")

    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(ValueError, match="meant so"):
            fails()
        assert torch.is_inference_mode_enabled()
        assert torch.is_autocast_enabled("cpu")
    assert full_precision(len).__name__ == "len"


def in_mode(mode: AbstractContextManager[Any], call: Any) -> Any:
    with mode:
        return call()
