"""Which files of a folder are X-rays, by name or content, and in which order."""

import os

import numpy as np
import pytest
from support.xray_dicom import write_xray, xray_dataset
from xraykit.render import FileError
from xraykit.render.radiographs import may_be_xray, xrays_in_folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep/results").mkdir(parents=True)
    (tmp_path / ".thumbs").mkdir()
    for name in ("IM10.PNG", "IM9.tif", "deep/results/IM1.jpg", ".thumbs/IM1.png", ".IM2.png", "DICOMDIR", "notes.txt"):
        (tmp_path / name).write_bytes(b"any")
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n")
    bytes_of = write_xray(tmp_path / "deep/IM3", xray_dataset(np.ones((8, 8), np.uint16))).read_bytes()
    (tmp_path / "deep/IM20").write_bytes(bytes_of[132:])  # no preamble, no mark
    for name, depth in (("flat", 1), ("volume", 3)):
        head = f"NDims = 3\nDimSize = 4 4 {depth}\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n".encode()
        (tmp_path / f"{name}.mha").write_bytes(head + bytes(16 * depth))
    return tmp_path


def test_numbers_in_names_are_counted_and_content_decides_where_the_name_does_not(folder):
    found = [path.relative_to(folder).as_posix() for path in xrays_in_folder(folder, without=folder / "deep/results")]
    assert found == ["IM9.tif", "IM10.PNG", "deep/IM3", "deep/IM20", "flat.mha", "picture"]
    assert len(xrays_in_folder(str(folder))) == 7


def test_a_folder_of_nothing_but_hidden_files_and_texts_is_refused(folder):
    for path in (folder / ".thumbs").iterdir():
        path.rename(folder / ".thumbs" / ".IM1.png")
    with pytest.raises(FileError, match="must hold X-rays"):
        xrays_in_folder(folder / ".thumbs")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_opened_is_left_for_the_reader_to_refuse(tmp_path):
    (tmp_path / "IM1").write_bytes(b"any")
    (tmp_path / "IM1").chmod(0)
    assert may_be_xray(tmp_path / "IM1")
