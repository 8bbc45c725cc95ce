"""Reading that takes long says how far it is, on standard error and by every command; quick reading says nothing."""

import threading

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian, RLELossless
from support.dicom import write_series
from support.nifti import write_nifti
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.render import Volume, read_radiograph
from xraykit.render.cli.umbrella import run
from xraykit.render.commands.slow_reading import slow_reading_said
from xraykit.render.storage.reading_progress import listening, told


@pytest.fixture
def series(tmp_path):
    return write_series(tmp_path / "ct", np.arange(8 * 20, dtype=np.int16).reshape(8, 4, 5))


def test_a_listener_hears_of_headers_files_and_frames(series, tmp_path):
    heard = []
    with listening(lambda *said: heard.append(said)):
        Volume.from_file(series)
    assert [said for said in heard if said[0] == "headers"] == [("headers", n, 8) for n in range(1, 9)]
    assert [said for said in heard if said[0] != "headers"] == [("files of the series", n, 8) for n in range(1, 9)]
    heard.clear()
    cine = xray_dataset(np.zeros((3, 4, 5), np.uint16), **GEOMETRY)
    cine.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    cine.compress(RLELossless, generate_instance_uid=False)
    path = write_xray(tmp_path / "cine.dcm", cine, syntax=RLELossless)
    with listening(lambda *said: heard.append(said)):
        read_radiograph(path)
    assert heard == [("frames", n, 3) for n in range(1, 4)]
    Volume.from_file(series)
    assert len(heard) == 3  # nobody listens any more


@pytest.mark.parametrize("name", ["ct.nii.gz", "ct.nii"])
def test_a_listener_hears_of_the_pieces_of_one_large_file(name, tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.render.storage.raw_voxels._CHUNK", 64)
    voxels, heard = np.arange(4 * 5 * 7, dtype=np.int16).reshape(4, 5, 7), []
    path = write_nifti(tmp_path / name, voxels)
    with listening(lambda *said: heard.append(said[1:])):
        volume = Volume.from_file(path)
    assert heard == [(n, 5) for n in range(1, 6)]  # 280 bytes
    assert np.array_equal(volume.hu.numpy(), voxels)


def said_by(capsys, seconds_each, count=8):
    ticks = iter(range(100))
    with slow_reading_said(lambda: seconds_each * next(ticks)):
        assert list(told(range(count), "headers")) == list(range(count))
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_two_seconds_pass_without_a_word_and_then_one_comes_every_five(capsys):
    assert said_by(capsys, 0.2) == []
    assert said_by(capsys, 1.0) == ["reading: 3 of 8 headers"]
    assert said_by(capsys, 3.0) == [f"reading: {n} of 8 headers" for n in (2, 4, 6)]


def test_threads_of_their_own_are_not_heard(capsys):
    with slow_reading_said(iter(range(0, 1000, 10)).__next__):
        thread = threading.Thread(target=lambda: list(told(range(4), "headers")))
        thread.start()
        thread.join()
    assert capsys.readouterr().err == ""


def test_every_command_says_it_beside_its_output(series, capsys, monkeypatch):
    monkeypatch.setattr("xraykit.render.commands.slow_reading.PATIENCE", 0.0)
    assert run(["render", "info", str(series), "--json"]) == 0
    out, err = capsys.readouterr()
    assert "reading: 1 of 8 headers" in err.splitlines() and "reading" not in out
