"""Nothing that embedding, probes and pre-training write holds a text, a date or an identifier of the X-rays."""

import numpy as np
import pytest
from support.dax_xrays import write_backbone, xray_picture
from support.dicom import write_dicom
from support.later import installed
from support.soiled import soil, traces
from support.xray_dicom import GEOMETRY, xray_dataset
from xraykit.render.cli.umbrella import run


@pytest.fixture
def xrays(tmp_path):
    """Eight DICOM files of four patients with somebody's name in every text, and a list of them."""
    (tmp_path / "xrays").mkdir()
    rows = ["path,patient,label,region"]
    for n in range(8):
        pixels = xray_picture(40, 40, seed=n).astype(np.uint16)
        write_dicom(tmp_path / f"xrays/{n}.dcm", soil(xray_dataset(pixels, **GEOMETRY), series=n))
        rows.append(f"{n}.dcm,{n // 2},{('knee', 'hip')[n // 2 % 2]},knee")
    (tmp_path / "xrays/list.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert len(traces(tmp_path / "xrays")) == 8
    return tmp_path / "xrays"


def test_a_table_of_features(xrays, tmp_path):
    weights = write_backbone(tmp_path / "weights")
    (tmp_path / "out").mkdir()
    for name in ("table.npz", "table.csv"):
        command = ["dax", "embed", str(xrays), "-o", str(tmp_path / "out" / name)]
        assert run([*command, "--weights", str(weights), "--device", "cpu"]) == 0
    assert traces(tmp_path / "out") == []


def test_a_probe(xrays, tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
    weights, options = write_backbone(tmp_path / "weights"), ["--heads", "knn", "--folds", "2", "--device", "cpu"]
    command = ["dax", "probe", "region", str(xrays / "list.csv"), str(weights), "-o", str(tmp_path / "out"), *options]
    assert run(command) == 0
    assert traces(tmp_path / "out") == []


def test_a_pre_training(xrays, tmp_path):
    installed("lightning", reason="needs the extra: pip install 'xraykit-dax[train]'")
    options = "--architecture test_vit --size 48 --global-size 32 --local-size 16 --batch 4 --steps 1 --outputs 16"
    machine = "--device cpu --precision 32-true --workers 0"
    command = ["dax", "pretrain", str(xrays), "-o", str(tmp_path / "out"), *options.split(), *machine.split()]
    assert run(command) == 0
    assert (tmp_path / "out/settings.json").is_file() and traces(tmp_path / "out") == []
