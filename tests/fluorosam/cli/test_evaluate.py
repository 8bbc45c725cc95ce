"""`xraykit fluorosam evaluate` and `fluoroseg`: folders of results, or one sentence and nothing."""

import json

import pytest
from support.dataset_shards import disc, write_dataset
from support.fluorosam_networks import TINY
from xraykit.fluorosam import new_network, save_network
from xraykit.render.cli.umbrella import run

SIZE = 32
MASKS = {"hip_left": disc(SIZE, 23, 16, 6), "hip_right": disc(SIZE, 9, 16, 6)}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job") / "images"
    return write_dataset(folder, {"train": [2], "test": [2]}, views=1, size=SIZE, masks=MASKS)


def test_a_job_is_evaluated_with_weights_and_baselines(job, tmp_path, capsys):
    save_network(new_network(TINY), tmp_path / "weights")
    words = ["fluorosam", "evaluate", str(job), "-o", str(tmp_path / "out"), "--weights", str(tmp_path / "weights")]
    assert run([*words, "--points", "2", "--per-image", "2", "--absent", "1"]) == 0
    said = capsys.readouterr().out
    assert "| fluorosam | text |" in said and "| mean mask | text |" in said and "wrote rows.csv" in said
    numbers = json.loads((tmp_path / "out/report.json").read_text())
    assert set(numbers["all"]) == {"fluorosam", "mean mask", "box fill"}


def test_missing_weights_and_data_end_with_a_sentence_and_nothing_written(job, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["fluorosam", "evaluate", str(job), "-o", str(out), "--weights", str(tmp_path / "none")]) == 2
    assert run(["fluorosam", "evaluate", str(tmp_path / "nowhere"), "-o", str(out)]) == 2
    assert run(["fluorosam", "evaluate", str(job), "-o", str(out), "--targets", "femurr"]) == 2
    assert "got 'femurr'; the nearest are femur" in capsys.readouterr().err
    assert not out.exists()


def test_a_job_is_exported_as_fluoroseg_and_checked(job, tmp_path, capsys):
    pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-fluorosam[evaluate]'")
    assert run(["fluorosam", "fluoroseg", "export", str(job), "-o", str(tmp_path / "out")]) == 0
    assert "4 X-rays of 4 patients with 8 masks" in capsys.readouterr().out
    assert run(["fluorosam", "fluoroseg", "check", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "4 X-rays of 4 cases with 8 masks, all readable" in said and "ribs: none whose side can be told" in said
    assert run(["fluorosam", "fluoroseg", "export", str(job), "-o", str(tmp_path / "out")]) == 2
    assert "must be new or empty" in capsys.readouterr().err
