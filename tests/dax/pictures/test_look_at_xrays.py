"""Looking at files: a sheet for each X-ray, one picture of all, and mistakes told in a sentence."""

from dataclasses import replace

import numpy as np
import pytest
from support.dax_xrays import damage, read_png, write_backbone, write_xrays
from xraykit.dax.embedding import BackboneRunSettings, XraySourceSettings
from xraykit.dax.pictures import LookSettings, look, look_at_xrays
from xraykit.render import InputError, OutputError
from xraykit.render.errors import BackendUnavailableError

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_backbone(tmp_path_factory.mktemp("weights"))


def settings(folder, weights, *, sources=None, output="out", on_error="skip", batch=2, **more):
    sources = sources or (folder / "xrays",)
    xrays = XraySourceSettings(tuple(sources), on_error=on_error)
    return LookSettings(xrays, output=folder / output, run=BackboneRunSettings(str(weights), batch, "cpu"), **more)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_xray_gets_a_sheet_and_all_together_a_plane(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 3)
    done = look(settings(tmp_path, weights))
    assert names(tmp_path / "out") == ["embedding.png", *(f"xrays_xray{n:02d}.png.png" for n in range(3))]
    assert [path.name for path in done.sheets] == names(tmp_path / "out")[1:] and done.plane.name == "embedding.png"
    assert all(count == 3 for count in done.notes.values()) and any("polarity" in note for note in done.notes)
    sheet = read_png(done.sheets[0])
    assert sheet.shape[1] == 3 * 336 + 40 and np.ptp(sheet) > 200


def test_a_single_xray_has_no_plane(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 1)
    done = look(settings(tmp_path, weights))
    assert done.plane is None and names(tmp_path / "out") == ["xrays_xray00.png.png"]


@pytest.mark.parametrize("chosen", [{"attention": False}, {"patches": False}, {"attention": False, "patches": False}])
def test_parts_can_be_left_out(tmp_path, weights, chosen):
    write_xrays(tmp_path / "xrays", 1)
    sheet = read_png(look(settings(tmp_path, weights, **chosen)).sheets[0])
    assert sheet.shape[1] == (3 - len(chosen)) * 346 + 10


def test_more_xrays_than_the_code_is_fitted_to_have_the_same_sheets(tmp_path, weights, monkeypatch):
    write_xrays(tmp_path / "xrays", 4)
    told = []
    look(settings(tmp_path, weights, output="a", attention=False), report=lambda *n: told.append(n))
    assert told[-1] == (4, 4)
    monkeypatch.setattr(look_at_xrays, "FITTED", 2)
    done = look(settings(tmp_path, weights, output="b", attention=False), report=lambda *n: told.append(n))
    assert told[-1] == (6, 6) and len(done.sheets) == 4


def test_xrays_of_one_name_do_not_overwrite_each_other(tmp_path, weights):
    folders = [write_xrays(tmp_path / part / "same", 1) for part in ("a", "b")]
    done = look(settings(tmp_path, weights, sources=folders))
    assert [path.name for path in done.sheets] == ["same_xray00.png.png", "same_xray00.png_2.png"]


def test_an_xray_called_embedding_keeps_its_sheet(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 2)
    (tmp_path / "xrays" / "xray00.png").rename(tmp_path / "embedding")
    done = look(settings(tmp_path, weights, sources=(tmp_path / "embedding", tmp_path / "xrays")))
    assert done.sheets[0].name == "embedding_2.png" and done.plane.name == "embedding.png"


@pytest.mark.parametrize("batch", [1, 3])
def test_damaged_files_are_left_out_and_listed(tmp_path, weights, batch):
    damage(write_xrays(tmp_path / "xrays", 3) / "xray01.png")
    done = look(settings(tmp_path, weights, batch=batch))
    assert len(done.sheets) == 2 and done.plane is not None
    assert [name for name, _ in done.skipped] == ["xrays/xray01.png"]


def test_if_all_are_damaged_nothing_is_written(tmp_path, weights):
    damage(write_xrays(tmp_path / "xrays", 1) / "xray00.png")
    with pytest.raises(InputError, match="got 1 damaged ones; nothing was written"):
        look(settings(tmp_path, weights))
    assert names(tmp_path) == ["xrays"]


def test_an_untrained_backbone_stands_beside(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 3)
    alone = read_png(look(settings(tmp_path, weights, output="a")).plane)
    beside = read_png(look(settings(tmp_path, weights, output="b", before="untrained")).plane)
    assert beside.shape[1] == pytest.approx(2 * alone.shape[1], rel=0.1) and len(beside) == len(alone)


def test_the_exposed_field_counts_for_both_backbones_if_wished(tmp_path, weights, monkeypatch):
    seen = []
    see = look_at_xrays.see

    def watched(embedder, xrays, **options):
        seen.append((embedder.backbone.config.preprocess.field, xrays.field))
        return see(embedder, xrays, **options)

    monkeypatch.setattr(look_at_xrays, "see", watched)
    write_xrays(tmp_path / "xrays", 2)
    other = write_backbone(tmp_path / "other", seed=1)
    run = BackboneRunSettings(str(weights), 2, "cpu", "exposed")
    look(replace(settings(tmp_path, weights, before=str(other)), run=run))
    assert seen == [("exposed", True)] * 2


def test_a_resnet_can_be_looked_at(tmp_path):
    write_xrays(tmp_path / "xrays", 2)
    done = look(settings(tmp_path, write_backbone(tmp_path / "weights", "resnet10", size=64)))
    assert len(done.sheets) == 2 and read_png(done.sheets[0]).shape[1] == 3 * 346 + 10


def test_labels_of_a_list_colour_the_plane(tmp_path, weights, monkeypatch):
    write_xrays(tmp_path / "xrays", 3)
    rows = ["path,region", *(f"xrays/xray{n:02d}.png,{region}" for n, region in enumerate(("knee", "", "hip")))]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    seen = {}
    monkeypatch.setattr(look_at_xrays, "plot_planes", lambda planes, labels, path: seen.update(labels) or path)
    look(settings(tmp_path, weights, sources=(tmp_path / "list.csv",)))
    assert seen == {"region": ["knee", "", "hip"]}


def test_two_equal_backbones_are_refused(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 2)
    with pytest.raises(InputError, match="--before must be another backbone"):
        look(settings(tmp_path, weights, before=str(weights)))


def test_a_folder_that_cannot_be_made_is_told_before_the_work(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 2)
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="must be a folder that can be made"):
        look(settings(tmp_path, weights), report=lambda *_: pytest.fail("it began"))


def test_matplotlib_that_is_not_installed_is_named_before_the_work(tmp_path, weights, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    write_xrays(tmp_path / "xrays", 2)
    with pytest.raises(BackendUnavailableError, match=r"xraykit-dax\[evaluate\]"):
        look(settings(tmp_path, weights))
    assert names(tmp_path) == ["xrays"]
