"""The package's own network under evaluation, with random weights: what is asked, not how well."""

import math

import pytest
from support.dataset_shards import disc, write_dataset
from support.fluorosam_networks import TINY
from xraykit.fluorosam import FluoroSam, new_network
from xraykit.fluorosam.evaluate import AskSettings, FluoroSamMethod, JobCases, segmentation_rows

SIZE = 48


def test_every_question_gets_an_answer_of_the_image_s_size(tmp_path):
    masks = {"hip_left": disc(SIZE, 34, 24, 9), "hip_right": disc(SIZE, 13, 24, 9)}
    job = write_dataset(tmp_path / "job", {"test": [2]}, views=1, size=SIZE, masks=masks)
    asks = AskSettings(points=2, per_image=2, absent=1)
    rows = segmentation_rows(
        [FluoroSamMethod(FluoroSam(new_network(TINY), device="cpu", any_words=True))], JobCases(job), asks
    )
    kinds = {kind: sum(row.kind == kind for row in rows) for kind in {row.kind for row in rows}}
    assert kinds == {"text": 4, "text_held_out": 4, "box": 4, "points": 8, "text_points": 8, "absent": 2}
    assert all(0 <= row.confidence <= 1 for row in rows)
    assert all(0 <= row.iou <= row.dice <= 1 for row in rows if row.kind != "absent")
    assert all(math.isfinite(row.hd95) for row in rows if row.kind == "box")


@pytest.mark.parametrize("kind", ["text", "points"])
def test_the_same_image_gives_the_same_rows(tmp_path, kind):
    job = write_dataset(tmp_path / "job", {"test": [1]}, size=SIZE, masks={"femur_left": disc(SIZE, 24, 24, 9)})
    asks = AskSettings(kinds=(kind,), points=2)
    method = FluoroSamMethod(FluoroSam(new_network(TINY), device="cpu", any_words=True))
    first, second = (segmentation_rows([method], JobCases(job), asks) for _ in range(2))
    assert [(row.iou, row.confidence) for row in first] == [(row.iou, row.confidence) for row in second]
