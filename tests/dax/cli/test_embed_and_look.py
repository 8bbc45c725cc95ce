"""`xraykit dax embed` and `look` do what the library does, say what was assumed, and end mistakes in a sentence."""

import numpy as np
import pytest
from support.dax_xrays import damage, write_backbone, write_xrays
from xraykit.dax.embedding import read_embeddings
from xraykit.render.cli.umbrella import run

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
pytest.importorskip("pyarrow", reason="needs the extra: pip install 'xraykit-dax[table]'")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(write_backbone(tmp_path_factory.mktemp("weights")))


@pytest.fixture
def xrays(tmp_path):
    return write_xrays(tmp_path / "xrays", 3)


def test_embed_writes_the_table_and_says_what_was_assumed(tmp_path, xrays, weights, capsys):
    out = tmp_path / "table.npz"
    assert run(["dax", "embed", str(xrays), "-o", str(out), "--weights", weights, "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "3/3 X-rays" in said and f"wrote {out}: 3 X-rays, 64 features each" in said
    assert "note: polarity log_attenuation is assumed" in said and "(all X-rays)" in said
    table = read_embeddings(out)
    assert table.features.shape == (3, 64) and np.isfinite(table.features).all()


def test_polarity_is_followed_and_then_nothing_is_assumed(tmp_path, xrays, weights, capsys):
    tables = []
    for polarity in ("intensity", "inverted_intensity"):
        out = tmp_path / f"{polarity}.npz"
        assert run(["dax", "embed", str(xrays), "-o", str(out), "--weights", weights, "--polarity", polarity]) == 0
        tables.append(read_embeddings(out).features)
    assert "assumed" not in capsys.readouterr().out
    assert np.abs(tables[0] - tables[1]).max() > 1e-3


def test_damaged_files_are_named(tmp_path, xrays, weights, capsys):
    damage(xrays / "xray01.png")
    command = ["dax", "embed", str(xrays), "-o", str(tmp_path / "t.npz"), "--weights", weights]
    assert run([*command, "--on-error", "stop"]) == 2
    assert "xray01.png" in capsys.readouterr().err
    assert run(command) == 3
    said = capsys.readouterr()
    assert "xraykit: warning: xrays/xray01.png was left out: " in said.err and "2 X-rays" in said.out
    assert run(["dax", "look", str(xrays), "-o", str(tmp_path / "seen"), "--weights", weights]) == 3
    assert "xray01.png was left out: " in capsys.readouterr().err


def test_look_writes_sheets_and_a_plane(tmp_path, xrays, weights, capsys):
    out = tmp_path / "pictures"
    assert run(["dax", "look", str(xrays), "-o", str(out), "--weights", weights, "--no-attention"]) == 0
    said = capsys.readouterr().out
    assert f"wrote 3 sheets and embedding.png in {out}" in said and "note: " in said
    assert len(list(out.iterdir())) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("embed", "none/", "-o", "t.npz"), "none does not exist"),
        (("embed", "empty", "-o", "t.npz"), "an X-ray (DICOM, PNG, TIFF, JPEG or a data set) must lie in empty"),
        (("embed", "xrays", "-o", "t.xlsx"), "must end in .parquet, .npz, .csv"),
        (("embed", "xrays", "-o", "t.npz", "--weights", "none/at/all/x"), "nothing is there"),
        (("embed", "-o", "t.npz"), "--sources requires an argument"),
        (("look", "xrays", "-o", "xrays/xray00.png"), "must be a folder that can be made"),
        (("look", "xrays", "-o", "out", "--batch", "0"), "--batch must be positive"),
        (("look", "xrays", "-o", "out", "--projection", "tsne"), "tsne"),
        (("embed", "xrays", "-o", "t.npz", "--frames", "0"), "frames must be"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(tmp_path, xrays, weights, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    given = () if "--weights" in words else ("--weights", weights)
    assert run(["dax", *words, *given]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "xrays"]
