"""Features are computed once, and what is stored is what the backbone saw."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.damaged_arrays import CUT_HEADER, DECLARES_TOO_MUCH
from support.dax_probes import SIZE, ToyBackbone, toy_images, toy_set
from support.held import held_elsewhere
from xraykit.dax.probes import ProbeImage, ProbeSet, feature_digest, feature_making, make_features, open_features
from xraykit.render import FileError, InputError, OutputError


def test_stored_features_are_those_of_the_backbone(tmp_path):
    images, backbone = toy_images(), ToyBackbone()
    store = make_features(backbone, toy_set(images), tmp_path, maps=True, batch=5)
    seen = backbone.features(torch.stack([one.image for one in images]))
    torch.testing.assert_close(torch.from_numpy(np.array(store.pooled)), seen.pooled.detach())
    assert [(one.name, one.stride) for one in store.maps] == [("fine", 1), ("coarse", 4)]
    for kept, now in zip(store.maps, seen.maps, strict=True):
        assert kept.values.dtype == np.float16 and isinstance(kept.values, np.memmap)
        np.testing.assert_allclose(kept.values, now.values.detach().numpy(), rtol=1e-3, atol=1e-3)
    assert store.names == tuple(one.name for one in images)
    assert store.patients == tuple(one.patient for one in images)
    assert store.labels == tuple(one.label for one in images)
    assert store.masks is not None and np.array_equal(store.masks, torch.stack([one.mask for one in images]).numpy())
    assert store.keypoints is not None and store.keypoints[1].shape == (2, 2, 3)
    np.testing.assert_allclose(store.keypoints[1], images[1].keypoints)
    assert store.images.shape == (24, SIZE, SIZE) and store.images.max() == 255


def test_a_second_call_neither_asks_the_backbone_nor_the_images(tmp_path):
    make_features(ToyBackbone(), toy_set(toy_images()), tmp_path)
    backbone = ToyBackbone()
    store = make_features(backbone, ProbeSet("toy", 24, lambda: pytest.fail("images were read")), tmp_path)
    assert backbone.seen == 0 and len(store) == 24


def test_a_second_job_that_makes_the_same_is_refused_and_takes_what_a_killed_one_left(tmp_path):
    images = toy_set(toy_images())
    made = make_features(ToyBackbone(), images, tmp_path / "known").folder.name
    work = tmp_path / "cache" / f"{made}.part"
    with held_elsewhere(work):
        with pytest.raises(OutputError, match=f"{made}.part must be free, got another job that writes there; wait"):
            make_features(ToyBackbone(), images, tmp_path / "cache")
        assert [path.name for path in work.iterdir()] == [".lock"]
        other = make_features(ToyBackbone(), images, tmp_path / "cache", maps=True)  # of another name
        assert other.folder.name == f"{made}-maps" and not (other.folder / ".lock").exists()
    again = ToyBackbone()
    with torch.no_grad():
        again.weight.mul_(2)
    store = make_features(again, images, tmp_path / "cache")
    assert {path.name for path in store.folder.iterdir()} == {"store.json", "pooled.npy", "images.npy", "masks.npy"}


def test_features_that_another_job_has_just_finished_are_taken(tmp_path, monkeypatch):
    whole = make_features(ToyBackbone(), toy_set(toy_images()), tmp_path)
    looks = iter((None, whole))
    monkeypatch.setattr(feature_making, "_kept", lambda *_, **__: next(looks))
    backbone = ToyBackbone()
    assert make_features(backbone, toy_set(toy_images()), tmp_path) is whole and backbone.seen == 0
    assert [path.name for path in tmp_path.iterdir()] == [whole.folder.name]


def test_features_with_maps_serve_a_call_that_needs_none(tmp_path):
    make_features(ToyBackbone(), toy_set(toy_images()), tmp_path, maps=True)
    backbone = ToyBackbone()
    assert make_features(backbone, toy_set(toy_images()), tmp_path).maps != () and backbone.seen == 0


def test_how_large_features_will_be_is_told_before_they_are_made(tmp_path):
    told = []
    store = make_features(
        ToyBackbone(), toy_set(toy_images()), tmp_path, maps=True, say=told.append, report=lambda *at: told.append(at)
    )
    held = sum(path.stat().st_size for path in store.folder.glob("*.npy"))
    assert told[0] == f"features of 24 images take {held / 1e6:.1f} MB in {tmp_path}" and told[1] == (24, 24)


def test_a_disk_without_room_for_the_features_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_making.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    backbone = ToyBackbone()
    with pytest.raises(OutputError, match=r"must have room for features of 0\.1 MB, got 0\.0 MB free; make room"):
        make_features(backbone, toy_set(toy_images()), tmp_path, maps=True, batch=4)
    assert backbone.seen == 4 and not list(tmp_path.rglob("*.npy"))


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    images, backbone = toy_images(), ToyBackbone()

    def broken():
        yield from images[:13]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_features(backbone, ProbeSet("toy", 24, broken), tmp_path, maps=True, batch=4)
    assert backbone.seen == 12
    told = []
    store = make_features(
        backbone, toy_set(images), tmp_path, maps=True, batch=4, report=lambda done, total: told.append((done, total))
    )
    assert backbone.seen == 24 and told[-1] == (24, 24)
    whole = make_features(ToyBackbone(), toy_set(images), tmp_path / "whole", maps=True)
    np.testing.assert_allclose(store.pooled, whole.pooled, rtol=1e-6)
    np.testing.assert_allclose(store.maps[1].values, whole.maps[1].values, rtol=1e-3)
    assert not list(tmp_path.glob("*.part"))


def test_an_interrupted_run_goes_on_with_another_batch(tmp_path):
    images = toy_images()

    def broken():
        yield from images[:9]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_features(ToyBackbone(), ProbeSet("toy", 24, broken), tmp_path, batch=3)
    store = make_features(ToyBackbone(), toy_set(images), tmp_path, batch=16)
    np.testing.assert_allclose(
        store.pooled, make_features(ToyBackbone(), toy_set(images), tmp_path / "b").pooled, rtol=1e-6
    )


def test_the_digest_follows_weights_config_and_inputs():
    backbone, images = ToyBackbone(), toy_set(toy_images())
    before = feature_digest(backbone, images)
    assert before == feature_digest(ToyBackbone(), images)
    assert before != feature_digest(backbone, toy_set(toy_images(), identity="other"))
    backbone.config.channels = 3
    assert before != feature_digest(backbone, images)
    backbone.config.channels = 1
    with torch.no_grad():
        backbone.weight[0] += 1e-6
    assert before != feature_digest(backbone, images)


def test_half_precision_weights_have_a_digest_too():
    assert len(feature_digest(ToyBackbone().bfloat16(), toy_set(toy_images()))) == 64


def test_a_backbone_of_three_channels_gets_three_equal_ones(tmp_path):
    class Colour(ToyBackbone):
        def features(self, images):
            assert images.shape[1] == 3 and torch.equal(images[:, 0], images[:, 2])
            return super().features(images[:, :1])

    backbone = Colour()
    backbone.config.channels = 3
    make_features(backbone, toy_set(toy_images()), tmp_path)


def test_features_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(InputError, match="pooled features must be finite, got NaN or infinity for image000"):
        make_features(ToyBackbone(spoil=float("nan")), toy_set(toy_images()), tmp_path)


def test_maps_too_large_for_float16_are_refused(tmp_path):
    with pytest.raises(InputError, match="maps fine in float16 must be finite"):
        make_features(ToyBackbone(spoil=1e5), toy_set(toy_images()), tmp_path, maps=True)


def test_images_of_two_sizes_are_refused(tmp_path):
    images = [*toy_images(3), ProbeImage("large", "p", torch.zeros(1, 32, 32))]
    with pytest.raises(InputError, match=r"one size, got 16 and 32 \(large\)"):
        make_features(ToyBackbone(), toy_set(images), tmp_path)


def test_two_images_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="got image000 twice"):
        make_features(ToyBackbone(), toy_set([*toy_images(3), toy_images(1)[0]]), tmp_path)


def test_a_set_of_another_number_than_it_says_is_refused(tmp_path):
    with pytest.raises(InputError, match="must give its 30 images, got 24"):
        make_features(ToyBackbone(), ProbeSet("toy", 30, lambda: iter(toy_images())), tmp_path)


def test_a_batch_of_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="batch must be 1 image or more, got 0"):
        make_features(ToyBackbone(), toy_set(toy_images()), tmp_path, batch=0)


def test_an_empty_set_is_refused():
    with pytest.raises(InputError, match="got an empty set"):
        toy_set([])


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(InputError, match="16 x 16 pixels, got 8 x 8"):
        ProbeImage("a", "p", torch.zeros(1, 16, 16), mask=torch.zeros(8, 8, dtype=torch.bool))


def test_an_image_that_is_no_finite_square_is_refused():
    with pytest.raises(InputError, match=r"must be finite and \(1, S, S\), got \(1, 16, 12\)"):
        ProbeImage("a", "p", torch.zeros(1, 16, 12))
    with pytest.raises(InputError, match="must be finite"):
        ProbeImage("a", "p", torch.full((1, 4, 4), torch.nan))


def test_keypoints_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"must be \(M, K, 3\), got \(2, 2\)"):
        ProbeImage("a", "p", torch.zeros(1, 4, 4), keypoints=torch.zeros(2, 2))


def test_damaged_and_missing_features_are_refused(tmp_path):
    store = make_features(ToyBackbone(), toy_set(toy_images()), tmp_path)
    for damage in (b"no array", CUT_HEADER, DECLARES_TOO_MUCH):
        (store.folder / "pooled.npy").write_bytes(damage)
        with pytest.raises(FileError, match=r"pooled.npy must hold an array of features"):
            open_features(store.folder)
    record = json.loads((store.folder / "store.json").read_text())
    (store.folder / "store.json").write_text(json.dumps({**record, "format": 0}))
    with pytest.raises(FileError, match="format 1, got 0"):
        open_features(store.folder)
    with pytest.raises(FileError, match="the record of stored features was expected"):
        open_features(tmp_path / "nothing")


def test_an_array_of_fewer_images_than_the_record_is_refused(tmp_path):
    store = make_features(ToyBackbone(), toy_set(toy_images()), tmp_path)
    np.save(store.folder / "pooled.npy", np.zeros((3, 6), np.float32))
    with pytest.raises(FileError, match="got damage"):
        open_features(store.folder)
