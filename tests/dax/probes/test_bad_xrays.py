"""A probe of a list goes on without the X-rays and masks that cannot be used, and says so in its end and its record."""

import json

import numpy as np
import pytest
from PIL import Image
from support.dax_probes import ToyBackbone
from support.dax_xrays import write_backbone, xray_picture
from support.few_draws import few_draws
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.probes import RegionProbeSettings, comparison, images_of_table, make_features, probe_regions
from xraykit.dax.probes.coco_images import images_of_coco
from xraykit.render import FileError
from xraykit.render.cli.umbrella import run
from xraykit.render.commands import LeftOut

drawing = few_draws(comparison)
BAD = {"torn": "p1_1.png", "gone": "p3_0.png"}


def write_table(folder, *, bad=(), masks=False):
    """Four patients with two X-rays each, of two regions; the named ones cannot be used."""
    folder.mkdir(exist_ok=True)
    rows = ["path,patient,label,mask"]
    for patient in range(4):
        for n in range(2):
            name = f"p{patient}_{n}.png"
            picture = xray_picture(40, 40, seed=2 * patient + n).astype(np.uint16)
            Image.fromarray(picture).save(folder / name)
            Image.fromarray(np.full((40, 40), 255 * n, np.uint8)).save(folder / f"mask_{name}")
            rows.append(f"{name},{patient},{('knee', 'hip')[patient % 2]},{f'mask_{name}' if masks else ''}")
    (folder / "list.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    if "torn" in bad:
        whole = (folder / BAD["torn"]).read_bytes()
        (folder / BAD["torn"]).write_bytes(whole[: len(whole) // 2])
    if "gone" in bad:
        (folder / BAD["gone"]).unlink()
    return folder / "list.csv"


def probe(kind, table, weights, out, *options):
    options = [*options, "--folds", "2", "--device", "cpu", "-o", str(out)]
    return run(["dax", "probe", kind, str(table), *map(str, weights), *options])


def test_a_region_probe_ends_with_status_3_and_names_what_it_left_out(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
    table, out = write_table(tmp_path / "set", bad=BAD), tmp_path / "out"
    weights = [write_backbone(tmp_path / "a")]
    for again in range(2):  # the second time features are there already
        assert probe("region", table, weights, out, "--heads", "linear") == 3
        said = capsys.readouterr()
        assert "8/8 images" in said.out or again
        warned = [line for line in said.err.splitlines() if "was left out" in line]
        assert len(warned) == 2 and all(any(name in line for line in warned) for name in BAD.values())
        record = json.loads((out / "report.json").read_text("utf-8"))
        assert [one["name"] for one in record["left_out"]] == [BAD["torn"], BAD["gone"]]
        for page in ("report.md", "report.html"):
            assert all(f"{name} was left out" in (out / page).read_text("utf-8") for name in BAD.values())
    assert "6 images of 4 patients" in (out / "report.md").read_text("utf-8")


def test_features_are_those_of_the_images_that_are_left(tmp_path):
    settings = PreprocessSettings(size=16)
    whole = make_features(ToyBackbone(), images_of_table(write_table(tmp_path / "a"), settings), tmp_path / "whole")
    left_out = LeftOut()
    images = images_of_table(write_table(tmp_path / "b", bad=BAD), settings)
    some = make_features(ToyBackbone(), images, tmp_path / "some", batch=3, left_out=left_out)
    kept = [n for n, name in enumerate(whole.names) if name not in BAD.values()]
    assert some.names == tuple(whole.names[n] for n in kept) and some.left_out == left_out.once
    np.testing.assert_allclose(some.pooled, whole.pooled[kept], rtol=1e-6)
    assert np.array_equal(some.images, whole.images[kept])


def test_a_mask_that_does_not_fit_leaves_its_xray_out(tmp_path):
    table = write_table(tmp_path / "set", masks=True)
    Image.fromarray(np.zeros((39, 40), np.uint8)).save(tmp_path / "set/mask_p2_1.png")
    left_out = LeftOut()
    images = images_of_table(table, PreprocessSettings(size=16), masks=True)
    assert len(make_features(ToyBackbone(), images, tmp_path, left_out=left_out)) == 7
    assert [name for name, _ in left_out.found] == ["p2_1.png"] and "as large as its X-ray" in left_out.found[0][1]


def test_an_xray_of_another_size_than_its_coco_file_says_is_left_out(tmp_path):
    for n in range(3):
        Image.fromarray(xray_picture(40, 40, seed=n).astype(np.uint16)).save(tmp_path / f"{n}.png")
    table = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "height": 40 + (n == 1), "width": 40, "patient": n} for n in range(3)
        ],
        "categories": [{"id": 7, "name": "screw", "keypoints": ["head", "tip"]}],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 7, "keypoints": [1, 2, 2, 9, 9, 2]}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(table), encoding="utf-8")
    left_out = LeftOut()
    images = images_of_coco(tmp_path / "coco.json", PreprocessSettings(size=16))
    store = make_features(ToyBackbone(), images, tmp_path / "out", left_out=left_out)
    assert store.names == ("0.png", "2.png") and [name for name, _ in left_out.found] == ["1.png"]
    assert store.keypoints is not None and [len(points) for points in store.keypoints] == [1, 0]


def test_where_nothing_shall_be_left_out_the_first_bad_one_ends_it_whatever_lies_there(tmp_path):
    settings = PreprocessSettings(size=16)
    images = images_of_table(write_table(tmp_path / "set", bad=("torn",)), settings)
    for _ in range(2):
        with pytest.raises(FileError, match="p1_1"):
            make_features(ToyBackbone(), images, tmp_path)
        make_features(ToyBackbone(), images, tmp_path, left_out=LeftOut())


def test_a_list_without_a_good_xray_is_refused_with_the_first_reason(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
    table = write_table(tmp_path / "set")
    for path in (tmp_path / "set").glob("p*.png"):
        path.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    settings = RegionProbeSettings(table, (str(write_backbone(tmp_path / "a")),), tmp_path / "out", folds=2)
    with pytest.raises(FileError, match="p0_0"):
        probe_regions(settings, left_out=LeftOut())
    assert not list((tmp_path / "out").rglob("*.part")) and not (tmp_path / "out/report.json").exists()
