"""Every combination of format, packing, number type and orientation reads as other programs read it."""

import pytest
from support.makers import maker
from support.reader_matrix import PACKED, PLAIN, SUFFIXES, counted, dicoms, volumes
from support.repo import ROOT
from xraykit.render.storage.dicom_unpack import Unpacker

PEERS = "needs the peers group: uv sync --group peers"


def check(cases, folder):
    """All are read right, and the page says how many."""
    page = (ROOT / "docs/reader_matrix.md").read_text(encoding="utf-8")
    for row, count in counted(cases, folder).items():
        assert count[False] == 0, row
        assert maker("make_reader_matrix").line(row, count) in page, "run `docs/makers/make_reader_matrix.py`"


@pytest.fixture(scope="module")
def one_child():
    """One process unpacks the frames of all files, where each would start its own."""
    unpacked = Unpacker.unpacked
    with Unpacker() as child, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unpacker, "unpacked", lambda _, path, frame: unpacked(child, path, frame))
        yield


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_volumes_of_every_type_packing_and_orientation(tmp_path, suffix):
    pytest.importorskip("nibabel", reason=PEERS)
    pytest.importorskip("nrrd", reason=PEERS)
    check(volumes(suffix), tmp_path)


@pytest.mark.parametrize("syntax", (*PLAIN, *PACKED), ids=lambda syntax: syntax.name)
@pytest.mark.usefixtures("one_child")
def test_dicom_of_every_syntax_depth_sign_and_number_of_frames(tmp_path, syntax):
    if "JPEG-LS" in syntax.name:
        pytest.importorskip("jpeg_ls", reason="needs the extra: pip install 'xraykit-render[export]'")
    check(dicoms(syntax), tmp_path)
