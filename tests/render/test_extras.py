"""A package that an extra brings is imported, or missed in a sentence."""

import sys

import pytest
from xraykit.render import InputError
from xraykit.render.extras import require


def test_an_installed_package_is_imported():
    assert require("json", extra="train").dumps([1]) == "[1]"


def test_a_missing_one_is_named_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning", None)
    with pytest.raises(InputError, match=r"needs lightning.*pip install 'xraykit-xvr\[train\]'"):
        require("lightning", extra="train", distribution="xraykit-xvr")
