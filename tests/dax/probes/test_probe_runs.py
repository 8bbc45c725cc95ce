"""The three probes from settings to a folder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.dax_probes import ToyBackbone, two_regions
from support.few_draws import few_draws
from support.held import held_elsewhere
from xraykit.dax.probes import (
    MetalProbeSettings,
    ProbeInputs,
    RegionProbeSettings,
    ScrewProbeSettings,
    comparison,
    probe_metal,
    probe_regions,
    probe_screws,
    screw_probe,
)
from xraykit.dax.probes.metal import HeadTraining
from xraykit.dax.probes.probe_backbones import short_names
from xraykit.dax.probes.region import RegionRow
from xraykit.dax.probes.screw_probe import ScrewRow
from xraykit.dax.probes.screws import ScrewDetections
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.evaluation import read_rows

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")

INPUTS = ProbeInputs(device="cpu")
drawing = few_draws(comparison, screw_probe)


def load(source: str) -> ToyBackbone:
    backbone = ToyBackbone()
    if source == "dark":
        with torch.no_grad():
            backbone.weight.mul_(1e-3)
    return backbone


def check_folder(folder: Path, written: tuple[Path, ...]) -> str:
    assert {path.name for path in written} == {"report.html", "report.md", "report.json", "rows.csv"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and 'src="http' not in page and "data:image/png;base64," in page
    numbers = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert numbers["settings"]["backbones"] == ["toy", "dark"]
    return (folder / "report.md").read_text(encoding="utf-8")


def test_the_region_probe_compares_backbones_and_keeps_features(tmp_path):
    data, out = two_regions(tmp_path / "job"), tmp_path / "out"
    settings = RegionProbeSettings(data, ("toy", "dark"), out, folds=3, inputs=INPUTS)
    told = []
    report, written = probe_regions(
        settings, load=load, report=lambda what, done, total: told.append((what, done, total))
    )
    text = check_folder(out, written)
    assert "18 images of 6 patients, 2 regions, 3 folds" in text and "| toy, linear |" in text
    assert report.numbers["accuracy"][0]["score"] == 1.0
    assert len(read_rows(out / "rows.csv", RegionRow)) == 18 * 2 * 3
    assert told[0][0] == "features of toy" and told[-1] == ("classifiers on dark", 9, 9)
    assert len(list((out / "features").iterdir())) == 2


@pytest.mark.parametrize(
    ("probe", "settings"),
    [
        (probe_regions, RegionProbeSettings),
        (probe_metal, MetalProbeSettings),
        (probe_screws, ScrewProbeSettings),
    ],
)
def test_a_second_probe_in_one_folder_is_refused_before_any_backbone_is_read(tmp_path, probe, settings):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    asked = settings(tmp_path / "job", ("toy",), tmp_path / "out", inputs=INPUTS)
    with held_elsewhere(tmp_path / "out"):
        with pytest.raises(OutputError, match="out must be free, got another job that writes there"):
            probe(asked, load=lambda _: pytest.fail("a backbone was read"))
        assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_the_metal_probe_shows_found_masks(tmp_path):
    data, out = two_regions(tmp_path / "job"), tmp_path / "out"
    training = HeadTraining(steps=40, rate=0.2)
    settings = MetalProbeSettings(data, ("toy", "dark"), out, folds=3, inputs=INPUTS, training=training, shown=3)
    report, written = probe_metal(settings, load=load)
    assert "18 images of 6 patients, 0 of them without metal" in check_folder(out, written)
    assert report.numbers["dice"][0]["score"] > 0.6
    assert len(report.pictures) == 3


def test_the_screw_probe_judges_held_out_folds(tmp_path, monkeypatch):
    """A stand-in detector finds for one backbone what is there, and for the other nothing near it."""
    learned = []

    def train(maps, truth, settings, *, chosen, seed, report, device):
        learned.append(len(chosen))
        report(settings.training.steps, {})
        return float(abs(maps[0]).max()) > 0.1

    def detect(detector, maps, *, chosen):
        points = torch.tensor([[[2.0, 3.0], [12.0, 9.0]], [[9.0, 9.0], [1.0, 1.0]]]) + (0.0 if detector else 7.0)
        return [ScrewDetections(points, torch.tensor([0.9, 0.2])) for _ in chosen]

    monkeypatch.setattr(screw_probe, "train_detector", train)
    monkeypatch.setattr(screw_probe, "detect", detect)
    data, out = two_regions(tmp_path / "job"), tmp_path / "out"
    settings = ScrewProbeSettings(data, ("toy", "dark"), out, folds=3, held_out=2, inputs=INPUTS, shown=2)
    report, written = probe_screws(settings, load=load)
    text = check_folder(out, written)
    assert "12 screws in 12 held-out images of 4 patients" in text
    assert learned == [12] * 4
    rows = read_rows(out / "rows.csv", ScrewRow)
    assert len(rows) == 24 and rows[0].truth == (2.0, 3.0, 12.0, 9.0, 3.0) and len(rows[0].found) == 10
    good, poor = report.numbers["ap"]
    assert good["score"] == pytest.approx(1.0) and poor["score"] < good["score"]
    assert report.numbers["differences"][0]["difference"] == pytest.approx(good["score"] - poor["score"])
    for one in (good, poor):
        assert one["score"] == pytest.approx(report.numbers["scores"][one["name"]]["ap"])


def test_more_folds_held_out_than_there_are_is_refused(tmp_path):
    data = two_regions(tmp_path / "job")
    settings = ScrewProbeSettings(data, ("toy",), tmp_path / "out", folds=3, held_out=4, inputs=INPUTS)
    with pytest.raises(InputError, match="held_out must be 1 to 3 folds, got 4"):
        probe_screws(settings, load=load)


def test_a_store_without_keypoints_is_refused(tmp_path):
    from dataclasses import replace

    from support.dax_probes import toy_store
    from xraykit.dax.probes.screws import ScrewSettings

    store = replace(toy_store(tmp_path), keypoints=None)
    with pytest.raises(InputError, match="must hold maps and keypoints, got none"):
        screw_probe.screw_rows(store, np.arange(24) % 8, backbone="toy", settings=ScrewSettings())


def test_a_table_is_no_data_for_the_screw_probe(tmp_path):
    settings = ScrewProbeSettings(tmp_path / "a.csv", ("toy",), tmp_path / "out", inputs=INPUTS)
    with pytest.raises(InputError, match="needs the folder of a data set"):
        probe_screws(settings, load=load)


def test_fewer_patients_than_folds_are_refused(tmp_path):
    settings = RegionProbeSettings(two_regions(tmp_path / "job"), ("toy",), tmp_path / "out", folds=7, inputs=INPUTS)
    with pytest.raises(InputError, match="got 7 folds and 6 patients"):
        probe_regions(settings, load=load)


def test_no_data_is_refused(tmp_path):
    with pytest.raises(FileError, match="manifest"):
        probe_regions(RegionProbeSettings(tmp_path, ("toy",), tmp_path / "out", inputs=INPUTS), load=load)


def test_names_are_the_last_parts_where_these_differ():
    assert short_names(["runs/a/weights", "shipped"]) == ["a", "shipped"]
    assert short_names(["runs/a/weights", "runs/b/weights", "weights"]) == ["a", "b", "weights"]
    assert short_names(["runs/a/weights", "more/a/weights"]) == ["runs/a/weights", "more/a/weights"]
    with pytest.raises(InputError, match="each once, got a, a"):
        short_names(["a", "a"])
    with pytest.raises(InputError, match="got none"):
        short_names([])


def test_settings_are_flat_options_without_torch():
    import subprocess
    import sys

    code = (
        "import sys, xraykit.dax.probes.settings as s\n"
        "from xraykit.render.storage import leaves\n"
        "[leaves(c) for c in (s.RegionProbeSettings, s.MetalProbeSettings, s.ScrewProbeSettings)]\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class LargerToy(ToyBackbone):
    def __init__(self) -> None:
        super().__init__()
        self.config.preprocess = replace(self.config.preprocess, size=64)


def test_maps_of_inputs_of_several_sizes_are_not_compared(tmp_path):
    settings = MetalProbeSettings(two_regions(tmp_path / "job"), ("toy", "large"), tmp_path / "out", inputs=INPUTS)
    with pytest.raises(InputError, match=r"on images of one size, got inputs of \d+, 64 px; say --size"):
        probe_metal(settings, load=lambda source: LargerToy() if source == "large" else ToyBackbone())
    assert not (tmp_path / "out").exists()


def test_folds_that_cannot_be_made_are_refused_before_anything_is_written(tmp_path):
    settings = RegionProbeSettings(two_regions(tmp_path / "job"), ("toy",), tmp_path / "out", folds=50, inputs=INPUTS)
    with pytest.raises(InputError, match="folds"):
        probe_regions(settings, load=load)
    assert not (tmp_path / "out").exists()
