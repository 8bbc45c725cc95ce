"""Fracture studies: labels are the patients' fractures, decoys know nothing of them, the truth is that of the views."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.corr_training import write_tissue_job
from xraykit.corr.ground_truth import correspondences, grid_support
from xraykit.corr.studies import (
    FractureStudySettings,
    fracture_report,
    make_fracture_studies,
    read_studies,
    read_truth,
)
from xraykit.corr.studies.fracture_studies import WINDOW, _square_projection, fracture_in
from xraykit.render import FileError, InputError, OutputError, read_radiograph
from xraykit.render.dataset import ReadingOrder, XrayDataset

pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-corr[evaluate]'")

pytestmark = pytest.mark.filterwarnings("ignore:.*mean of empty slice")


def samples_of(job):
    order = ReadingOrder(shuffle=False)
    return list(XrayDataset(job, order=order, parts=("image", "tissue"), rank=0, world_size=1))


def pretend(monkeypatch, broken):
    """Blocks of tissue as procedural patients, of whom those with these numbers are broken, and seen to be."""
    monkeypatch.setattr(
        "xraykit.corr.studies.fracture_studies.fracture_in",
        lambda samples: (samples[0].patient in broken, samples[0].patient != 1),
    )


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_tissue_job(tmp_path_factory.mktemp("job"), patients=5, views=2)


@pytest.fixture
def made(job, tmp_path, monkeypatch):
    pretend(monkeypatch, {1, 2, 4})
    return make_fracture_studies([job], tmp_path / "out", FractureStudySettings(grid=8))


def test_a_break_that_no_view_shows_makes_no_study(made):
    assert [(study.name[-1], study.label) for study in sorted(made.studies, key=lambda s: s.name)] == [
        ("0", 0),
        ("2", 1),
        ("3", 0),
        ("4", 1),
    ]
    assert [name[-1] for name, _ in made.left_out] == ["1"]
    assert "no view shows the middle of its fracture" in made.left_out[0][1]
    assert read_studies(made.manifest, min_images=2) == made.studies
    text = "\n".join(fracture_report(made).sections)
    assert "tells the label" in text and "| correspondence |" in text


def test_images_are_the_line_integrals_but_for_decoys(made, job):
    samples = {(sample.patient, place): sample for place, sample in enumerate(samples_of(job))}
    step = (WINDOW[1] - WINDOW[0]) / 65_535
    changed = set()
    for study in made.studies:
        patient = int(study.name[-6:])
        of_patient = [sample for (number, _), sample in samples.items() if number == patient]
        for image, sample in zip(study.images, of_patient, strict=True):
            radiograph = read_radiograph(image.path)
            assert radiograph.polarity == "log_attenuation"
            lines = radiograph.pixels[0] * step + WINDOW[0]
            if float((lines - sample.log_attenuation()[0]).abs().max()) > 0.01:
                changed.add(study.name)
    assert changed == set(made.decoys)


def test_the_truth_is_the_correspondence_of_the_views(made, job):
    study = made.studies[0]
    samples = [sample for sample in samples_of(job) if sample.patient == int(study.name[-6:])]
    tissue = samples[0].tissue
    views = torch.stack([_square_projection(sample) for sample in samples])
    expected = correspondences(grid_support(tissue.classes, tissue.affine), views, grid=8)
    found = read_truth(made.manifest.parent / "correspondences.npz", [study], views=2, grid=8)[0].float() / 255
    assert float((found - expected).abs().max()) <= 1 / 510 + 1e-6


def test_decoys_follow_from_the_study_and_not_from_its_label(job, tmp_path, monkeypatch, made):
    pretend(monkeypatch, set())
    other = make_fracture_studies([job], tmp_path / "other", FractureStudySettings(grid=8))
    assert set(made.decoys) == set(other.decoys) - {name for name, _ in made.left_out}
    all_of_them = make_fracture_studies([job], tmp_path / "all", FractureStudySettings(decoys=1.0, grid=8))
    assert len(all_of_them.decoys) == len(all_of_them.studies)


def test_what_cannot_be_made_is_refused_and_nothing_is_written(job, tmp_path, made, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(FileError, match="must be of a procedural patient, whose fractures are known"):
        make_fracture_studies([job], tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(OutputError, match=r"already holds studies.csv"):
        make_fracture_studies([job], made.manifest.parent)
    with pytest.raises(InputError, match="data sets of different names, got job, job"):
        make_fracture_studies([job, job], tmp_path / "new")
    pretend(monkeypatch, set())
    with pytest.raises(InputError, match="studies with 1 or more X-rays, got none"):
        make_fracture_studies([job], tmp_path / "new", FractureStudySettings(min_images=3))


def test_a_fracture_counts_where_a_view_shows_its_middle(job):
    sample = samples_of(job)[0]
    height, width = sample.camera.height, sample.camera.width

    def with_mark(broken, name, visible):
        marks = {name: {"world": [0, 0, 0], "uv": [width / 2, height / 2], "visible": visible}}
        findings = {"fractures": [{"bone": "tibia_left"}] if broken else []}
        return replace(sample, record={**sample.record, "landmarks": marks, "description": {"findings": findings}})

    assert fracture_in([with_mark(True, "fracture_tibia_left", False)]) == (True, False)
    seen = [with_mark(True, "fracture_tibia_left", False), with_mark(True, "fracture_tibia_left", True)]
    assert fracture_in(seen) == (True, True)
    assert fracture_in([with_mark(True, "tibia_left", True)]) == (True, False)
    assert fracture_in([with_mark(False, "tibia_left", True)]) == (False, False)


@pytest.mark.parametrize(
    "change, sentence",
    [({"decoys": 2.0}, "decoys must be a prob"), ({"grid": 0}, "grid must be"), ({"seed": -1}, "seed 0 or more")],
)
def test_impossible_settings_are_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        FractureStudySettings(**change)


@pytest.mark.slow
def test_real_patients_make_broken_and_whole_studies(tmp_path):
    from xraykit.render.dataset import (
        DatasetConfig,
        ImageSettings,
        PatientSources,
        PhysicsSettings,
        ProceduralPatients,
        ToolSettings,
        ViewSettings,
        make_dataset,
    )

    views = [f"knee_{kind}_{side}" for side in ("left", "right") for kind in ("ap", "lateral")]
    config = DatasetConfig(
        seed=2,
        patients=PatientSources(ProceduralPatients(8, {"knee": 1.0}, 48, {"fracture": 0.5, "implant": 0.0})),
        views=ViewSettings(2, tuple(views), 0.0, in_turn=True),
        tools=ToolSettings(share=0.0),
        physics=PhysicsSettings(model="drr"),
        image=ImageSettings((64, 64), tissue=32),
        split={"train": 1.0},
    )
    make_dataset(config, tmp_path / "job", workers=1)
    made = make_fracture_studies([tmp_path / "job"], tmp_path / "out", twins=2)
    assert {study.label for study in made.studies} == {0, 1}
    assert all(image.projection.startswith("knee_") for study in made.studies for image in study.images)
    assert made.twins is not None and made.twins.mean < made.twins.scale
    assert np.isfinite(made.twins.changed)


def test_balanced_studies_have_as_many_broken_as_whole_in_each_region_and_split(job, tmp_path, monkeypatch):
    pretend(monkeypatch, {2, 3, 4})
    made = make_fracture_studies([job], tmp_path / "out", FractureStudySettings(grid=8, balance=True))
    labels = {}
    for study in made.studies:
        labels.setdefault(study.split, []).append(study.label)
    assert labels and all(2 * sum(each) == len(each) for each in labels.values())
    kept = {image.path.name for study in made.studies for image in study.images}
    assert {path.name for path in (tmp_path / "out" / "images").iterdir()} == kept
    assert any("has more of its label in the split" in reason for _, reason in made.left_out)
