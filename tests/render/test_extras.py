import sys

import pytest
from xraykit.render import BackendUnavailableError
from xraykit.render.extras import require


def test_installed_module_is_given() -> None:
    assert require("importlib.metadata", extra="plot") is sys.modules["importlib.metadata"]


def test_missing_module_is_missed_in_a_sentence_with_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    sentence = r"^a figure needs matplotlib, which is not installed; run: pip install 'xraykit-xvr\[evaluate\]'\.$"
    with pytest.raises(BackendUnavailableError, match=sentence):
        require("matplotlib.figure", extra="evaluate", distribution="xraykit-xvr", what="a figure")
