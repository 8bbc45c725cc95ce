"""Probes find what tells the label, and find nothing where nothing does; twins are compared in the same views."""

import numpy as np
import pytest
import torch
from support.corr_pairs import projection
from xraykit.corr.studies import StudyFacts, TwinDifference, leak_checks, twin_check


def facts(count, *, leak=0.0, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        label = number % 2
        matches = rng.normal(0, 1, 32).astype(np.float32)
        matches[3] += leak * label
        size = (float(rng.normal(9000, 100)),) * 2
        made.append(
            StudyFacts(f"s{number}", label, "knee", bool(rng.random() < 0.5), size, size, (200.0, 210.0), matches)
        )
    return made


def test_nothing_is_found_where_nothing_is():
    checks = {check.name: check for check in leak_checks(facts(120))}
    assert set(checks) == {"correspondence", "region", "decoy", "file size", "mean grey", "field size"}
    assert not any(check.tells for check in checks.values())
    assert all(check.low <= check.auroc <= check.high for check in checks.values())
    assert checks["region"].auroc == pytest.approx(0.5)


def test_a_correspondence_that_tells_the_label_is_found():
    checks = {check.name: check for check in leak_checks(facts(120, leak=8.0))}
    assert checks["correspondence"].tells and checks["correspondence"].auroc > 0.9
    assert not checks["file size"].tells


def test_too_few_studies_give_no_number():
    assert all(np.isnan(check.auroc) and not check.tells for check in leak_checks(facts(2)))


def test_twins_differ_less_than_persons_do(monkeypatch):
    made = []

    def patient(*, seed, region, settings):
        made.append((seed, region, settings.findings.fracture))
        return type("P", (), {"volume": (seed, settings.findings.fracture)})

    def matrix(support, first, second, *, grid):
        seed, fracture = support
        base = torch.rand(grid**2, grid**2, generator=torch.Generator().manual_seed(seed))
        base[0, 0] = 0.5 + 0.3 * fracture
        return base

    monkeypatch.setattr("xraykit.corr.studies.twins.generate_patient", patient)
    monkeypatch.setattr("xraykit.corr.studies.twins.volume_support", lambda volume, cells: volume)
    monkeypatch.setattr("xraykit.corr.studies.twins.correspondence", matrix)
    views = torch.stack([projection(0.0), projection(90.0)])
    described = [{"seed": 4, "region": "knee"}, {"seed": 9, "region": "hip"}]
    found = twin_check(described, [views, views], grid=4)
    assert made == [(4, "knee", 0.0), (4, "knee", 1.0), (9, "hip", 0.0), (9, "hip", 1.0)]
    assert isinstance(found, TwinDifference) and found.twins == 2
    assert found.largest == pytest.approx(0.3) and found.mean == pytest.approx(0.3 / 256)
    assert found.scale > 100 * found.mean and found.changed == pytest.approx(1 / 256)
    assert twin_check([], []) is None
