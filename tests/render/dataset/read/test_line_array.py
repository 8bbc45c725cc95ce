"""Line integrals in shards: what a damaged .npy header does is one sentence."""

import numpy as np
import pytest
from support.damaged_arrays import whole_npy
from xraykit.render import FileError
from xraykit.render.dataset.format.line_array import decode_lines


@pytest.mark.parametrize("header", ["{'descr': ('<f4', \n", "{'a':\n  1,\n 2L", "(" * 40, "{'descr': '''<f4\n"])
def test_headers_of_line_integrals_that_end_too_soon_are_refused(header):
    text = header.encode()
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with pytest.raises(FileError, match=r"a\.npy must be a \.npy file"):
        decode_lines(content, "a.npy")


@pytest.mark.parametrize(
    "array", [np.zeros((2, 3), "<f8"), np.zeros(6, "<f4"), np.zeros((3, 2), "<f4").T, np.zeros((2, 3), ">f4")]
)
def test_other_arrays_than_line_integrals_are_refused(array):
    with pytest.raises(FileError, match=r"a\.npy must be one \(H, W\) array of float16 or float32"):
        decode_lines(whole_npy(array), "a.npy")


def test_line_integrals_come_back_as_they_were():
    array = np.arange(6, dtype="<f2").reshape(2, 3)
    np.testing.assert_array_equal(decode_lines(whole_npy(array), "a.npy").numpy(), array[None])
    with pytest.raises(FileError, match=r"a\.npy must be a \.npy file with the 12 bytes of values that it declares"):
        decode_lines(whole_npy(array)[:-1], "a.npy")
