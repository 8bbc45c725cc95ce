"""HDF5 data sets whose structure is damaged or declares too much end in one sentence, before memory is taken."""

import numpy as np
import pytest
from xraykit.render import FileError, XraykitError

h5py = pytest.importorskip("h5py", reason="needs the extra: pip install 'xraykit-xvr[evaluate]'")
from xraykit.xvr.evaluate.datasets.deepfluoro_hdf5 import DeepFluoroHDF5  # noqa: E402

GRID = {"pixels": np.zeros((2, 2, 2), "i2"), "origin": np.zeros(3), "spacing": np.ones(3), "dir-mat": np.eye(3)}


def write(path, **arrays):
    """A subject of DeepFluoro's layout with eight voxels; arrays are put in its place, or left out where None."""
    members = {f"vol/{name}": value for name, value in GRID.items()} | {"vol-landmarks/a": np.zeros(3)} | arrays
    with h5py.File(path, "w") as file:
        file.create_group("s1/projections")
        file.create_group("s1/vol-landmarks")
        for name, value in members.items():
            if value is not None:
                file[f"s1/{name}"] = value
    return path


def test_the_layout_itself_is_read(tmp_path):
    assert DeepFluoroHDF5(write(tmp_path / "a.h5")).subject("s1").volume.hu.shape == (2, 2, 2)


def test_any_bit_of_the_signatures_is_refused_or_harmless(tmp_path):
    data = write(tmp_path / "a.h5").read_bytes()
    marks = [at for at in range(len(data)) if data[at : at + 4] in (b"TREE", b"SNOD", b"HEAP")]
    said = []
    for at in (place + more for place in marks for more in (3, 8, 24)):
        changed = bytearray(data)
        changed[at] ^= 1
        (tmp_path / "b.h5").write_bytes(changed)
        try:
            DeepFluoroHDF5(tmp_path / "b.h5").subject("s1")
        except XraykitError as error:
            said.append(str(error))
    assert len(said) >= len(marks)
    assert all(sentence.isprintable() and len(sentence) < 600 for sentence in said)


def test_more_voxels_than_their_bytes_can_hold_are_refused(tmp_path):
    with h5py.File(write(tmp_path / "a.h5", **{"vol/pixels": None}), "a") as file:
        file.create_dataset("s1/vol/pixels", (512, 512, 512), "i2", chunks=(1, 512, 512))
    with pytest.raises(FileError, match=r"pixels must be at most \d+ bytes, it declares 268435456 in 0 stored ones"):
        DeepFluoroHDF5(tmp_path / "a.h5").subject("s1")


def test_packed_voxels_are_read(tmp_path):
    with h5py.File(write(tmp_path / "a.h5", **{"vol/pixels": None}), "a") as file:
        voxels = np.arange(4000, dtype="i2").reshape(10, 20, 20)
        file.create_dataset("s1/vol/pixels", data=voxels, compression="gzip")
    np.testing.assert_array_equal(DeepFluoroHDF5(tmp_path / "a.h5").subject("s1").volume.hu, voxels)


def test_no_landmark_is_refused_in_words(tmp_path):
    path = write(tmp_path / "a.h5", **{"vol-landmarks/a": None})
    with pytest.raises(FileError, match="vol-landmarks must hold a landmark, got none"):
        DeepFluoroHDF5(path).subject("s1")


def test_a_label_named_by_no_number_has_no_name(tmp_path):
    labels = {f"vol-seg/image/{name}": value for name, value in GRID.items()}
    names = {f"vol-seg/labels-def/{key}": value for key, value in {"\u00b2": "x", "9" * 5000: "y", "1": "bone"}.items()}
    assert DeepFluoroHDF5(write(tmp_path / "a.h5", **labels, **names)).subject("s1").volume.label_names == {1: "bone"}
