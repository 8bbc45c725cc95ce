"""A data set job as training data."""

import pytest
import torch
from support.dataset_shards import CEILING, POSE, write_dataset
from xraykit.render import Camera, FileError, InputError
from xraykit.xvr.train.stored import StoredViews, held_out_samples

OWN = Camera(sdd=1000.0, height=16, width=16, pixel_spacing=2.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("set") / "d", {"train": [7, 5], "val": [3]})


def stored(folder, batch=3, **options):
    return StoredViews(folder, **{"camera": OWN, "batch": batch, "seed": 0, "workers": 0} | options)


def next_views(views):
    return views.views(0, torch.device("cpu"), with_organs=False)[0]


def test_images_are_attenuations_with_their_poses(folder):
    views = next_views(stored(folder))
    assert views.image.shape == (3, 1, 16, 16) and views.kept.all()
    assert torch.equal(views.pose, torch.tensor([POSE] * 3, dtype=torch.float64))
    assert 3.5 < float(views.image.max()) < 4.5  # the discs are 4 thick, on a ground of 0.1 to 0.3
    assert float(views.image.min()) >= 0 and CEILING > 1


def test_another_camera_sees_them_by_one_homography(folder):
    wide = Camera(sdd=1000.0, height=16, width=16, pixel_spacing=4.0)
    near, far = next_views(stored(folder)).image, next_views(stored(folder, camera=wide)).image
    assert float(far[:, :, :3].abs().max()) == 0.0  # beyond the image there is nothing
    assert float(far.sum()) == pytest.approx(float(near.sum()) / 4, rel=0.15)


def test_epochs_follow_each_other_and_can_be_taken_up_anywhere(folder):
    views = stored(folder)
    all_of_them = [next_views(views).image.sum() for _ in range(6)]
    assert not torch.equal(torch.stack(all_of_them[:4]), torch.stack([*all_of_them[4:], *all_of_them[:2]]))
    first, second = stored(folder), stored(folder)
    for _ in range(3):
        next_views(first)
    second.load_state_dict(first.state_dict())
    assert [next_views(second).image.sum() for _ in range(3)] == all_of_them[3:]


def test_held_out_views_are_those_of_the_split_val(folder):
    image, pose, points = held_out_samples(folder, camera=OWN, count=8)
    assert image.shape == (3, 1, 16, 16) and pose.shape == (3, 4, 4)
    assert points.shape == (3, 8, 3) and points[0, 5].tolist() == [1.0, 2.0, 3.0]


def test_too_few_images_and_no_data_set_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="at least one batch of 13"):
        stored(folder, batch=13)
    with pytest.raises(FileError):
        stored(tmp_path)
