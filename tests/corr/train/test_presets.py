"""Every preset is legal, makes a network, and the laptop's are the defaults."""

from pathlib import Path

import pytest
from xraykit.corr.matching import check, matcher_config
from xraykit.corr.train.presets import PRESETS
from xraykit.corr.train.settings import MatcherSettings
from xraykit.render.storage import from_plain, read_table


def preset(name):
    return from_plain(MatcherSettings, {**read_table(PRESETS[name]), "run": {"output": "out"}})


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_preset_is_legal_and_has_sixteen_by_sixteen_patches(name):
    settings = preset(name)
    check(settings)
    assert matcher_config(settings).grid == 16


def test_laptop_says_the_defaults():
    default = MatcherSettings(run=preset("laptop").run)
    assert preset("laptop") == default
    assert default.run.output == Path("out")
