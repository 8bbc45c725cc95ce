"""The checker finds what is doubtful, and says what to do."""

from __future__ import annotations

from dataclasses import replace

from support.corr_annotations import annotated
from xraykit.corr.data.annotation_check import check_annotations
from xraykit.corr.data.annotations import AnnotatedPair, AnnotatedPoint, read_annotations
from xraykit.corr.data.xray_size import xray_size


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
