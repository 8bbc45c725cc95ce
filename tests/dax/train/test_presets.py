"""Presets are settings: each reads, is complete, and the first one is what the classes say."""

from pathlib import Path

import pytest
from xraykit.dax.train.presets import PRESETS
from xraykit.dax.train.settings import PretrainSettings
from xraykit.render.storage import from_plain, read_table, to_plain


def settings_of(name):
    table = read_table(PRESETS[name])
    return from_plain(PretrainSettings, {**table, "run": {"output": "out", **table.get("run", {})}})


def test_names_of_the_presets():
    assert list(PRESETS) == ["laptop", "paper", "paper-resnet50-b", "small"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_settings_whose_crops_fit_its_frames(name):
    settings = settings_of(name)
    assert settings.data.longest >= settings.crops.global_size
    assert settings.run.output == Path("out")


def test_laptop_is_what_the_classes_default_to():
    given, defaults = (
        to_plain(settings_of("laptop")),
        to_plain(from_plain(PretrainSettings, {"run": {"output": "out"}})),
    )
    assert given == defaults


def test_published_command_of_resnet50_b():
    settings = settings_of("paper-resnet50-b")
    assert settings.optimizer.optimizer == "lars"
    assert settings.head.outputs == 60_000
    assert settings.length.rate * settings.length.batch * settings.run.devices / 256 == pytest.approx(0.6)
