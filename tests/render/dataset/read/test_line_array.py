"""Line integrals in shards: what a damaged .npy header does is one sentence."""

import pytest
from xraykit.render import FileError
from xraykit.render.dataset.format.line_array import decode_lines


@pytest.mark.parametrize("header", ["{'descr': ('<f4', \n", "{'a':\n  1,\n 2L", "(" * 40, "{'descr': '''<f4\n"])
def test_headers_of_line_integrals_that_end_too_soon_are_refused(header):
    text = header.encode()
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with pytest.raises(FileError, match=r"a\.npy must be a \.npy file"):
        decode_lines(content, "a.npy")
