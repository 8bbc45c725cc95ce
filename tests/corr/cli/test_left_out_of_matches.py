"""Nothing that matching, marking, fine-tuning and classification write names anybody in the X-rays."""

from itertools import product

import numpy as np
import pytest
from support.corr_annotations import small_matcher
from support.corr_app import opened, written
from support.corr_matchers import BandNetwork, bone
from support.dicom import write_dicom
from support.later import installed
from support.soiled import is_soiled, soil, traces
from support.xray_dicom import GEOMETRY, xray_dataset
from xraykit.corr.app import PairServer
from xraykit.corr.data import (
    AnnotatedPair,
    AnnotatedPoint,
    AnnotatedSample,
    AnnotatedView,
    Annotations,
    write_annotations,
)
from xraykit.corr.studies import LabelledStudy, StudyImage, write_studies
from xraykit.render.cli.umbrella import run

TRAINING = ["--device", "cpu", "--precision", "32-true", "--workers", "0", "--steps", "1", "--validate-every", "1"]


def test_matches(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.corr.predictor.matcher.load_matcher", lambda source: BandNetwork())
    xrays = [tmp_path / f"{name}.dcm" for name in "ab"]
    for n, path in enumerate(xrays):
        write_dicom(path, soil(xray_dataset(bone(60, 40, seed=n).astype(np.uint16), **GEOMETRY), series=n))
    assert run(["corr", "match", *map(str, xrays), "-o", str(tmp_path / "out"), "--point", "A", "20", "45"]) == 0
    assert len(traces(tmp_path)) == 2 and traces(tmp_path / "out") == []


def test_the_page_and_its_file(tmp_path):
    for name in ("starlette", "uvicorn"):
        pytest.importorskip(name, reason="needs the extra: pip install 'xraykit-corr[app]'")
    xrays = soiled(tmp_path, 2)
    (tmp_path / "out").mkdir()
    session = opened(tmp_path, file="out/annotations.json", xrays=xrays, patient="p01")
    session.add(0, (10.0, 20.0), 1, (30.0, 20.0))
    session.save()
    assert written(tmp_path / "out/annotations.json")["samples"] and traces(tmp_path / "out") == []
    with PairServer(session, port=0) as server:
        told = [getattr(server.session, name) for name in ("sample", "notes")]
    assert not is_soiled(repr(told))


def test_a_fine_tuning_and_a_classification(tmp_path):
    installed("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
    xrays, start = soiled(tmp_path, 12), str(small_matcher(tmp_path / "start"))
    view = [AnnotatedView(path.name, (60, 40)) for path in xrays]
    pair = AnnotatedPair((0, 1), (AnnotatedPoint((10.0, 20.0), (11.0, 22.0), True),))
    samples = tuple(AnnotatedSample(f"s{n}", f"p{n}", "train", (view[2 * n], view[2 * n + 1]), (pair,)) for n in (0, 1))
    points = write_annotations(Annotations(samples, tmp_path), tmp_path / "points.json")
    assert run(["corr", "finetune", str(points), "-o", str(tmp_path / "a"), "--start", start, *TRAINING]) == 0
    studies = [
        LabelledStudy(f"s{n}", f"p{n}", split, label, (StudyImage(xrays[2 * n], 0), StudyImage(xrays[2 * n + 1], 1)))
        for n, (split, label) in enumerate(product(("train", "val", "test"), (0, 1)))
    ]
    table = write_studies(studies, tmp_path / "studies.csv")
    options = ["--pretrained", start, "--batch", "2", *TRAINING]
    assert run(["corr", "classify", str(table), "-o", str(tmp_path / "b"), *options]) == 0
    for out, name in (("a", "inputs.json"), ("b", "rows.json")):
        assert (tmp_path / out / name).is_file() and traces(tmp_path / out) == []


def soiled(folder, count):
    """DICOM X-rays with somebody's name in every text."""
    xrays = [folder / f"{n}.dcm" for n in range(count)]
    for n, path in enumerate(xrays):
        write_dicom(path, soil(xray_dataset(bone(60, 40, seed=n).astype(np.uint16), **GEOMETRY), series=n))
    assert len(traces(folder)) >= count
    return xrays
