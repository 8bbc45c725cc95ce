"""Configurations of data sets: read back as written, hashed by what has a say in the bytes, refused with reasons."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from support.dataset_jobs import write_job
from support.repo import ROOT
from xraykit.render import FileError, InputError
from xraykit.render.dataset.plan.config import (
    CTPatients,
    DatasetConfig,
    ImageSettings,
    PatientSources,
    PhysicsSettings,
    ProceduralPatients,
    ToolSettings,
    ViewSettings,
)
from xraykit.render.dataset.plan.config_file import config_text, read_dataset_config
from xraykit.render.dataset.plan.plan import apportion, make_plan
from xraykit.render.storage.settings_leaves import is_table, typed_fields

SMALL = DatasetConfig(patients=PatientSources(ProceduralPatients(count=10)), images_per_shard=40)


def read(tmp_path: Path, text: str) -> DatasetConfig:
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return read_dataset_config(path)


def keys(cls: type, place: str = "") -> list[str]:
    """Every key that the file may have, tables included."""
    found = []
    for name, (_, hint) in typed_fields(cls).items():
        found += [place + name, *(keys(hint, f"{place}{name}.") if is_table(hint) else [])]
    return found


def test_the_written_file_names_every_key():
    content = yaml.safe_load(config_text(SMALL))
    for place in keys(DatasetConfig):
        table = content
        for part in place.split("."):
            assert part in table, place
            table = table[part]


def test_an_almost_empty_file_gives_the_documented_defaults(tmp_path):
    assert read(tmp_path, "patients: {procedural: {count: 10}}\nimages_per_shard: 40\n") == SMALL


def test_what_is_written_is_read_back(tmp_path):
    config = DatasetConfig(
        seed=2**62,
        patients=PatientSources(
            ProceduralPatients(count=3, regions={"knee": 1.0, "hip": 2.5}, size=64, findings={"fracture": 1.0}),
            CTPatients(tmp_path, "*.mha", "{name}_seg.mha", "totalsegmentator_v2", "2", "CT", True),
        ),
        views=ViewSettings(7, ("pelvis_ap",), 0.1, {"femur": 0.2, "brigham": 0.3}, 0.1, True),
        tools=ToolSettings(0.9, (2, 5), ("k_wire",), tmp_path),
        physics=PhysicsSettings(kvp=(70.0, 71.0), filtration={"copper": (0.1, 0.3)}, collimation=1.0),
        labels=("ribs", "liver"),
        image=ImageSettings((100, 120), "float32", 64),
        split={"a": 1.0, "b": 1.0},
        images_per_shard=7,
        on_error="stop",
    )
    assert read(tmp_path, config_text(config)) == config


def test_drr_is_short_for_a_model(tmp_path):
    config = read(tmp_path, "patients: {procedural: {count: 1}}\nphysics: drr\n")
    assert config.physics == PhysicsSettings(model="drr")


def test_the_documentation_names_every_key():
    page = (ROOT / "docs/datasets.md").read_text(encoding="utf-8")
    assert [name for name in keys(DatasetConfig) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples/datasets").glob("*.yaml")), ids=lambda path: path.name)
def test_examples_are_legal(path):
    assert make_plan(read_dataset_config(path)).images > 0


@pytest.mark.parametrize("name, images", [("small.yaml", 40), ("mixed.yaml", 1000)])
def test_examples_are_as_large_as_they_say(name, images):
    assert make_plan(read_dataset_config(ROOT / "examples/datasets" / name)).images == images


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("patients: {procedural: {count: 1}}\nveiws: {}", "the file has no key 'veiws'; did you mean 'views'"),
        ("patients: {procedural: {cuont: 1}}", "patients.procedural has no key 'cuont'; did you mean 'count'"),
        ("seed: 1", "patients needs procedural.count or ct.folder, got neither"),
        ("patients: {procedural: {count: 1, regions: {kne: 1}}}", "regions knows no 'kne'; did you mean 'knee'"),
        (
            "patients: {procedural: {count: 1, regions: {knee: 0}}}",
            "regions must be weights from 0 to 1e.09, not all 0",
        ),
        ("patients: {procedural: {count: 1, size: 8}}", "patients.procedural.size must be 32 to 512 voxels, got 8"),
        ("patients: {ct: {folder: nowhere}}", "patients.ct.folder must name an existing file"),
        ("patients: {ct: {folder: ., series: 1.2.826.0.1}}", "patients.ct.series must be a number from 1 up"),
        ("patients: {ct: {folder: ., series: 0}}", "patients.ct.series must be a number from 1 up"),
        ("patients: {ct: {folder: ., modality: MR}}", "patients.ct.modality knows no 'MR'; choose one of CT"),
        ("views: {standard: [pelvis_a]}", "views.standard knows no 'pelvis_a'; did you mean 'pelvis_ap'"),
        ("views: {standard: knee}", 'views.standard must be a list of texts or "all", got .knee.'),
        ("views: {ranges: {femurs: 1}}", "views.ranges knows no 'femurs'; did you mean 'femur'"),
        ("views: {random: 0.6, ranges: {femur: 0.6}}", "views must be shares .* that add up to 1 at most"),
        (
            "views: {random: 0.6, orbit: 0.6}",
            "views must be shares .random, orbit and ranges. that add up to 1 at most",
        ),
        ("patients: {procedural: {count: 1, findings: {fractre: 1}}}", "findings knows no 'fractre'; did you mean 'fr"),
        ("patients: {procedural: {count: 1, findings: {implant: 2}}}", "findings must be probabilities from 0 to 1"),
        ("image: {tissue: 4}", "image.tissue must be 0, or 8 to 256 cells, got 4"),
        ("image: {tissue: 300}", "image.tissue must be 0, or 8 to 256 cells, got 300"),
        ("views: {per_patient: 0}", "views.per_patient must be 1 to 9999, got 0"),
        ("labels: [livre]", "labels must be names, groups or patterns of organs, got 'livre'"),
        ("tools: {instruments: [hammer]}", "tools.instruments knows no 'hammer'"),
        ("tools: {instruments: []}", "tools must be instruments or a library to choose from"),
        ("tools: {count: [3, 1]}", "tools.count must be two whole numbers, 1 to 50, the smaller first"),
        ("tools: {count: [1.5, 2]}", r"tools.count\[0\] must be a whole number, got 1.5"),
        ("labels: []", "labels must be a list of at least one name, or .all., got none"),
        ("seed: -1", "seed must be a whole number from 0 up, got -1"),
        ("physics: {kvp: [120, 60]}", "physics.kvp must be two numbers from 40 to 150, the smaller first"),
        ("physics: {kvp: [60, 200]}", "physics.kvp must be two numbers from 40 to 150"),
        ("physics: {filtration: {cheese: [1, 2]}}", "cheese"),
        ("physics: {photons_per_pixel: [0, 10]}", "photons_per_pixel must be both above 0"),
        ("physics: {photons_per_pixel: [0, 0]}", "readout_quanta must be .0, 0. where there are no photons"),
        ("physics: {model: ct}", "physics.model knows no 'ct'"),
        ("image: {size: [4, 4]}", "image.size must be 8 to 4096 pixels"),
        ("image: {line_integrals: float64}", "image.line_integrals knows no 'float64'"),
        ("split: {Train: 1}", "split must be names of small letters, digits and _"),
        ("split: {train: -1}", "split must be weights from 0 to"),
        ("split: {train: 1.0e+308}", "split must be weights from 0 to"),
        ("on_error: ignore", "on_error knows no 'ignore'"),
    ],
)
def test_a_mistake_is_refused_by_place_and_reason(tmp_path, text, sentence):
    patients = "" if "patients" in text or text == "seed: 1" else "patients: {procedural: {count: 1}}\n"
    with pytest.raises(FileError, match=sentence):
        read(tmp_path, patients + text)


def test_shares_are_rounded_to_whole_numbers_that_add_up():
    assert apportion(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert apportion(3, {"train": 0.8, "val": 0.1, "test": 0.1}) == {"train": 3, "val": 0, "test": 0}
    assert sum(apportion(997, {"a": 0.2, "b": 0.3, "c": 0.5}).values()) == 997


def test_patients_are_shared_out_whole_once_and_in_proportion():
    plan = make_plan(replace(SMALL, split={"train": 3.0, "val": 1.0, "test": 1.0}))
    by_split: dict[str, list[int]] = {}
    for shard in plan.shards:
        assert len(shard.patients) <= 2  # 40 images of 20 each
        by_split.setdefault(shard.split, []).extend(patient.number for patient in shard.patients)
    assert {split: len(numbers) for split, numbers in by_split.items()} == {"train": 6, "val": 2, "test": 2}
    assert sorted(number for numbers in by_split.values() for number in numbers) == list(range(10))
    assert [s.name for s in plan.shards if s.split == "train"] == [f"train-{n:06d}.tar" for n in range(3)]


def test_regions_come_in_their_proportion():
    regions = {"knee": 3.0, "hip": 1.0, "skull": 0.0}
    plan = make_plan(replace(SMALL, patients=PatientSources(ProceduralPatients(count=8, regions=regions))))
    found = [patient.region for shard in plan.shards for patient in shard.patients]
    assert (found.count("knee"), found.count("hip"), len(found)) == (6, 2, 8)


def test_the_hash_tells_what_has_a_say_in_the_bytes(tmp_path):
    config = read_dataset_config(write_job(tmp_path / "a"))
    elsewhere = read_dataset_config(write_job(tmp_path / "b"))
    sha = make_plan(config).config_sha256
    assert make_plan(elsewhere).config_sha256 == sha
    assert make_plan(replace(config, on_error="stop")).config_sha256 == sha
    assert make_plan(replace(config, seed=12)).config_sha256 != sha
    (tmp_path / "b/ct/p9_ct.nii.gz").write_bytes(b"more")
    assert make_plan(elsewhere).config_sha256 != sha


def test_label_maps_in_the_folder_are_no_volumes(tmp_path):
    text = write_job(tmp_path).read_text(encoding="utf-8").replace("*_ct.nii.gz", "*.nii.gz")
    plan = make_plan(read(tmp_path, text))
    patients = [patient for shard in plan.shards for patient in shard.patients]
    assert sorted(patient.file.name for patient in patients) == [f"p{n}_ct.nii.gz" for n in range(4)]
    assert {patient.labels.name for patient in patients} == {f"p{n}_ct.seg.nii.gz" for n in range(4)}


def test_a_folder_without_volumes_is_refused(tmp_path):
    (tmp_path / "ct").mkdir()
    config = read(tmp_path, yaml.safe_dump({"patients": {"ct": {"folder": "ct"}}}))
    with pytest.raises(FileError, match=r"a volume that matches '\*.nii.gz', got none"):
        make_plan(config)


def test_a_config_in_code_is_checked_too():
    with pytest.raises(InputError, match="images_per_shard must be 1 or more, got 0"):
        replace(SMALL, images_per_shard=0)


def test_settings_that_joined_later_leave_the_hash_of_older_data_sets_alone(tmp_path):
    config = read(
        tmp_path, "patients: {procedural: {count: 2, regions: {knee: 1}, size: 64}}\nviews: {per_patient: 3}\n"
    )
    older = "facccb9d7a998bd17552947e0aadcb3cea8bb3a059332c9409160e0e04a8b515"
    assert make_plan(config).config_sha256 == older
    for changed in (
        replace(config, image=replace(config.image, tissue=64)),
        replace(config, views=replace(config.views, orbit=0.1)),
        replace(config, views=replace(config.views, in_turn=True)),
        replace(config, views=replace(config.views, zoom=(2.0, 2.0))),
        replace(config, patients=PatientSources(replace(config.patients.procedural, findings={"fracture": 0.15}))),
    ):
        assert make_plan(changed).config_sha256 != older
