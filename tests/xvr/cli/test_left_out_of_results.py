"""Nothing that commands and page of xvr write holds a text, a date or an identifier of CT and X-ray."""

import json

import numpy as np
import pytest
from support.dicom import write_dicom, write_series
from support.later import installed
from support.registrations import CAMERA, DONE, lopsided
from support.soiled import ROOT, is_soiled, soil, traces
from support.training import QUICK
from support.xray_dicom import xray_dataset
from xraykit.render import carm_pose, render, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.xvr.app.files import save_view
from xraykit.xvr.app.opening import open_app
from xraykit.xvr.app.settings import AppSettings, PageSettings
from xraykit.xvr.app.state import session_state


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """ct/, a DICOM series, and x.dcm, an X-ray of it, both with somebody's name in every text."""
    folder, volume = tmp_path_factory.mktemp("patient"), lopsided()
    stored = ((volume.mu / 0.02 - 1) * 1000 + 1024).round().numpy().astype(np.int16)[:, ::-1, ::-1]
    corner = volume.affine.double().numpy() @ [stored.shape[2] - 1, stored.shape[1] - 1, 0, 1]  # first voxel in LPS
    spaced = {"step": (0.0, 0.0, 4.0), "pixel_spacing": (4.0, 4.0)}
    first = (-corner[0], -corner[1], corner[2])
    write_series(folder / "ct", stored, first=first, edit=lambda _, dataset: soil(dataset), **spaced)
    image = render(volume, CAMERA, carm_pose(lao_rao=170.0, sod=700.0, isocenter=volume.center), backend="torch")[0, 0]
    pixels = (60000 * (-image).exp()).numpy().astype(np.uint16)
    tags = {"DistanceSourceToDetector": "1000", "DistanceSourceToPatient": "700", "ImagerPixelSpacing": ["4", "4"]}
    arm = {"PositionerPrimaryAngle": "170", "PositionerSecondaryAngle": "0", "PixelIntensityRelationship": "LIN"}
    write_dicom(folder / "x.dcm", soil(xray_dataset(pixels, **tags, **arm)))
    return folder


def test_the_input_is_soiled(patient):
    assert len(traces(patient)) == len(list(patient.rglob("*.dcm"))) > 20


def test_a_registration(patient, tmp_path):
    options = ["--scales", "32", "--iterations", "2", "--start", "dicom", "--polarity", "intensity"]
    out = tmp_path / "out"
    assert run(["xvr", "register", str(patient / "ct"), str(patient / "x.dcm"), "-o", str(out), *options]) in DONE
    assert (out / "x/result.json").is_file() and traces(out) == []


def test_an_alignment(patient, tmp_path):
    volume = lopsided()
    template = write_volume(tmp_path / "template.nii.gz", (volume.mu / 0.02 - 1) * 1000, volume.affine)
    out = tmp_path / "out"
    out.mkdir()
    assert run(["xvr", "align", str(patient / "ct"), str(template), "-o", str(out / "warp.tfm"), "--spacing", "8"]) == 0
    assert (out / "warp.png").is_file() and traces(out) == []


def test_an_evaluation(patient, tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-xvr[evaluate]'")
    options = ["--levels", "1", "--xrays", "1", "--size", "32", "--series", f"{ROOT}.99.1", "-o", str(tmp_path / "out")]
    assert run(["xvr", "evaluate", "--simulate", str(patient / "ct"), *options]) == 0
    saved = json.loads((tmp_path / "out/settings.json").read_text("utf-8"))
    assert saved["truth"]["volume"]["series"].startswith("sha256:") and traces(tmp_path / "out") == []


def test_the_page(patient, tmp_path):
    for name in ("starlette", "uvicorn"):
        pytest.importorskip(name, reason="needs the extra: pip install 'xraykit-xvr[app]'")
    settings = AppSettings(patient / "ct", (patient / "x.dcm",), page=PageSettings(output=tmp_path / "out", port=0))
    server = open_app(settings)
    try:
        saved = save_view(server.session, 0, tmp_path / "out", {"ct": str(settings.ct)})
        told = json.dumps(session_state(server.session), default=str)
    finally:
        server.close()
    assert saved.exists() and traces(tmp_path / "out") == [] and not is_soiled(told)


def test_a_training(patient, tmp_path):
    installed("lightning", reason="needs the extra: pip install 'xraykit-xvr[train]'")
    options = [
        part
        for name, value in (QUICK | {"steps": 1, "size": 32}).items()
        for part in (f"--{name.replace('_', '-')}", *(map(str, value) if isinstance(value, tuple) else (str(value),)))
    ]
    assert run(["xvr", "train", str(patient / "ct"), "-o", str(tmp_path / "out"), *options]) == 0
    assert (tmp_path / "out/settings.json").is_file() and traces(tmp_path / "out") == []
