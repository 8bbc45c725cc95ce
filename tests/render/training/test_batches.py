"""Batches of a data set job, epoch after epoch."""

import pytest
import torch
from support.dataset_shards import write_dataset
from xraykit.render import FileError, InputError
from xraykit.render.training import StoredBatches, existing_split


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("set") / "d", {"train": [7, 5], "val": [3]})


def brightness(sample):
    return sample.log_attenuation().mean()


def stored(folder, **options):
    chosen = {"split": "train", "transform": brightness, "batch": 3, "seed": 0, "workers": 0}
    return StoredBatches(folder, **(chosen | options))


def test_epochs_follow_each_other_and_can_be_taken_up_anywhere(folder):
    whole = stored(folder)
    batches = [whole.batch(n) for n in range(9)]
    assert all(batch.shape == (3,) for batch in batches)
    epochs = [torch.cat(batches[first : first + 4]) for first in (0, 4)]
    assert torch.equal(epochs[0].sort().values, epochs[1].sort().values) and not torch.equal(*epochs)
    first, second = stored(folder), stored(folder)
    for n in range(5):
        first.batch(n)
    second.load_state_dict(first.state_dict())
    assert all(torch.equal(second.batch(n), batches[n]) for n in range(5, 9))


def test_a_split_that_is_missing_means_all_of_the_data_set(folder):
    assert existing_split(folder, "val") == "val" and existing_split(folder, "test") is None
    assert len(stored(folder, split="test").loader) == 5


def test_too_few_images_and_no_data_set_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="at least one batch of 13"):
        stored(folder, batch=13)
    with pytest.raises(FileError):
        stored(tmp_path)
