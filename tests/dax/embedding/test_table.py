"""Tables of features: what is written comes back, and files of others are refused."""

import csv
import json

import numpy as np
import pytest
from support.damaged_arrays import write_damaged_npz
from xraykit.dax.embedding import Embeddings, read_embeddings, write_embeddings
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.errors import BackendUnavailableError
from xraykit.render.storage import open_npz

pytest.importorskip("pyarrow", reason="needs the extra: pip install 'xraykit-dax[table]'")

SUFFIXES = (".parquet", ".npz", ".csv")
RECORD = {"backbone": "ab12", "notes": {"polarity is assumed": [0, 2]}, "skipped": [["x.dcm", "damaged."]]}


def table(n: int = 3, d: int = 5) -> Embeddings:
    features = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    features.flat[0], features.flat[1] = np.float32(1e-30), np.float32(1 / 3)
    names = ("a/b.dcm#1", 'komma, "quote".png', "ü.dcm", *(f"{k}" for k in range(3, n)))[:n]
    return Embeddings(names, features, {"region": ("knee", "", "hip", *("" for _ in range(3, n)))[:n]}, RECORD)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_bit_comes_back(tmp_path, suffix):
    written = table()
    read = read_embeddings(write_embeddings(tmp_path / f"t{suffix}", written))
    assert read.names == written.names and read.labels == written.labels and read.record == written.record
    assert read.features.dtype == np.float32 and np.array_equal(read.features, written.features)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_without_labels_comes_back(tmp_path, suffix):
    written = Embeddings(("one",), np.ones((1, 2), dtype=np.float32))
    read = read_embeddings(write_embeddings(tmp_path / f"t{suffix}", written))
    assert read.names == ("one",) and read.labels == {} and read.features.shape == (1, 2)


def test_the_columns_of_parquet_are_name_labels_and_features(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra: pip install 'xraykit-dax[table]'")
    content = parquet.read_table(write_embeddings(tmp_path / "t.parquet", table()))
    assert content.column_names == ["name", "label_region", "f0", "f1", "f2", "f3", "f4"]
    assert str(content.schema.field("f0").type) == "float"
    assert json.loads(content.schema.metadata[b"xraykit"])["backbone"] == "ab12"


def test_csv_is_read_by_the_standard_reader(tmp_path):
    path = write_embeddings(tmp_path / "t.csv", table())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["name"] == 'komma, "quote".png' and rows[0]["label_region"] == "knee"
    assert np.float32(rows[0]["f1"]) == np.float32(1 / 3)
    assert json.loads((tmp_path / "t.csv.json").read_text())["notes"] == RECORD["notes"]


def test_npz_needs_no_pickle(tmp_path):
    path = write_embeddings(tmp_path / "t.npz", table())
    with np.load(path, allow_pickle=False) as arrays:
        assert sorted(arrays.files) == ["features", "label_region", "names", "xraykit"]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.parquet, \.npz, \.csv"):
        write_embeddings(tmp_path / "t.txt", table())


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="N names and N labels"):
        Embeddings(("a",), np.ones((2, 3), dtype=np.float32))
    with pytest.raises(InputError, match="N names and N labels"):
        Embeddings(("a", "b"), np.ones((2, 3), dtype=np.float32), {"region": ("knee",)})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_folder_is_one_sentence_and_nothing_is_left(tmp_path, suffix):
    with pytest.raises(OutputError, match="existing folder"):
        write_embeddings(tmp_path / "none" / f"t{suffix}", table())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_of_others_are_refused(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    with pytest.raises(FileError, match="no such file"):
        read_embeddings(path)
    path.write_bytes(b"name,x\na,b\n")
    (tmp_path / "t.csv.json").write_text("{}")
    with pytest.raises(FileError, match="must hold a table of features"):
        read_embeddings(path)


def test_a_damaged_header_of_an_array_is_refused(tmp_path):
    path = write_embeddings(tmp_path / "t.npz", table())
    with open_npz(path, what="a table", remedy="-") as arrays:
        names = list(arrays)
    for damaged in names:
        write_damaged_npz(path, damaged, *(set(names) - {damaged}))
        with pytest.raises(FileError, match=r"t\.npz must hold a table of features"):
            read_embeddings(path)


def test_a_csv_without_its_record_is_refused(tmp_path):
    path = write_embeddings(tmp_path / "t.csv", table())
    (tmp_path / "t.csv.json").unlink()
    with pytest.raises(FileError, match="record of a table of features was expected"):
        read_embeddings(path)


def test_a_csv_with_a_missing_number_is_refused(tmp_path):
    path = write_embeddings(tmp_path / "t.csv", table())
    path.write_text(path.read_text(encoding="utf-8").rpartition(",")[0] + "\n", encoding="utf-8")
    with pytest.raises(FileError, match="must hold a table of features"):
        read_embeddings(path)


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(BackendUnavailableError, match=r"needs pyarrow.*xraykit-dax\[table\]"):
        write_embeddings(tmp_path / "t.parquet", table())
