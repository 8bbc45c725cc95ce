"""Nothing that embedding writes holds a text, a date or an identifier of the X-rays."""

import numpy as np
from support.dax_xrays import write_backbone, xray_picture
from support.dicom import write_dicom
from support.soiled import soil, traces
from support.xray_dicom import GEOMETRY, xray_dataset
from xraykit.render.cli.umbrella import run


def test_a_table_of_features(tmp_path):
    weights = write_backbone(tmp_path / "weights")
    for n in range(2):
        (tmp_path / "xrays").mkdir(exist_ok=True)
        pixels = xray_picture(40, 40, seed=n).astype(np.uint16)
        write_dicom(tmp_path / f"xrays/{n}.dcm", soil(xray_dataset(pixels, **GEOMETRY), series=n))
    (tmp_path / "out").mkdir()
    for name in ("table.npz", "table.csv"):
        command = ["dax", "embed", str(tmp_path / "xrays"), "-o", str(tmp_path / "out" / name)]
        assert run([*command, "--weights", str(weights), "--device", "cpu"]) == 0
    assert len(traces(tmp_path / "xrays")) == 2 and traces(tmp_path / "out") == []
