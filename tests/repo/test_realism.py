"""The realism benchmark: which part a view shows, what the network can learn, and how its confusion is told."""

import importlib
import sys

import pytest
import torch
from support.repo import ROOT
from xraykit.render.patient import REGIONS
from xraykit.render.training import one_thread
from xraykit.render.views import STANDARD_VIEWS


@pytest.fixture(scope="module")
def suite():
    """benchmarks.studies.realism and its parts, whose package is not on every test's path."""
    sys.path.insert(0, str(ROOT))
    try:
        homes = dict.fromkeys(("realism", "realism_pictures", "region_net", "region_views"), "studies")
        homes["study_tables"] = "common"
        yield {name: importlib.import_module(f"benchmarks.{home}.{name}") for name, home in homes.items()}
    finally:
        sys.path.remove(str(ROOT))


def standard(name: str, **description: str) -> dict:
    view = {"name": name, "kind": "standard", "region": STANDARD_VIEWS[name].region, "targets": []}
    return {"view": view, "description": description}


def random(*targets: str, **description: str) -> dict:
    return {"view": {"name": "random", "kind": "random", "targets": list(targets)}, "description": description}


def test_every_standard_view_shows_a_class_and_every_class_has_a_view(suite):
    part_shown, classes = suite["region_views"].part_shown, suite["region_views"].CLASSES
    shown = {part_shown(standard(name)) for name in STANDARD_VIEWS}
    assert shown == set(classes)


@pytest.mark.parametrize(
    ("record", "part"),
    [
        (standard("abdomen_ap"), "abdomen"),
        (standard("lumbar_spine_lateral_left"), "abdomen"),
        (standard("pelvis_inlet"), "pelvis"),
        (standard("hip_ap_left", region="abdomen_pelvis"), "pelvis"),
        (standard("shoulder_ap_right", region="thorax"), "shoulder"),
        (random("heart", region="thorax"), "chest"),
        (random("scapula_left", file="ct.nii.gz"), "shoulder"),
        (random("vertebrae_L2", region="thorax"), "abdomen"),
        (random("femur_left", region="hip"), "pelvis"),
        (random("femur_left", region="knee"), "knee"),
        (random("phalanges_hand_left", region="wrist_hand"), "wrist_hand"),
        (random("liver", region="abdomen_pelvis"), None),
        (random("vertebrae_T12", region="thorax"), None),
        (random("rib_left_4", "rib_left_5"), "chest"),
        (random("rib_left_4", "rib_left_10"), None),
    ],
)
def test_the_part_is_that_of_the_view_and_not_of_the_patient(suite, record, part):
    assert suite["region_views"].part_shown(record) == part


def test_the_configuration_holds_every_region_but_the_whole_body_seven_times(suite):
    config = suite["realism"].read_dataset_config(suite["realism"].CONFIG)
    assert set(config.patients.procedural.regions) == set(REGIONS) - {"whole_body"}
    assert config.patients.procedural.count == 7 * len(config.patients.procedural.regions)


def test_one_patient_in_five_of_each_region_is_held_out_whole(suite):
    realism = suite["realism"]
    patients = tuple(n for n in range(11) for _ in range(2))
    regions = tuple("knee" if n < 5 else "hip" if n < 10 else "skull" for n in patients)
    empty = torch.zeros(len(patients))
    xrays = realism.Xrays("x", empty, empty, ("view",) * len(patients), patients, regions)
    held = realism.held(xrays).tolist()
    assert {patient for patient, out in zip(patients, held, strict=True) if out} == {0, 5}
    assert sum(held) == 4  # the only skull is learnt from


def test_the_network_is_small_and_sees_neither_dose_nor_contrast(suite):
    net = suite["region_net"]
    assert sum(values.numel() for values in net.region_net(10).parameters()) < 500_000
    images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(net.normalised(3.0 * images + 2.0), net.normalised(images), atol=1e-5)


def test_augmentation_keeps_bone_bright_and_the_head_up(suite):
    images = torch.zeros(64, 1, 48, 48)
    images[:, :, 8:20, 8:20] = 4.0  # bone at the upper left
    images[:, :, 28:40] = 1.0
    seen = suite["region_net"].augmented(images, torch.Generator().manual_seed(3))
    bone = (seen[:, 0] - 2.5).clamp_min(0.0)
    places = torch.arange(48) + 0.5
    rows, columns = (bone.sum(axis) @ places / bone.sum((1, 2)) for axis in (2, 1))
    assert (rows < 24.0).all()
    assert 16 < int((columns > 24.0).sum()) < 48  # mirrored half of the time


def test_the_network_learns_what_is_there_to_learn(suite):
    net = suite["region_net"]
    dice = torch.Generator().manual_seed(1)
    truth = torch.arange(80) % 2
    images = 0.2 * torch.rand(80, 1, 24, 24, generator=dice)
    images[truth == 0, :, 4:10] += 2.0  # across above, or across below
    images[truth == 1, :, 14:20] += 2.0
    with one_thread():
        trained = net.train(images[:64], truth[:64], 2, epochs=20, seed=0, report=lambda text: None)
        beliefs = net.probabilities([trained], images[64:])
    assert beliefs.shape == (1, 16, 2)
    assert (beliefs[0].argmax(1) == truth[64:]).float().mean() > 0.85


def test_the_confusion_counts_the_mean_belief_and_each_network(suite, tmp_path):
    realism, tables, classes = suite["realism"], suite["study_tables"], suite["region_views"].CLASSES
    truth = torch.tensor([classes.index(part) for part in ("chest", "chest", "chest", "pelvis")])
    images, views = torch.rand(4, 1, 16, 16), ("chest_ap", "random", "chest_pa", "pelvis_ap")
    tested = realism.Xrays("real CT", images, truth, views, (0,) * 4, ("x",) * 4)
    sure, said = torch.zeros(2, 4, len(classes)), ("chest", "abdomen", "chest", "pelvis")
    for n, part in enumerate(said):
        sure[:, n, classes.index(part)] = 0.9
    sure[1, 1, classes.index("chest")] = 0.8
    sure[1, 1, classes.index("abdomen")] = 0.1
    rows = realism.confusion(tested, sure)
    chest, pelvis = rows
    assert (chest["images"], chest["named"], chest["recall"]) == (3, {"chest": 2, "abdomen": 1}, 0.6667)
    assert chest["recall_of_networks"] == [0.6667, 1.0]
    assert (pelvis["named"], pelvis["recall"]) == ({"pelvis": 1}, 1.0)
    table = tables.confusion_table(rows)
    assert "| real CT | chest | 3 | 67 % | chest 2, abdomen 1 |" in table
    assert "| **real CT** | all | 4 | **75 %** | each network by itself 75, 100 % |" in table
    told = suite["realism_pictures"].save_mistakes(tmp_path, tested, tested, sure.mean(0), classes)
    assert told.startswith("real CT: 1 mistakes")
    assert (tmp_path / "mistakes_real_CT.png").stat().st_size > 1000


def test_options_that_make_no_sense_are_refused(suite, capsys):
    for arguments, said in (
        (["--abdomen", "ct.nii.gz"], "belong together"),
        (["--no-chest"], "no real CT to test on"),
        (["--patients", "3"], "must be 24 or more"),
    ):
        with pytest.raises(SystemExit, match="2"):
            suite["realism"].parse(arguments)
        assert said in capsys.readouterr().err
