"""Nothing that matching writes holds a text, a date or an identifier of the X-rays."""

import numpy as np
from support.corr_matchers import BandNetwork, bone
from support.dicom import write_dicom
from support.soiled import soil, traces
from support.xray_dicom import GEOMETRY, xray_dataset
from xraykit.render.cli.umbrella import run


def test_matches(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.corr.predictor.matcher.load_matcher", lambda source: BandNetwork())
    xrays = [tmp_path / f"{name}.dcm" for name in "ab"]
    for n, path in enumerate(xrays):
        write_dicom(path, soil(xray_dataset(bone(60, 40, seed=n).astype(np.uint16), **GEOMETRY), series=n))
    assert run(["corr", "match", *map(str, xrays), "-o", str(tmp_path / "out"), "--point", "A", "20", "45"]) == 0
    assert len(traces(tmp_path)) == 2 and traces(tmp_path / "out") == []
