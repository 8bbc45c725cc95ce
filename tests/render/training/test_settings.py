"""Settings that every training has."""

from pathlib import Path

import pytest
from cyclopts import App
from support.repo import modules_loaded_by
from support.toy_training import ToySettings
from xraykit.render import InputError
from xraykit.render.commands import flat
from xraykit.render.storage import leaves
from xraykit.render.training import RunSettings, completed_run

CHOSEN = {
    "resume": True, "device": "cpu", "devices": 2, "nodes": 3, "strategy": "ddp", "precision": "16-mixed",
    "compile": True, "workers": 8, "seed": 15, "steps": 11, "minutes": 2.5, "batch": 6, "accumulate": 3, "warmup": 4,
    "rate": 0.02, "clip": 0.03, "validate_every": 13, "save_every": 14, "noise": 0.7,
}  # fmt: skip


@pytest.mark.parametrize("name", CHOSEN)
def test_each_option_reaches_its_field_and_no_other(name):
    caught = []
    app = App(result_action="return_value")
    app.default(flat(caught.append, ToySettings))
    value = CHOSEN[name]
    app(["-o", "out", f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])])
    found = {}
    for leaf in leaves(ToySettings).values():
        holder = caught[0]
        for part in leaf.path:
            holder = getattr(holder, part)
        if holder != leaf.default:
            found[leaf.name] = holder
    assert found == {"output": Path("out"), name: value}


def test_no_option_is_left_out_of_that_test():
    assert set(CHOSEN) | {"output"} == set(leaves(ToySettings))


def test_settings_load_no_torch_so_that_help_is_quick():
    assert "torch" not in modules_loaded_by("from xraykit.render.training import LengthSettings, RunSettings")


@pytest.mark.parametrize(
    ("cuda", "bf16", "expected"),
    [(True, True, ("cuda", "bf16-mixed")), (True, False, ("cuda", "16-mixed")), (False, True, ("cpu", "bf16-mixed")),
     (False, False, ("cpu", "32-true"))],
)  # fmt: skip
def test_device_and_precision_are_the_machine_s(monkeypatch, cuda, bf16, expected):
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: bf16)
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": bf16})
    found = completed_run(RunSettings(output=Path("o")))
    assert (found.device, found.precision) == expected
    assert completed_run(RunSettings(output=Path("o"), precision="64-true")).precision == "64-true"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": "cuda"}, "--device cuda needs a GPU that torch sees"),
        ({"devices": 0}, "--devices must be positive"),
        ({"workers": -1}, "--workers must be 0 or more"),
        ({"seed": -1}, "--seed must be 0 or more"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(monkeypatch, changes, message):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=message):
        completed_run(RunSettings(output=Path("o"), **changes))
