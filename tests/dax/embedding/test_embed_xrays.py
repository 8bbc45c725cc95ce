"""Embedding of files: the table is what the network says, and an interruption changes nothing in it."""

import numpy as np
import pytest
import torch
from PIL import Image
from support.dax_xrays import damage, write_backbone, write_xrays, xray_picture
from support.held import held_elsewhere
from xraykit.dax.data import find_xrays
from xraykit.dax.embedding import (
    BackboneRunSettings,
    EmbedSettings,
    XraySourceSettings,
    backbone_digest,
    embed,
    partial_table,
    read_embeddings,
)
from xraykit.dax.network import load_backbone, save_backbone
from xraykit.dax.predictor import XrayEmbedder
from xraykit.render import FileError, InputError, OutputError


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_backbone(tmp_path_factory.mktemp("weights"))


def settings(folder, weights, *, sources=None, output="table.npz", batch=2, resume=False, field=None, **xrays):
    return EmbedSettings(
        XraySourceSettings((sources or folder / "xrays",), **xrays),
        output=folder / output,
        run=BackboneRunSettings(str(weights), batch, "cpu", field),
        resume=resume,
    )


def interrupted(folder, weights, *, after, **options):
    """Run and raise once `after` X-rays are done."""

    def report(done, total):
        if done >= after:
            raise KilledError

    with pytest.raises(KilledError):
        embed(settings(folder, weights, **options), report=report)


def test_rows_are_what_the_network_says_of_each_xray_alone(tmp_path, weights):
    xrays = write_xrays(tmp_path / "xrays", 5)
    done = embed(settings(tmp_path, weights))
    found = find_xrays([xrays])
    alone = XrayEmbedder(str(weights), device="cpu", batch_size=1).embed(found)
    table = read_embeddings(done.path)
    assert table.names == tuple(f"xrays/xray{n:02d}.png" for n in range(5)) == tuple(frame.name for frame in found)
    torch.testing.assert_close(torch.from_numpy(table.features), alone, rtol=1e-4, atol=1e-5)
    assert np.ptp(table.features, axis=0).max() > 1e-3  # they are not all alike


def test_the_record_says_what_made_the_table(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 3)
    record = read_embeddings(embed(settings(tmp_path, weights)).path).record
    assert record["backbone"] == backbone_digest(load_backbone(weights))
    assert record["weights"] == str(weights) and record["config"]["architecture"] == "test_vit"
    (assumed,) = (rows for note, rows in record["notes"].items() if note.startswith("polarity log_attenuation"))
    assert assumed == [0, 1, 2] and record["skipped"] == []


def test_progress_goes_up_to_the_number_of_xrays(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 5)
    told = []
    embed(settings(tmp_path, weights), report=lambda *numbers: told.append(numbers))
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize("after", [2, 4, 5])
def test_a_killed_run_goes_on_and_the_table_is_the_same(tmp_path, weights, after):
    xrays = write_xrays(tmp_path / "xrays", 5)
    whole = embed(settings(tmp_path, weights, output="whole.npz")).table
    interrupted(tmp_path, weights, after=after)
    assert not (tmp_path / "table.npz").exists() and (tmp_path / "table.npz.part").is_dir()
    told = []
    done = embed(settings(tmp_path, weights, resume=True), report=lambda *numbers: told.append(numbers))
    assert done.resumed == after and told[0] == (after, 5)
    assert done.table.names == whole.names and done.table.record == whole.record
    assert np.array_equal(done.table.features, whole.features)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.npz", "whole.npz", xrays.name]


@pytest.mark.parametrize("name", [partial_table.BATCHES, partial_table.FEATURES])
def test_what_a_kill_left_half_written_is_done_again(tmp_path, weights, name):
    write_xrays(tmp_path / "xrays", 5)
    whole = embed(settings(tmp_path, weights, output="whole.npz")).table
    interrupted(tmp_path, weights, after=2)
    with (tmp_path / "table.npz.part" / name).open("ab") as file:
        file.write(b'{"first": 2, "en')
    done = embed(settings(tmp_path, weights, resume=True))
    assert done.resumed == 2 and np.array_equal(done.table.features, whole.features)


def test_a_finished_table_is_replaced_and_nothing_is_left_to_resume(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 3)
    embed(settings(tmp_path, weights))
    write_xrays(tmp_path / "xrays", 4)
    assert len(embed(settings(tmp_path, weights, resume=True)).table) == 4


def test_an_interrupted_run_is_not_overwritten_by_accident(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 5)
    interrupted(tmp_path, weights, after=2)
    with pytest.raises(OutputError, match="add --resume to go on, or remove it"):
        embed(settings(tmp_path, weights))


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_job_is_refused_and_adds_nothing_to_the_rows_of_the_first(tmp_path, weights, resume):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    write_xrays(tmp_path / "xrays", 4)
    interrupted(tmp_path, weights, after=2)
    part = tmp_path / "table.npz.part"
    with held_elsewhere(part):
        before = {path: path.read_bytes() for path in part.iterdir()}
        with pytest.raises(OutputError, match=r"table\.npz\.part must be free, got another job"):
            embed(settings(tmp_path, weights, resume=resume))
        assert {path: path.read_bytes() for path in part.iterdir()} == before
    embed(settings(tmp_path, weights, resume=True))
    assert not part.exists()


def test_resuming_with_other_weights_is_refused(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 5)
    interrupted(tmp_path, weights, after=2)
    other = write_backbone(tmp_path / "other", seed=1)
    with pytest.raises(InputError, match="got other weights or --field; use the same"):
        embed(settings(tmp_path, other, resume=True))


def test_resuming_with_other_inputs_or_batches_is_refused(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 5)
    interrupted(tmp_path, weights, after=2)
    with pytest.raises(InputError, match="got other --batch; use the same"):
        embed(settings(tmp_path, weights, resume=True, batch=3))
    write_xrays(tmp_path / "xrays", 6)
    with pytest.raises(InputError, match="got other inputs; use the same"):
        embed(settings(tmp_path, weights, resume=True))


def test_damaged_progress_is_refused(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 5)
    interrupted(tmp_path, weights, after=4)
    damage(tmp_path / "table.npz.part" / partial_table.FEATURES)
    with pytest.raises(FileError, match="rows in order, got damage; remove it"):
        embed(settings(tmp_path, weights, resume=True))


def test_a_damaged_file_ends_the_run_if_wished_and_is_named(tmp_path, weights):
    damage(write_xrays(tmp_path / "xrays", 4) / "xray01.png")
    with pytest.raises(FileError, match=r"xray01\.png"):
        embed(settings(tmp_path, weights, on_error="stop"))
    assert [path.name for path in tmp_path.iterdir()] == ["xrays"]


@pytest.mark.parametrize("batch", [1, 3])
def test_damaged_files_are_left_out_and_listed(tmp_path, weights, batch):
    xrays = write_xrays(tmp_path / "xrays", 4)
    whole = embed(settings(tmp_path, weights, batch=batch, output="whole.npz")).table
    damage(xrays / "xray01.png")
    table = embed(settings(tmp_path, weights, batch=batch)).table
    assert table.names == tuple(name for name in whole.names if "01" not in name)
    ((name, reason),) = table.record["skipped"]
    assert name == "xrays/xray01.png" and "xray01.png" in reason
    np.testing.assert_allclose(table.features, whole.features[[0, 2, 3]], rtol=1e-4, atol=1e-5)


def test_if_all_are_damaged_nothing_is_written(tmp_path, weights):
    damage(write_xrays(tmp_path / "xrays", 1) / "xray00.png")
    with pytest.raises(InputError, match="got 1 damaged ones; nothing was written"):
        embed(settings(tmp_path, weights))
    assert [path.name for path in tmp_path.iterdir()] == ["xrays"]


def test_if_there_are_no_xrays_nothing_is_written(tmp_path, weights):
    (tmp_path / "xrays").mkdir()
    (tmp_path / "xrays" / "notes.md").write_text("none yet")
    with pytest.raises(InputError, match="got none; check the paths"):
        embed(settings(tmp_path, weights, output="new/table.npz"))
    assert [path.name for path in tmp_path.iterdir()] == ["xrays"]


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 2)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"got the file .* in its place"):
        embed(settings(tmp_path, weights, output="file/table.npz"), report=lambda *_: pytest.fail("it began"))
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(OutputError, match="got a folder; add a file name"):
        embed(settings(tmp_path, weights, output="folder.npz"), report=lambda *_: pytest.fail("it began"))


def test_folders_on_the_way_are_made(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 2)
    assert embed(settings(tmp_path, weights, output="new/folder/table.csv")).path.is_file()


def test_batches_must_be_positive(tmp_path, weights):
    with pytest.raises(InputError, match="--batch must be positive"):
        embed(settings(tmp_path, weights, batch=0))


def test_features_that_are_not_finite_are_refused(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 3)
    broken = load_backbone(weights)
    with torch.no_grad():
        broken.network.norm.weight.fill_(torch.finfo(torch.float32).max)  # finite, but what comes out is not
    save_backbone(broken, tmp_path / "broken")
    with pytest.raises(InputError, match=r"must give finite features, got others for xrays/xray00\.png"):
        embed(settings(tmp_path, tmp_path / "broken"))


def test_of_a_collimated_xray_the_exposed_field_alone_counts_if_wished(tmp_path, weights):
    (tmp_path / "xrays").mkdir()
    for name, surround in (("black.png", 0), ("grey.png", 20)):
        image = np.full((96, 96), surround, np.uint8)
        image[20:76, 24:72] = 120 + xray_picture(56, 48) // 4
        Image.fromarray(image).save(tmp_path / "xrays" / name)
    whole = embed(settings(tmp_path, weights, polarity="intensity")).table
    done = embed(settings(tmp_path, weights, polarity="intensity", field="exposed")).table
    apart = [float(np.abs(np.subtract(*one.features)).max()) for one in (whole, done)]
    assert apart[1] < 1e-4 < apart[0]
    assert done.record["config"]["preprocess"]["field"] == "exposed"
    assert done.record["backbone"] != whole.record["backbone"]


def test_labels_of_a_list_become_columns(tmp_path, weights):
    write_xrays(tmp_path / "xrays", 3)
    rows = ["path,region", "xrays/xray00.png,knee", "xrays/xray01.png,", "xrays/xray02.png,hip"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    table = embed(settings(tmp_path, weights, sources=tmp_path / "list.csv")).table
    assert table.labels["region"] == ("knee", "", "hip")


def test_a_digest_tells_weights_and_config_apart(tmp_path, weights):
    one, same = load_backbone(weights), load_backbone(weights)
    other = load_backbone(write_backbone(tmp_path / "a", seed=1))
    larger = load_backbone(write_backbone(tmp_path / "b", size=64))
    assert backbone_digest(one) == backbone_digest(same)
    assert len({backbone_digest(each) for each in (one, other, larger)}) == 3
