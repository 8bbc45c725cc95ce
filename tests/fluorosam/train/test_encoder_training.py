"""An image encoder learns dense classes, and leaves a whole network behind."""

from dataclasses import replace

import pytest
import torch
from support.fluorosam_encoders import TINY, quick_encoder
from support.fluorosam_jobs import CONFIG, write_segmentation_job
from xraykit.fluorosam import load_network, new_network, save_network
from xraykit.fluorosam.data import prepare_segmentations
from xraykit.fluorosam.train import EncoderTask, pretrain
from xraykit.fluorosam.train.encoder_training import evenly
from xraykit.render import FileError, InputError

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-fluorosam[train]'")
SMALL = replace(TINY, grid=8)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_segmentation_job(tmp_path_factory.mktemp("data") / "job")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    save_network(new_network(SMALL, seed=2), folder)
    return folder


@pytest.fixture(scope="module")
def trained(job, start, tmp_path_factory):
    told = []
    settings = quick_encoder(tmp_path_factory.mktemp("run") / "out", job, start)
    done = pretrain(settings, report=lambda *what: told.append(what))
    return done, told


def test_only_the_image_encoder_has_learned(trained, start):
    before, after = load_network(start).state_dict(), load_network(trained[0].weights).state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert any(name.startswith("image_encoder.trunk.") for name in changed)
    assert all(name.startswith("image_encoder.") for name in changed)


def test_folder_says_what_was_learned_and_how_well(trained):
    done, told = trained
    said = load_network(done.weights).trained_on["encoder"]
    assert said["classes"] == 83 and said["images"] == 7
    assert {"dice", "train_cross_entropy", "train_dice"} <= set(done.rows[-1])
    assert {stage for stage, *_ in told} == {"images", "batches"}


def test_a_training_may_take_images_of_another_size_and_its_network_keeps_it(job, start, tmp_path):
    settings = quick_encoder(tmp_path / "out", job, start, steps=2)
    small = pretrain(replace(settings, network=replace(settings.network, image_size=32)))
    config = load_network(small.weights).config
    assert (config.image_size, config.grid) == (32, SMALL.grid // 2)


@pytest.mark.slow
def test_stopped_training_goes_on_to_the_same_bits(trained, job, start, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(stage, done, total):
        if (stage, done) == ("batches", 4):
            raise StoppedError

    settings = quick_encoder(tmp_path / "out", job, start)
    with pytest.raises(StoppedError):
        pretrain(settings, report=stop)
    done = pretrain(replace(settings, run=replace(settings.run, resume=True)))
    one, other = (load_network(each.weights).state_dict() for each in (done, trained[0]))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_few_images_are_learned_by_heart(job, start, tmp_path):
    settings = quick_encoder(tmp_path / "out", job, start, changed=False)
    store = prepare_segmentations([job], SMALL, tmp_path / "store")
    task = EncoderTask(load_network(start).train(), settings, store, store.numbers_of(), store.numbers_of())
    task.open(0, 1, torch.device("cpu"))
    optimizer = torch.optim.Adam(task.module.parameters(), lr=0.01)
    before = task.validate()["dice"]
    for number in range(60):
        optimizer.zero_grad()
        task.step(number, 0.0).backward()
        optimizer.step()
    after = task.validate()
    assert before < 0.2 and after["dice"] > 0.7 and after["other_side"] < 0.3


def test_trunk_has_a_rate_of_its_own_and_vectors_do_not_decay(job, start, tmp_path):
    settings = quick_encoder(tmp_path / "out", job, start)
    settings = replace(settings, objective=replace(settings.objective, trunk_rate=0.1, weight_decay=0.5))
    store = prepare_segmentations([job], SMALL, tmp_path / "store")
    task = EncoderTask(load_network(start).train(), settings, store, [0], [])
    for group in task.optimizer().param_groups:
        assert group["weight_decay"] == (0.5 if all(each.ndim > 1 for each in group["params"]) else 0.0)
    assert {group["rate_scale"] for group in task.optimizer().param_groups} == {0.1, 1.0}


def test_sources_that_are_not_there_are_said(start, tmp_path):
    with pytest.raises(FileError, match="nowhere"):
        pretrain(quick_encoder(tmp_path / "out", tmp_path / "nowhere", start))


def test_detail_beyond_two_is_refused(job, start, tmp_path):
    settings = quick_encoder(tmp_path / "out", job, start)
    with pytest.raises(InputError, match="--detail must be 1 or 2"):
        pretrain(replace(settings, objective=replace(settings.objective, detail=4)))


def test_share_of_held_out_patients_out_of_range_is_refused(job, start, tmp_path):
    settings = quick_encoder(tmp_path / "out", job, start)
    with pytest.raises(InputError, match="--held-out-share"):
        pretrain(replace(settings, data=replace(settings.data, held_out_share=1.0)))


@pytest.mark.parametrize("count, taken", [(0, []), (1, [2]), (3, [2, 5, 8]), (9, [2, 4, 5, 6, 8])])
def test_held_out_images_are_taken_evenly(count, taken):
    assert evenly([2, 4, 5, 6, 8], count) == taken


def test_masks_of_the_job_have_the_size_that_tests_think():
    assert CONFIG.image_size == SMALL.image_size and CONFIG.mask_size == SMALL.mask_size


@pytest.mark.slow
def test_training_with_prompts_goes_on_from_it_with_codes_of_its_texts(trained, job, tmp_path):
    from xraykit.fluorosam.train import (
        SegmentationDataSettings,
        SegmentationLengthSettings,
        SegmentationNetworkSettings,
        SegmentationTrainSettings,
    )
    from xraykit.fluorosam.training import train_fluorosam
    from xraykit.render.training import RunSettings

    settings = SegmentationTrainSettings(
        data=SegmentationDataSettings((str(job),), texts_per_target=2, prompts=2, held_out_images=0),
        network=SegmentationNetworkSettings(start=str(trained[0].weights), image_size=96),
        length=SegmentationLengthSettings(steps=1, batch=2),
        run=RunSettings(tmp_path / "out", device="cpu", precision="32-true", workers=0),
    )
    done = train_fluorosam(settings)
    before, after = (load_network(each.weights).prompt_encoder for each in (trained[0], done))
    assert not torch.allclose(before.vq._codebook.embed, after.vq._codebook.embed, atol=0.01)
    assert load_network(done.weights).config.image_size == 96
