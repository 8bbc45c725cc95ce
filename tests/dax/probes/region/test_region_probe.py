"""The region probe judges every image once, by classifiers that never saw its patient, and its report says so."""

from dataclasses import replace

import numpy as np
import pytest
from support.dax_probes import toy_images, toy_store
from support.few_draws import few_draws
from xraykit.dax.probes import comparison, grouped_folds
from xraykit.dax.probes.region import RegionRow, region_rows
from xraykit.dax.probes.region.region_report import region_report
from xraykit.render import InputError
from xraykit.render.evaluation import read_rows, write_rows

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
drawing = few_draws(comparison)


def test_every_image_is_judged_once_by_each_classifier(tmp_path):
    store = toy_store(tmp_path)
    folds, told = grouped_folds(store.patients, store.labels, folds=4), []
    rows = region_rows(store, folds, backbone="toy", report=lambda done, total: told.append((done, total)))
    for head in ("linear", "published", "knn"):
        mine = {row.case: row for row in rows if row.head == head}
        assert set(mine) == set(store.names) and len(rows) == 3 * 24
        for n, name in enumerate(store.names):
            row = mine[name]
            assert (row.truth, row.patient, row.fold) == (store.labels[n], store.patients[n], folds[n])
            assert row.inputs == store.digest and 0 <= row.probability <= 1
    assert told[-1] == (12, 12)


def test_grey_values_that_tell_the_class_are_found_by_the_linear_head(tmp_path):
    store = toy_store(tmp_path)
    rows = region_rows(store, grouped_folds(store.patients, store.labels, folds=4), backbone="toy", heads=("linear",))
    assert np.mean([row.truth == row.found for row in rows]) > 0.9


def test_features_that_only_tell_patients_apart_score_at_chance(tmp_path):
    """Each patient's vector is its own and says nothing of the class: mixed patients would score 100 %."""
    images = toy_images(96, patients=24)
    rng = np.random.default_rng(0)
    vectors, classes = rng.standard_normal((24, 40)), rng.integers(0, 2, 24)
    patients = [int(one.patient[1:]) for one in images]
    store = replace(
        toy_store(tmp_path, images),
        pooled=vectors[patients].astype(np.float32),
        labels=tuple(f"c{classes[p]}" for p in patients),
    )
    rows = region_rows(store, grouped_folds(store.patients, store.labels), backbone="toy", heads=("linear", "knn"))
    for head in ("linear", "knn"):
        assert np.mean([row.truth == row.found for row in rows if row.head == head]) < 0.75


def test_one_class_and_missing_labels_are_refused(tmp_path):
    store = toy_store(tmp_path)
    folds = grouped_folds(store.patients, folds=4)
    with pytest.raises(InputError, match="a label for each image and two classes, got same"):
        region_rows(replace(store, labels=("same",) * 24), folds, backbone="toy")
    with pytest.raises(InputError, match="a label for each image"):
        region_rows(replace(store, labels=("", *store.labels[1:])), folds, backbone="toy")


def test_a_patient_in_two_folds_is_refused(tmp_path):
    with pytest.raises(InputError, match="a patient must be in one fold"):
        region_rows(toy_store(tmp_path), [n % 3 for n in range(24)], backbone="toy")


def made_rows(backbone: str, wrong: float, *, seed: int = 0) -> list[RegionRow]:
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(60):
        truth = n % 3
        found = (truth + 1) % 3 if rng.random() < wrong else truth
        names = (f"i{n:02d}", f"p{n // 3:02d}", n // 3 % 5, "digest", f"c{truth}", f"c{found}")
        rows.append(RegionRow(backbone, "linear", *names, 0.9))
    return rows


def test_the_report_is_made_from_rows_alone(tmp_path):
    rows = [*made_rows("good", 0.1), *made_rows("poor", 0.6, seed=1)]
    read = read_rows(write_rows(tmp_path / "rows.csv", rows), RegionRow)
    report = region_report(read)
    accuracy = {one["name"]: one for one in report.numbers["accuracy"]}
    for name in ("good", "poor"):
        share = np.mean([row.truth == row.found for row in rows if row.backbone == name])
        one = accuracy[f"{name}, linear"]
        assert one["score"] == pytest.approx(share) and one["low"] < share < one["high"]
    (apart,) = report.numbers["differences"]["linear"]
    assert apart["difference"] > 0 and apart["low"] > 0 and apart["p"] < 0.01
    assert np.trace(report.numbers["confusions"]["good, linear"]) == 60 * accuracy["good, linear"]["score"]


def test_a_backbone_does_not_differ_from_itself():
    rows = [*made_rows("one", 0.3), *made_rows("two", 0.3)]
    (apart,) = region_report(rows).numbers["differences"]["linear"]
    assert apart["difference"] == 0 and apart["p"] == 1


def test_backbones_of_other_images_are_refused():
    with pytest.raises(InputError, match="judged on the same cases"):
        region_report([*made_rows("one", 0.3), *made_rows("two", 0.3)[:-3]])
