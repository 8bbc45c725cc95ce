"""FluoroSam: words, clicks, boxes and masks answered in the X-ray's own pixels; each X-ray encoded once."""

import numpy as np
import pytest
import torch
from support.damaged_arrays import CUT_HEADER, DECLARES_TOO_MUCH
from support.fluorosam_checkpoints import SMALL, leftovers, published_tensors, write_checkpoint
from support.fluorosam_networks import TINY, KnownNetwork
from xraykit.fluorosam import FluoroSam, Prompt, new_network, save_network
from xraykit.fluorosam.predictor.fluoro_sam import MOST_VALUES
from xraykit.fluorosam.predictor.prompt import PlacedPrompt, within_box
from xraykit.render import FileError, InputError


@pytest.fixture
def known():
    return FluoroSam(KnownNetwork(), device="cpu")


def gradient(height, width):
    """Grows from left to right, with a mark that makes no two images alike."""
    image = torch.linspace(0, 1, width).expand(height, width).clone()
    image[0, 0] = 0.5
    return image


def shown(sam, height=40, width=90):
    sam.set_image(gradient(height, width), bone="bright")
    return sam


def noise(height, width, seed=0):
    return torch.rand(height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("height, width", [(64, 64), (40, 90), (97, 31), (300, 500), (8, 200)])
@pytest.mark.parametrize("x, y", [(0.3, 0.6), (0.05, 0.9), (0.97, 0.02)])
def test_a_clicked_pixel_lies_in_the_answer_about_where_it_was_clicked(known, height, width, x, y):
    shown(known, height, width)
    answer = known.predict(points=[[x * width, y * height]])
    assert answer.mask.shape == (height, width) and answer.mask.dtype == torch.bool
    row, column = int(y * height), int(x * width)
    assert bool(answer.mask[row, column])
    scale = max(height, width) / TINY.image_size
    reach = answer.mask.nonzero().float() + 0.5 - torch.tensor([y * height, x * width])
    assert float(reach.norm(dim=1).max()) < (6.0 + 1.5) * scale + 1
    assert int(answer.mask.sum()) < height * width


def test_an_answer_ends_at_its_box_until_a_click_says_that_it_goes_on():
    box = torch.tensor([16.0, 8.0, 48.0, 24.0])
    inside = torch.zeros(32, 32, dtype=torch.bool)
    inside[4:12, 8:24] = True  # half as fine as the square of 64 px
    beyond, within = torch.tensor([[60.0, 40.0]]), torch.tensor([[20.0, 10.0]])

    def kept(box, points, label):
        prompt = PlacedPrompt(None, points, torch.full((len(points),), label), box, None)
        return within_box(torch.ones(3, 32, 32), prompt, size=64) > 0

    for points, label in ((beyond[:0], 1), (within, 1), (beyond, 0)):
        assert torch.equal(kept(box, points, label), inside.expand(3, -1, -1))
    assert bool(kept(box, beyond, 1).all()) and bool(kept(None, within, 1).all())


def test_low_logits_of_a_box_show_nothing_beyond_it(known):
    answer = shown(known, 64, 64).predict(box=[10, 12, 30, 40])
    columns = (answer.low_candidates > 0).any(0).any(0).nonzero()
    scale = 64 / answer.low_logits.shape[-1]
    assert len(columns) and float(columns.min() * scale) >= 10 - scale and float(columns.max() * scale) <= 30


@pytest.mark.parametrize("height, width", [(40, 90), (500, 300)])
def test_a_box_comes_back_within_a_cell_of_the_masks(known, height, width):
    shown(known, height, width)
    box = torch.tensor([0.2 * width, 0.25 * height, 0.7 * width, 0.75 * height])
    rows, columns = known.predict(box=box).mask.nonzero(as_tuple=True)
    found = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
    assert float((found - box).abs().max()) <= max(height, width) / TINY.image_size + 1


def test_words_find_what_is_bright_whichever_way_bone_is_said(known):
    image = gradient(40, 90)
    known.set_image(image, bone="bright")
    one = known.predict("left femur")
    known.set_image(1 - image, bone="dark")
    other = known.predict("left femur")
    assert bool(one.mask[20, 80]) and not bool(one.mask[20, 10])
    torch.testing.assert_close(one.logits, other.logits, atol=1e-5, rtol=0)


def test_an_answer_has_candidates_and_the_most_confident_is_it(known):
    answer = shown(known).predict("left femur")
    assert answer.candidates.shape == (3, 40, 90) and answer.confidences.tolist() == pytest.approx([0.25, 0.75, 0.5])
    assert answer.confidence == pytest.approx(0.75) and answer.visible and answer.target == "femur_left"
    torch.testing.assert_close(answer.logits, answer.candidates[1])
    assert torch.equal(answer.mask, answer.logits > 0)
    assert known.predict("left femur", multimask=False).candidates.shape == (1, 40, 90)


def test_words_below_the_threshold_are_answered_as_not_visible():
    calibration = {"slope": 1.0, "offset": 0.1, "visible": 0.5}
    sam = shown(FluoroSam(KnownNetwork({"calibration": calibration}), device="cpu"))
    there, absent = sam.predict_many([Prompt("left femur"), Prompt("spleen")])
    assert there.visible and there.confidence == pytest.approx(0.85)
    assert not absent.visible and absent.confidence == pytest.approx(0.25) and not bool(absent.mask.any())
    pointed = sam.predict("spleen", points=[[70, 20]])
    assert pointed.visible and bool(pointed.mask[19, 69])


def test_a_network_that_tells_what_is_there_decides_by_that():
    network = KnownNetwork({"calibration": {"visible": 0.9, "presence": 0.6}})
    network.tells = True
    sam = shown(FluoroSam(network, device="cpu"))
    there, absent, pointed = sam.predict_many(
        [Prompt("left femur"), Prompt("spleen"), Prompt(points=[[70, 20]], labels=[1])]
    )
    assert there.visible and there.confidence < 0.9 and not absent.visible and pointed.visible
    assert (there.presence, absent.presence) == pytest.approx((0.8808, 0.1192), abs=1e-4) and pointed.presence is None
    assert sam.predict("spleen", points=[[70, 20]]).visible
    old = FluoroSam(KnownNetwork({"calibration": {"visible": 0.9, "presence": 0.6}}), device="cpu")
    assert not shown(old).predict("left femur").visible


def test_a_mask_of_nothing_is_not_visible(known):
    answer = shown(known).predict(points=[[30, 20]], labels=[0])
    assert not answer.visible and not bool(answer.mask.any())


def test_an_earlier_answer_its_logits_or_its_mask_can_be_refined(known):
    shown(known)
    first = known.predict(points=[[20, 20]])
    for mask in (first, first.low_logits, first.mask, first.mask.numpy()):
        second = known.predict(points=[[70, 20]], mask=mask)
        assert bool(second.mask[20, 20]) and bool(second.mask[20, 70])
        agreed = (known.predict(mask=mask).mask & first.mask).sum() / (first.mask | first.mask).sum()
        assert float(agreed) > 0.8


def test_an_image_seen_before_is_not_encoded_again_and_the_oldest_is_forgotten(known):
    network = known.network
    for seed in (0, 1, 0, 1):
        known.set_image(noise(30, 40, seed), bone="bright")
    assert network.embedded == 2
    for seed in (2, 3, 4, 0):
        known.set_image(noise(30, 40, seed), bone="bright")
    assert network.embedded == 6
    known.set_image(noise(30, 40, 4), bone="bright")
    assert network.embedded == 6


def test_embeddings_stay_in_a_folder_and_answers_are_the_same(tmp_path):
    network = new_network(TINY).eval()
    answers = []
    for _ in range(2):
        sam = FluoroSam(network, device="cpu", cache=tmp_path / "kept")
        sam.set_image(noise(50, 70), bone="bright")
        answers.append(sam.predict("left femur"))
        assert sam.embeddings.misses == (1 if len(answers) == 1 else 0)
    assert torch.equal(answers[0].low_candidates, answers[1].low_candidates)
    (file,) = (tmp_path / "kept").iterdir()
    for damage in (file.read_bytes()[:100], CUT_HEADER, DECLARES_TOO_MUCH):
        file.write_bytes(damage)
        sam = FluoroSam(network, device="cpu", cache=tmp_path / "kept")
        sam.set_image(noise(50, 70), bone="bright")
        assert sam.embeddings.misses == 1
    other = FluoroSam(new_network(TINY, seed=1).eval(), device="cpu", cache=tmp_path / "kept")
    other.set_image(noise(50, 70), bone="bright")
    assert other.embeddings.misses == 1


def test_a_text_is_encoded_once(known):
    shown(known).predict_many([Prompt("left femur"), Prompt("skull"), Prompt("left femur")])
    known.predict(" left  femur ")
    assert known.text_encoder.seen == ["left femur", "skull"]


def test_many_prompts_in_one_pass_are_as_each_alone(monkeypatch):
    sam = FluoroSam(new_network(TINY, seed=3), device="cpu")
    sam.set_image(noise(70, 50), bone="bright")
    first = sam.predict("left femur")
    prompts = [
        Prompt("left femur"),
        Prompt(points=[[10, 20], [30.5, 60]], labels=[1, 0]),
        Prompt("skull", points=[[25, 30]], box=[5, 6, 40, 60]),
        Prompt(box=np.array([1, 2, 30, 40])),
        Prompt(mask=first),
        Prompt("right hip", mask=first.low_logits, points=torch.tensor([[4.0, 4.0]])),
    ]
    alone = [sam.predict_many([prompt])[0] for prompt in prompts]
    together = sam.predict_many(prompts)
    monkeypatch.setitem(MOST_VALUES, "cpu", 2 * 4 * TINY.mask_size**2)
    chunked = sam.predict_many(prompts)
    for one, two, three in zip(alone, together, chunked, strict=True):
        torch.testing.assert_close(one.low_candidates, two.low_candidates, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(one.low_candidates, three.low_candidates, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(one.confidences, two.confidences, atol=1e-5, rtol=1e-4)


def test_an_embedded_xray_is_asked_beside_the_current_one(known):
    other = known.embed(gradient(33, 44), bone="bright")
    shown(known)
    assert known.predict_many([Prompt("skull")], image=other)[0].mask.shape == (33, 44)
    assert known.predict("skull").mask.shape == (40, 90)


def test_words_unknown_to_the_vocabulary_are_refused_unless_allowed(known):
    with pytest.raises(InputError, match="must name something known, got 'flux capacitor'; such as"):
        shown(known).predict("flux capacitor")
    free = shown(FluoroSam(KnownNetwork(), device="cpu", any_words=True))
    answer = free.predict("flux capacitor")
    assert answer.target is None and bool(answer.mask.any())
    assert free.suggest("left fem")[0] == "left femur"


def test_weights_are_loaded_from_a_folder_and_from_a_published_checkpoint(tmp_path):
    save_network(new_network(TINY, seed=5), tmp_path / "ours", trained_on={"calibration": {"visible": 0.3}})
    sam = FluoroSam.from_pretrained(tmp_path / "ours", device="cpu")
    assert sam.confidence_map.visible == 0.3
    sam.set_image(noise(30, 60), bone="dark")
    assert sam.predict("skull").logits.shape == (30, 60)


@pytest.mark.slow
def test_a_published_checkpoint_answers_words_and_points(tmp_path):
    state = {**published_tensors(SMALL), **leftovers(SMALL)}
    path = write_checkpoint(tmp_path / "fluorosam.ckpt", state)
    sam = FluoroSam.from_pretrained(path, device="cpu")
    sam.set_image(noise(120, 80), bone="bright")
    words, point = sam.predict_many([Prompt("left femur"), Prompt(points=[[40, 50]])])
    assert words.candidates.shape == (3, 120, 80) and point.mask.shape == (120, 80)


def test_missing_truncated_and_malicious_weights_end_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.fluorosam.network.network_weights.SHIPPED", tmp_path / "none")
    with pytest.raises(FileError, match="the network that ships with xraykit-fluorosam must lie in its folder"):
        FluoroSam.from_pretrained("shipped")
    with pytest.raises(FileError, match="nothing is there"):
        FluoroSam.from_pretrained(tmp_path / "gone")
    whole = save_network(new_network(TINY), tmp_path / "ours")
    whole.write_bytes(whole.read_bytes()[:1000])
    with pytest.raises(FileError, match="must be a whole safetensors file"):
        FluoroSam.from_pretrained(tmp_path / "ours")
    torch.save({"state_dict": Malice(tmp_path / "ran")}, tmp_path / "evil.ckpt")
    with pytest.raises(FileError):
        FluoroSam.from_pretrained(tmp_path / "evil.ckpt")
    assert not (tmp_path / "ran").exists()


class Malice:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        from pathlib import Path

        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "calibration",
    [3, {"slope": "steep"}, {"visible": float("nan")}, {"table": [[0.5, 0.2], [0.1, 0.4]]}, {"table": [1, 2]}],
)
def test_a_broken_calibration_is_refused(calibration):
    with pytest.raises(FileError, match="the calibration of weights must be numbers"):
        FluoroSam(KnownNetwork({"calibration": calibration}), device="cpu")


def test_a_table_of_calibration_is_linear_between_its_rows():
    sam = FluoroSam(KnownNetwork({"calibration": {"table": [[0.5, 0.0], [1.0, 0.8]]}}), device="cpu")
    assert shown(sam).predict("skull").confidences.tolist() == pytest.approx([0.0, 0.4, 0.0])


def test_a_text_encoder_of_another_length_and_a_missing_device_are_refused():
    class Long:
        dimension = 77

    with pytest.raises(InputError, match="vectors of length 16, got 77"):
        FluoroSam(KnownNetwork(), device="cpu", text_encoder=Long())
    with pytest.raises(InputError, match="--device must be"):
        FluoroSam(KnownNetwork(), device="abacus")


@pytest.mark.parametrize(
    "given, words",
    [
        ({}, "must have text, points, a box or a mask"),
        ({"text": " "}, "must say in words what to find"),
        ({"text": "femur " * 60}, "45 words and 250 characters at most"),
        ({"text": "<b>femur</b>"}, "the markup '<'"),
        ({"text": "left\x07femur"}, "control characters"),
        ({"text": "бедро"}, "must be in English"),
        ({"text": "femur and tibia"}, "must name one thing"),
        ({"text": 7}, "must be text, got int"),
        ({"points": [[91, 20]]}, "must lie in the image of 90 x 40 pixels, got 91, 20"),
        ({"points": [[-1, 20]]}, "must lie in the image"),
        ({"points": [[float("nan"), 20]]}, "got nan, 20"),
        ({"points": [[4, 5, 6]]}, r"points must be \(N, 2\)"),
        ({"points": []}, r"points must be \(N, 2\)"),
        ({"points": "here"}, "points must be numbers"),
        ({"points": [[4, 5]], "labels": [2]}, "labels must be 1"),
        ({"points": [[4, 5]], "labels": [1, 0]}, "labels must be 1"),
        ({"labels": [1]}, r"labels alone|must have text"),
        ({"text": "femur", "labels": [1]}, "labels alone"),
        ({"box": [30, 5, 20, 30]}, "left < right and top < bottom, got 30, 5, 20, 30"),
        ({"box": [20, 5, 20, 30]}, "left < right"),
        ({"box": [20, 5, 30, float("inf")]}, "left < right"),
        ({"box": [20, 5, 95, 30]}, "must lie in the image"),
        ({"box": [1, 2, 3]}, "left, top, right, bottom, got 1, 2, 3"),
        ({"mask": torch.zeros(32, 32)}, "its low_logits 64x64"),
        ({"mask": torch.zeros(39, 90, dtype=torch.bool)}, "40x90 bool, got"),
        ({"mask": torch.full((64, 64), float("nan"))}, "finite logits"),
    ],
)
def test_prompts_that_cannot_be_are_refused(known, given, words):
    shown(known)
    with pytest.raises(InputError, match=words):
        known.predict(**given)


def test_an_answer_for_another_xray_is_no_mask_prompt(known):
    answer = shown(known).predict("skull")
    shown(known, 41, 90)
    with pytest.raises(InputError, match="an answer for this X-ray"):
        known.predict("skull", mask=answer)


def test_a_prompt_before_an_image_is_refused(known):
    with pytest.raises(InputError, match="call set_image first"):
        known.predict("skull")
    assert shown(known).predict_many([]) == []
