"""The text of every error is one bounded line of printable characters, whatever a file made it say."""

import pickle

import pytest
from xraykit.render import BackendUnavailableError, FileError, GeometryError, InputError, OutputError, XraykitError

KINDS = (XraykitError, InputError, GeometryError, FileError, OutputError, BackendUnavailableError)


@pytest.mark.parametrize("kind", KINDS)
def test_control_characters_are_spelled_out_on_one_line(kind):
    assert str(kind("a.nii says \x1b]0;t\x07x\ny\u2028z, é.")) == r"a.nii says \x1b]0;t\x07x y\u2028z, é."


@pytest.mark.parametrize("kind", KINDS)
def test_long_texts_keep_their_beginning_and_end(kind):
    text = str(kind("a.nii says " + "x" * 9000 + "; save it again."))
    assert text.startswith("a.nii says xxx") and text.endswith("xxx; save it again.") and len(text) < 4010


def test_errors_travel():
    error = pickle.loads(pickle.dumps(FileError("a\nb")))
    assert type(error) is FileError and str(error) == "a b"
