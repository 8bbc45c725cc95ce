"""A device is taken by its name, or refused with the reason."""

import pytest
from xraykit.render import InputError
from xraykit.render.rendering import usable_device


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1"])
def test_a_device_of_this_machine_is_taken(two_gpus, name):
    assert usable_device(name) == name


def test_a_number_too_high_is_refused(two_gpus):
    with pytest.raises(InputError, match="--device cuda:2 must be one of 2 CUDA devices"):
        usable_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "mps", "meta"])
def test_another_name_is_refused(name):
    with pytest.raises(InputError, match="--device must be cpu, cuda or cuda:N"):
        usable_device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_refused(monkeypatch, name):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=f"--device {name} needs a .* that torch sees, got none"):
        usable_device(name)
