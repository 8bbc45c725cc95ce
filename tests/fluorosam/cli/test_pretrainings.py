"""The commands of the pre-trainings train, say what they did, and refuse in one sentence."""

import pytest
from support.fluorosam_encoders import tiny_start
from support.fluorosam_jobs import write_segmentation_job
from xraykit.fluorosam import load_network
from xraykit.render.cli.umbrella import run

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-fluorosam[train]'")
QUICK = ("--steps", "2", "--warmup", "0", "--device", "cpu", "--precision", "32-true", "--workers", "0")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return tiny_start(tmp_path_factory.mktemp("start"))


def test_pretrain_text_then_pretrain_leaves_one_network_that_both_taught(start, tmp_path, capsys):
    corpus = ("--short", "3", "--long", "2", "--view-texts", "0", "--held-out", "1", "--batch", "16")
    run(["fluorosam", "pretrain-text", "-o", str(tmp_path / "words"), "--start", start, *corpus, *QUICK])
    said = capsys.readouterr().out
    assert "2 batches in" in said and "held-out texts that find their target" in said
    job = write_segmentation_job(tmp_path / "job")
    words = str(tmp_path / "words" / "weights")
    run(["fluorosam", "pretrain", str(job), "-o", str(tmp_path / "encoder"), "--start", words, "--batch", "2", *QUICK])
    assert "Dice of held-out patients" in capsys.readouterr().out
    network = load_network(tmp_path / "encoder" / "weights")
    assert {"text", "encoder"} <= network.trained_on.keys()


def test_folder_with_a_training_is_not_overwritten(start, tmp_path, capsys):
    (tmp_path / "last.ckpt").write_bytes(b"")
    status = run(["fluorosam", "pretrain-text", "-o", str(tmp_path), "--start", start, *QUICK])
    assert status == 2
    assert "already holds a training" in capsys.readouterr().err


def test_a_folder_is_refused_before_texts_are_made_for_it(start, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("xraykit.fluorosam.train.words_training.text_corpus", lambda *_, **__: pytest.fail("too early"))
    (tmp_path / "last.ckpt").write_bytes(b"")
    for more, expected in (((), "already holds a training"), (("--resume",), "--resume needs last.ckpt")):
        folder = tmp_path if not more else tmp_path / "none"
        assert run(["fluorosam", "pretrain-text", "-o", str(folder), "--start", start, *QUICK, *more]) == 2
        assert expected in capsys.readouterr().err
