"""The network that comes with the package: small, with its card; it knows lungs, their sides, and what a box holds."""

from __future__ import annotations

import pytest
import torch
from xraykit.fluorosam import FluoroSam, load_network
from xraykit.fluorosam.evaluate import mask_overlap, tight_box
from xraykit.fluorosam.network.network_weights import SHIPPED
from xraykit.render import Camera, PatientSettings, carm_pose, generate_patient, simulate

SIDE = 192


@pytest.fixture(scope="module")
def chests():
    """Two patients from behind, that no training ever saw: grey values and masks."""
    camera = Camera(sdd=1100.0, height=SIDE, width=SIDE, pixel_spacing=720 / SIDE)
    made = []
    for seed in (3002, 3003):
        patient = generate_patient(seed=seed, region="thorax", settings=PatientSettings(size=96))
        pose = carm_pose(lao_rao=180.0, sod=800.0, isocenter=patient.volume.center)
        made.append(simulate(patient.scene(), camera, pose, seed=1))
    return made


@pytest.fixture(scope="module")
def sam():
    return FluoroSam.from_pretrained("shipped", device="cpu")


def lung(masks, side):
    lobes = [masks.mask(name)[0] for name in masks.names if name.startswith("lung_") and name.endswith(side)]
    return torch.stack(lobes).any(0)


def test_it_is_small_and_tells_what_it_learned_from():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 25_000_000
    assert {"calibration", "data", "seed"} <= set(load_network("shipped").trained_on)
    card = (SHIPPED / "card.md").read_text(encoding="utf-8")
    assert all(word in card for word in ("licence", "seed", "xraykit fluorosam train", "Dice"))


def test_words_find_each_lung_on_its_side(sam, chests):
    overlaps = []
    for made in chests:
        sam.set_image(made.log_attenuation[0, 0], bone="bright")
        for side, other in (("left", "right"), ("right", "left")):
            found = sam.predict(f"{side} lung")
            assert found.visible
            own, twin = (mask_overlap(found.mask, lung(made.masks, each)).dice for each in (side, other))
            assert own > twin
            overlaps.append(own)
    assert sum(overlaps) / len(overlaps) > 0.45


def test_a_box_around_a_heart_finds_it(sam, chests):
    for made in chests:
        sam.set_image(made.log_attenuation[0, 0], bone="bright")
        truth = made.masks.mask("heart")[0]
        assert mask_overlap(sam.predict(box=tight_box(truth)).mask, truth).dice > 0.7


def test_an_earlier_answer_beside_clicks_changes_nothing_and_a_mask_of_ones_own_does(sam, chests):
    sam.set_image(chests[0].log_attenuation[0, 0], bone="bright")
    before = sam.predict("right lung")
    alone, again, shown = (
        sam.predict("right lung", points=[(60.0, 80.0)], labels=[1], mask=mask) for mask in (None, before, before.mask)
    )
    torch.testing.assert_close(again.logits, alone.logits, rtol=1e-4, atol=1e-4)
    assert float((shown.logits - alone.logits).abs().max()) > 0.1
