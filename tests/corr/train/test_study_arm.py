"""Arms have names, the grid is complete, starts are what they say, and guidance is made of what it says."""

import numpy as np
import pytest
import torch
from support.corr_annotations import small_matcher
from support.corr_studies import write_study_set
from xraykit.corr.data.settings import XrayInputSettings
from xraykit.corr.network import MatcherConfig, load_matcher, new_matcher
from xraykit.corr.studies import prepare_studies, read_studies
from xraykit.corr.train import StudyArm, StudyGuidance, all_arms, start_classifier
from xraykit.render import InputError


@pytest.fixture(scope="module")
def matcher(tmp_path_factory):
    return load_matcher(small_matcher(tmp_path_factory.mktemp("matcher")))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    path = write_study_set(folder, each=4)
    return prepare_studies(read_studies(path), folder / "prepared", XrayInputSettings(size=64))


def guidance(store, matcher=None, *, truth=True):
    file = store.studies[0].images[0].path.parent / "correspondences.npz"
    device = torch.device("cpu")
    return StudyGuidance(store, grid=8, matcher=matcher, truth=file if truth else None, device=device)


def test_the_grid_is_every_fusion_with_every_start_and_every_guidance():
    names = [arm.name for arm in all_arms(pretrained=True, control=True, pretext=True, truth=True)]
    assert len(names) == len(set(names)) == 15 + 8
    assert {"single-scratch", "late-permuted", "early-control", "early-pretrained-oracle"} <= set(names)
    assert [StudyArm.named(name).name for name in names] == names
    assert [arm.name for arm in all_arms(pretrained=False, control=False, pretext=False, truth=False)] == [
        "single-scratch",
        "late-scratch",
        "early-scratch",
    ]


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("early", "an arm must read FUSION-START or FUSION-START-GUIDANCE, got 'early'"),
        ("both-scratch", "fusion must be one of single, late, early, got 'both'"),
        ("late-scratch-mean", "guidance needs --fusion early"),
    ],
)
def test_a_name_of_no_arm_is_refused(name, sentence):
    with pytest.raises(InputError, match=sentence):
        StudyArm.named(name)


def test_starts_are_the_matchers_weights_the_same_numbers_shuffled_or_others(matcher):
    starts = {"pretrained": matcher}
    wanted = matcher.patches.state_dict()
    made = {
        start: start_classifier(StudyArm("late", start), matcher.config, starts, seed=3).patches.state_dict()
        for start in ("scratch", "pretrained", "permuted")
    }
    for name, value in wanted.items():
        assert torch.equal(made["pretrained"][name], value)
        if value.ndim > 1:
            assert not torch.equal(made["permuted"][name], value) and not torch.equal(made["scratch"][name], value)
            assert torch.equal(made["permuted"][name].flatten().sort()[0], value.flatten().sort()[0])
    with pytest.raises(InputError, match="the arm late-control needs weights of a matcher, got none; give --control"):
        start_classifier(StudyArm("late", "control"), matcher.config, starts, seed=0)


def test_permuted_weights_have_statistics_of_their_own():
    config = MatcherConfig("resnet18", image_size=32, dimension=32, layers=1, heads=2)
    matcher = new_matcher(config)
    for module in matcher.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.fill_(3.0)
    made = start_classifier(StudyArm("late", "permuted"), config, {"pretrained": matcher}, seed=0)
    means = [value for name, value in made.state_dict().items() if name.endswith("running_mean")]
    assert means and not any(bool(mean.any()) for mean in means)


def test_an_absent_view_does_not_change_what_the_others_match(tmp_path, matcher):
    path = write_study_set(tmp_path / "set", each=3, views=2)
    two, three = (
        prepare_studies(read_studies(path), tmp_path / f"v{views}", XrayInputSettings(size=64), views=views)
        for views in (2, 3)
    )
    pair, padded = (
        guidance(store, matcher, truth=False).matrices("predicted", learned=[])(0) for store in (two, three)
    )
    assert float((pair[0] - padded[0]).abs().max()) <= 1 / 255 and not padded[1:].any()


def test_predicted_guidance_is_what_the_matcher_says_and_the_mean_is_over_training_studies(store, matcher):
    source = guidance(store, matcher)
    predicted = source.matrices("predicted", learned=[])
    with torch.no_grad():
        expected = matcher(store.images(5)[None]).probability[0]
    assert float((predicted(5) - expected).abs().max()) <= 1 / 510 + 1e-6
    learned = store.numbers_of("train")
    mean = source.matrices("mean", learned=learned)
    assert torch.equal(mean(0), mean(9))
    assert torch.allclose(mean(0), torch.stack([predicted(n) for n in learned]).mean(0), atol=1e-6)


def test_shuffled_guidance_is_that_of_another_study_of_the_split(store):
    source = guidance(store)
    true, shuffled = (source.matrices(kind, learned=[], seed=2) for kind in ("oracle", "shuffled"))
    for split in ("train", "val", "test"):
        numbers = store.numbers_of(split)
        own = np.stack([true(n).numpy() for n in numbers])
        places = [int(np.abs(own - shuffled(n).numpy()).sum((1, 2, 3)).argmin()) for n in numbers]
        assert sorted(places) == list(range(len(numbers))) and all(n != place for n, place in enumerate(places))


def test_guidance_without_its_source_is_refused(store):
    assert guidance(store).matrices("off", learned=[]) is None
    with pytest.raises(InputError, match="guidance predicted needs a matcher, got none"):
        guidance(store).matrices("predicted", learned=[])
    with pytest.raises(InputError, match=r"guidance oracle needs the true correspondence, got no correspondences.npz"):
        guidance(store, truth=False).matrices("oracle", learned=[])
    with pytest.raises(InputError, match=r"guidance mean needs a matcher .* or correspondences.npz"):
        guidance(store, truth=False).matrices("mean", learned=[])
