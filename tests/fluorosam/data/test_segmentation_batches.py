"""Batches follow from their number, masks show what the text asks for, and texts are true of the image."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.fluorosam_jobs import CONFIG, KNEE, PELVIS, WIRE, texts_for_all, write_segmentation_job
from xraykit.fluorosam.data import (
    FramingSettings,
    SegmentationBatches,
    SegmentationChanges,
    TargetTexts,
    prepare_segmentations,
    prepare_windows,
)
from xraykit.fluorosam.prompts import TextPrompt
from xraykit.render import InputError

NONE = SegmentationChanges.none()
MIRRORED = replace(NONE, framing=replace(NONE.framing, mirror=1.0))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fluorosam")
    return prepare_segmentations([write_segmentation_job(folder / "job")], CONFIG, folder / "prepared")


@pytest.fixture(scope="module")
def texts():
    return texts_for_all("pelvis_ap", "knee_ap_left", "knee_ap_right")


def batches(store, texts, changes=None, *, numbers=range(8), **options):
    return SegmentationBatches(store, numbers, texts, changes, **{"batch": 4, "prompts": 5, **options})


def same(first, second):
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(first, second, strict=True))


def test_a_batch_has_the_shapes_and_ranges_of_the_contract(store, texts):
    one = batches(store, texts, SegmentationChanges(), absent=0.3).batch(0)
    assert one.images.shape == (4, 3, 64, 64) and one.images.dtype == torch.float32
    assert float(one.images.abs().max()) <= 1 and bool(torch.isfinite(one.images).all())
    assert one.masks.shape == (4, 5, 64, 64) and one.masks.dtype == torch.bool
    assert one.absent.shape == (4, 5) and one.shown.shape == (4, 2)
    assert bool((one.masks.any(dim=(2, 3)) != one.absent).all())
    assert all(len(row) == 5 and all(row) for row in (*one.texts, *one.targets))


def test_a_batch_follows_from_its_number_and_items_from_their_place(store, texts):
    changes = SegmentationChanges()
    whole = batches(store, texts, changes, batch=4, seed=3)
    assert same(whole.batch(1), batches(store, texts, changes, batch=4, seed=3).batch(1))
    parts = [batches(store, texts, changes, batch=2, seed=3, rank=rank, ranks=2).batch(1) for rank in range(2)]
    assert torch.equal(torch.cat([part.images for part in parts]), whole.batch(1).images)
    assert torch.equal(torch.cat([part.masks for part in parts]), whole.batch(1).masks)
    assert sum((part.texts for part in parts), ()) == whole.batch(1).texts
    assert not same(whole.batch(1), batches(store, texts, changes, batch=4, seed=4).batch(1))
    assert not same(whole.batch(0), whole.batch(2))  # another epoch


@pytest.mark.slow
def test_workers_make_the_same_batches(store, texts):
    alone, team = batches(store, texts, SegmentationChanges()), batches(store, texts, SegmentationChanges(), workers=1)
    try:
        assert same(team.batch(2), alone.batch(2)) and same(team.batch(3), alone.batch(3))
    finally:
        team.close()


def test_every_image_comes_once_in_an_epoch(store, texts):
    made = batches(store, texts, batch=4)
    assert sorted(made.batch(0).numbers + made.batch(1).numbers) == list(range(8)) == sorted(made.numbers)


def test_unchanged_images_are_those_of_use(store, texts):
    one = batches(store, texts).batch(0)
    for image, number in zip(one.images, one.numbers, strict=True):
        expected = prepare_windows(store.image(number), CONFIG, bone="bright").image
        assert torch.allclose(image, expected, atol=2e-5)


def test_masks_are_those_of_what_is_asked_for(store, texts):
    truth = {"femur_right": PELVIS["femur_right"], "femur_left": PELVIS["femur_left"], "k_wire": WIRE["k_wire_1"]}
    truth |= {"femur": truth["femur_left"] | truth["femur_right"], "metal": truth["k_wire"]}
    found = Counter()
    for n in range(8):
        one = batches(store, texts, numbers=[0], batch=1).batch(n)
        for target, mask in zip(one.targets[0], one.masks[0], strict=True):
            if target in truth and mask.any():
                found[target] += 1
                assert (mask.numpy() == truth[target]).all()
    assert set(found) == set(truth)


def test_a_mirrored_patient_exchanges_left_and_right_in_targets_and_texts(store, texts):
    sides = Counter()
    for n in range(6):
        one = batches(store, texts, MIRRORED, numbers=[1], batch=1, absent=0.0).batch(n)
        for target, text, mask in zip(one.targets[0], one.texts[0], one.masks[0], strict=True):
            if target in ("femur_left", "femur_right"):
                source = {"femur_left": "femur_right", "femur_right": "femur_left"}[target]
                assert (mask.numpy() == PELVIS[source][:, ::-1]).all()
                sides[target] += 1
                assert text in {o.text for o in texts[target] if o.view in ("", "pelvis_ap")}
    assert len(sides) == 2


def test_a_mirrored_left_knee_is_a_right_one_and_the_left_is_then_absent(store, texts):
    seen, lacked = set(), set()
    for n in range(20):
        one = batches(store, texts, MIRRORED, numbers=[3], batch=1, absent=0.5).batch(n)
        for target, mask, absent in zip(one.targets[0], one.masks[0], one.absent[0], strict=True):
            (lacked if absent else seen).add(target)
            if target == "femur_right":
                assert (mask.numpy() == KNEE["femur_left"][:, ::-1]).all()
    assert {"femur_right", "tibia_right"} <= seen and not {"femur_left", "tibia_left"} & seen
    assert "femur_left" in lacked and "femur_right" not in lacked


def test_images_with_organs_of_one_side_are_never_mirrored(store, texts):
    for n in range(4):
        one = batches(store, texts, MIRRORED, numbers=[6], batch=1, absent=0.0).batch(n)
        plain = batches(store, texts, NONE, numbers=[6], batch=1, absent=0.0).batch(n)
        assert torch.equal(one.images, plain.images) and "femur_right" not in one.targets[0]


def test_a_pa_chest_is_also_seen_as_people_see_it_without_an_exchange(store, texts):
    shown = replace(NONE, framing=replace(NONE.framing, displayed=1.0))
    one, plain = (batches(store, texts, how, numbers=[6], batch=1, absent=0.0).batch(0) for how in (shown, NONE))
    assert torch.allclose(one.images.flip(-1), plain.images, atol=1e-6)
    assert torch.equal(one.masks.flip(-1), plain.masks)


def test_what_a_crop_leaves_out_is_absent(store, texts):
    far = replace(NONE, framing=replace(NONE.framing, zoom=(4.0, 4.0), shift=0.3))
    gone = 0
    for n in range(12):
        one = batches(store, texts, far, numbers=[1], batch=1, prompts=8, absent=0.5).batch(n)
        here = {t for t, absent in zip(one.targets[0], one.absent[0], strict=True) if not absent}
        lacked = {t for t, absent in zip(one.targets[0], one.absent[0], strict=True) if absent}
        assert not here & lacked
        gone += len(lacked & {"femur_left", "femur_right"})
    assert gone


def test_the_share_of_absent_prompts_is_the_one_asked_for(store, texts):
    for share in (0.0, 0.25, 1.0):
        made = batches(store, texts, batch=8, prompts=16, absent=share, numbers=range(6))
        found = torch.cat([made.batch(n).absent for n in range(4)]).float().mean()
        assert float(found) == pytest.approx(share, abs=0.08)
        if share in (0.0, 1.0):
            assert float(found) == share


def test_one_prompt_may_be_an_absent_one(store, texts):
    found = [batches(store, texts, batch=8, prompts=1, absent=0.5).batch(n).absent for n in range(4)]
    assert 0.2 < float(torch.cat(found).float().mean()) < 0.8


def test_rare_targets_come_more_often_than_others(store, texts):
    count = Counter()
    for n in range(60):
        one = batches(store, texts, numbers=range(3), batch=3, prompts=1, absent=0.0, seed=n).batch(0)
        count.update(row[0] for row, number in zip(one.targets, one.numbers, strict=True) if number == 0)
    rare = [count[target] for target in ("k_wire", "metal")]  # in one of three images, the others in all
    common = [count[target] for target in ("femur", "femur_left", "femur_right", "long_bones", "bones")]
    assert np.mean(rare) > 1.2 * np.mean(common)


def test_tools_come_as_much_more_often_as_is_asked_for(store, texts):
    share = {}
    for tools in (1.0, 20.0):
        made = batches(store, texts, numbers=[0], batch=64, prompts=1, absent=0.0, tools=tools).batch(0)
        share[tools] = np.mean([row[0] in ("k_wire", "metal") for row in made.targets])
    assert share[1.0] < 0.5 and share[20.0] > 0.75


def test_held_out_wordings_stay_out_of_training(store, texts):
    for wording in ("train", "held_out"):
        allowed = {one.text for found in texts.values() for one in found if one.split == wording}
        one = batches(store, texts, SegmentationChanges(), batch=8, wording=wording).batch(0)
        assert {text for row in one.texts for text in row} <= allowed


def test_texts_of_a_view_come_in_its_images_alone(store, texts):
    of_view = {one.text: one.view for found in texts.values() for one in found if one.view}
    used = Counter()
    for changes in (NONE, MIRRORED):
        for n in range(12):
            one = batches(store, texts, changes, batch=8, seed=n).batch(0)
            for row, number in zip(one.texts, one.numbers, strict=True):
                view = store.view(number)
                mirrored = {"knee_ap_left": "knee_ap_right"}.get(view, view) if changes is MIRRORED else view
                for text in row:
                    if text in of_view and not any(text == o.text and not o.view for f in texts.values() for o in f):
                        used[of_view[text]] += 1
                        assert of_view[text] == mirrored or of_view[text][:8] == view[:8] == "knee_ap_"
    assert used["pelvis_ap"] > 5


def test_a_text_of_an_image_side_is_drawn_only_where_it_is_true():
    said = TextPrompt(
        "femur_left", "femur on the right side of the image", source="grammar/image side", view="pelvis_ap"
    )
    plain = TextPrompt("femur_left", "left femur")
    texts, rng = TargetTexts({"femur_left": [said, plain]}), np.random.default_rng(0)

    def drawn(**facts):
        return {texts.draw("femur_left", rng, **facts) for _ in range(20)}

    assert drawn(view="pelvis_ap", side="right") == {said.text, plain.text}
    for facts in ({"side": "right"}, {"view": "pelvis_ap", "side": "left"}, {"view": "pelvis_ap"},
                  {"view": "pelvis_ap", "side": "right", "turned": True}):  # fmt: skip
        assert drawn(**facts) == {plain.text}


def test_image_sides_are_true_in_changed_images(store, texts):
    said = {o.text: o.target for found in texts.values() for o in found if "image side" in o.source}
    changes = SegmentationChanges(framing=FramingSettings(quarter_turns=0.2))
    checked = 0
    for n in range(12):
        one = batches(store, texts, changes, numbers=range(3), batch=3, seed=n, absent=0.0).batch(0)
        for row, masks, shown in zip(one.texts, one.masks, one.shown, strict=True):
            for text, mask in zip(row, masks, strict=True):
                if text in said:
                    middle = float(mask.nonzero()[:, 1].float().mean() + 0.5)
                    right = "right" in text.split(" on the ")[-1]
                    assert (middle > float(shown[1]) / 2) == right
                    checked += 1
    assert checked


def test_bad_numbers_are_refused_in_a_sentence(store, texts):
    for options, sentence in (
        ({"batch": 0}, "expected batch and prompts from 1"),
        ({"rank": 1}, "rank below ranks"),
        ({"absent": 1.5}, "absent must be a probability"),
        ({"tools": 0.0}, "tools must be a number above 0"),
        ({"numbers": []}, "numbers must be images from 0 to 7"),
        ({"numbers": [8]}, "numbers must be images from 0 to 7"),
        ({"wording": "both"}, "wording must be train or held_out"),
    ):
        with pytest.raises(InputError, match=sentence):
            batches(store, texts, **options)
    with pytest.raises(InputError, match="a batch's number must be 0 or more"):
        batches(store, texts).batch(-1)
    with pytest.raises(InputError, match="texts must have one of the wording train"):
        batches(store, {})
    with pytest.raises(InputError, match="at least one image must show a target"):
        batches(store, {"skull": [TextPrompt("skull", "the skull")]})
