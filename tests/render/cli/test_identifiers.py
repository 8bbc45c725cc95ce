"""Nothing that a command writes holds a text, a date or an identifier of what it read."""

import json

import numpy as np
import pytest
from support.dataset_jobs import in_this_process
from support.dicom import write_dicom, write_series
from support.soiled import ROOT, soil, traces
from support.waiting import until
from support.xray_dicom import GEOMETRY, xray_dataset
from xraykit.render import Volume
from xraykit.render.cli.umbrella import run
from xraykit.render.viewer import start_viewer
from xraykit.render.viewer.state import ViewerState

PLAN = """
patients: {ct: {folder: cts, volumes: "p*"}}
views: {per_patient: 1, random: 1.0}
physics: {samples: 20}
image: {size: [16, 16]}
"""


@pytest.fixture
def cts(tmp_path):
    """Folders of CTs: one whole, one of two series, one without a slice, one whose rescale is no number."""
    block = np.full((5, 10, 12), 24, np.int16)
    block[1:4, 3:7, 3:9] = 1124

    def several(number, dataset):
        soil(dataset, series=1 + (number == 0))

    def unscaled(number, dataset):
        soil(dataset).RescaleSlope = 0 if number else 1

    edits = {"p1": lambda _, dataset: soil(dataset), "p2": several, "p3": lambda _, dataset: soil(dataset)}
    for name, edit in {**edits, "p4": unscaled}.items():
        write_series(tmp_path / "cts" / name, block, edit=edit)
    next((tmp_path / "cts/p3").glob("017*")).unlink()
    return tmp_path / "cts"


def test_traces_are_found(cts):
    assert len(traces(cts)) == 19


def test_a_data_set_and_its_report(cts, tmp_path, capsys):
    pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-render[dataset]'")
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    out = tmp_path / "out"
    with in_this_process():
        assert run(["dataset", "make", str(tmp_path / "plan.yaml"), "-o", str(out / "set")]) == 3
    shards = json.loads((out / "set/manifest.json").read_text())["shards"]
    assert sum(len(shard["skipped"]) for shard in shards) >= 2
    assert run(["dataset", "check", str(out / "set")]) == 0
    assert run(["dataset", "report", str(out / "set"), "-o", str(out / "report.html")]) == 0
    assert traces(out) == []


@pytest.mark.parametrize("name", ["a.npy", "a.png", "a.tiff", "a.dcm"])
def test_an_image_of_a_ct(cts, tmp_path, name):
    options = ["--size", "16", "16", "--samples", "20"]
    (tmp_path / "out").mkdir()
    assert run(["render", "drr", str(cts / "p1"), "-o", str(tmp_path / "out" / name), *options]) == 0
    assert traces(tmp_path / "out") == []


def test_a_series_that_was_chosen_by_its_uid_is_kept_as_a_digest_that_chooses_it_again(cts, tmp_path):
    options = ["--size", "16", "16", "--samples", "20"]
    out = [tmp_path / name / "a.npy" for name in ("first", "again")]
    for path in out:
        path.parent.mkdir()
    chosen = ["render", "drr", str(cts / "p2"), "--series", f"{ROOT}.99.1", *options]
    assert run([*chosen, "-o", str(out[0])]) == 0
    (settings,) = out[0].parent.glob("*settings.json")
    assert traces(out[0].parent) == [] and "sha256:" in settings.read_text(encoding="utf-8")
    assert run(["render", "drr", "--config", str(settings), "-o", str(out[1])]) == 0
    assert np.array_equal(np.load(out[0]), np.load(out[1]))


def test_a_scene_keeps_the_series_of_a_body_as_a_digest_too(cts, tmp_path):
    body = f"{{file: {json.dumps(str(cts / 'p2'))}, series: {ROOT}.99.1}}"
    (tmp_path / "scene.yaml").write_text(f"bodies: [{body}]\ncamera: {{size: [16, 16]}}\n", encoding="utf-8")
    assert run(["render", "simulate", str(tmp_path / "scene.yaml"), "-o", str(tmp_path / "out")]) == 0
    assert traces(tmp_path / "out") == []
    assert run(["render", "simulate", str(tmp_path / "out/scene.yaml"), "-o", str(tmp_path / "again")]) == 0


def test_a_scene_of_a_ct(cts, tmp_path):
    scene = f"bodies: [{{file: {json.dumps(str(cts / 'p1'))}}}]\ncamera: {{size: [16, 16]}}\n"
    (tmp_path / "scene.yaml").write_text(scene, encoding="utf-8")
    assert run(["render", "simulate", str(tmp_path / "scene.yaml"), "-o", str(tmp_path / "out")]) == 0
    assert traces(tmp_path / "out") == []


def test_the_live_page_of_a_ct(cts, tmp_path):
    pytest.importorskip("viser", reason="needs the extra: pip install 'xraykit-render[view]'")
    options = {"start": ViewerState(field=40.0, size=16), "samples": 20, "backend": "torch"}
    (tmp_path / "out").mkdir()
    with start_viewer(Volume.from_file(cts / "p1"), port=0, folder=tmp_path / "out", **options) as viewer:
        until(lambda: viewer.latest)  # the first picture is there
        assert len(viewer.save()) == 2
    assert traces(tmp_path / "out") == []


def test_a_picture_of_an_xray(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-render[plot]'")
    dataset = soil(xray_dataset(np.arange(64, dtype=np.uint16).reshape(8, 8), **GEOMETRY))
    write_dicom(tmp_path / "x.dcm", dataset)
    (tmp_path / "out").mkdir()
    assert run(["render", "info", str(tmp_path / "x.dcm"), "--picture", str(tmp_path / "out/x.png")]) == 0
    assert traces(tmp_path / "out") == []
