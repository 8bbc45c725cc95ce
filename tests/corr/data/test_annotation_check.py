"""The checker finds what is doubtful, and says what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.corr_annotations import annotated
from xraykit.corr.data.annotated_pairs import AnnotatedPairs
from xraykit.corr.data.annotation_check import check_annotations
from xraykit.corr.data.annotations import AnnotatedPair, AnnotatedPoint, Annotations, read_annotations
from xraykit.corr.data.settings import XrayInputSettings
from xraykit.corr.data.xray_size import xray_size
from xraykit.render import FileError


def test_a_sound_file_has_counts_and_no_errors(tmp_path):
    annotations = read_annotations(annotated(tmp_path, samples=3, splits=("train", "val", "test")))
    found = check_annotations(annotations, grid=8, size_of=xray_size)
    assert found.is_sound
    assert found.counts["train"] == {"samples": 1, "patients": 1, "positive": 2, "negative": 2}
    assert found.doubts == ("the test split has 1 patients; an interval will be wide.",)


def test_missing_and_resized_images_are_errors(tmp_path):
    annotations = read_annotations(annotated(tmp_path, samples=2))
    (tmp_path / "0a.png").unlink()
    sample = annotations.samples[1]
    changed = replace(sample, views=(replace(sample.views[0], size=(64, 80)), sample.views[1]))
    found = check_annotations(
        replace(annotations, samples=(annotations.samples[0], changed)), grid=8, size_of=xray_size
    )
    assert not found.is_sound
    assert "0a.png" in found.errors[0]
    assert "1a.png is 64 x 64 px, but the annotations say 80 x 64" in found.errors[1]


@pytest.mark.parametrize("wrong", [0, 1])
def test_an_image_of_two_stated_sizes_is_an_error_whichever_comes_first(tmp_path, wrong):
    sample = read_annotations(annotated(tmp_path, samples=1)).samples[0]
    samples = [sample, replace(sample, id="again")]
    changed = replace(sample.views[0], size=(64, 80))
    samples[wrong] = replace(samples[wrong], views=(changed, sample.views[1]))
    (error,) = check_annotations(Annotations(tuple(samples), tmp_path), grid=8, size_of=xray_size).errors
    assert "0a.png is 64 x 64 px, but the annotations say 80 x 64" in error
    with pytest.raises(FileError, match="must be 80 x 64 px as annotated, got 64 x 64"):
        AnnotatedPairs(samples, tmp_path, XrayInputSettings(size=32))


def test_contradictions_repetitions_and_gaps_are_doubts(tmp_path):
    annotations = read_annotations(annotated(tmp_path, samples=1))
    point = AnnotatedPoint((3.0, 3.0), (3.0, 3.0), True)
    pair = AnnotatedPair((0, 1), (point, point, replace(point, match=False)))
    empty = replace(annotations.samples[0], id="empty", pairs=())
    lone = replace(annotations.samples[0], id="lone", pairs=(), views=annotations.samples[0].views[:1])
    samples = (replace(annotations.samples[0], pairs=(pair,)), empty, lone)
    doubts = " ".join(check_annotations(replace(annotations, samples=samples), grid=8).doubts)
    assert "1 points are there twice" in doubts
    assert "1 negative points lie in a pair of patches that is positive as well (8 x 8 patches)" in doubts
    assert "sample 'empty' has no points" in doubts
    assert "sample 'lone' has one view; it cannot be matched" in doubts
    assert 'no sample is in the split "val"; nothing tells when to stop.' in doubts


def test_a_file_without_training_points_is_unusable(tmp_path):
    annotations = read_annotations(annotated(tmp_path, samples=1, splits=("test",)))
    assert "there is nothing to learn from" in check_annotations(annotations, grid=8).errors[0]


def test_a_split_that_no_command_reads_is_a_doubt(tmp_path):
    annotations = read_annotations(annotated(tmp_path, samples=2, splits=("train", "Test")))
    doubts = check_annotations(annotations, grid=8).doubts
    assert '1 samples are in the split "Test"; no command reads it, they know train, val, test.' in doubts


def test_contradictions_across_entries_of_the_same_views_are_doubts(tmp_path):
    path = annotated(tmp_path, samples=1)
    content = json.loads(path.read_text(encoding="utf-8"))
    (pair,) = content["samples"][0]["pairs"]
    positive = next(point for point in pair["points"] if point["y"])
    turned = {"a": positive["b"], "b": positive["a"]}
    content["samples"][0]["pairs"].append({"views": [1, 0], "points": [{**turned, "y": 0}, {**turned, "y": 1}]})
    path.write_text(json.dumps(content), encoding="utf-8")
    doubts = " ".join(check_annotations(read_annotations(path), grid=8).doubts)
    assert "1 points are there twice" in doubts and "1 negative points lie in a pair of patches" in doubts
