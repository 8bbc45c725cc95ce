"""Samples: codes that mean what they say, masks that are the simulator's, and bits that depend on the view alone."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from xraykit.render import Camera, InputError, Volume, carm_pose, simulate
from xraykit.render.dataset.make.encode import CEILING, FLOOR, image_bytes, to_codes, to_intensity, tool_records
from xraykit.render.dataset.make.patients import make_subject
from xraykit.render.dataset.make.physics_choice import choose_physics
from xraykit.render.dataset.make.placement import place_tools
from xraykit.render.dataset.make.sample import make_samples
from xraykit.render.dataset.make.view_choice import choose_view, standard_names
from xraykit.render.dataset.plan.config import (
    DatasetConfig,
    ImageSettings,
    PatientSources,
    PhysicsSettings,
    ProceduralPatients,
    ToolSettings,
    ViewSettings,
)
from xraykit.render.dataset.plan.plan import make_plan
from xraykit.render.geometry import box_corners, project
from xraykit.render.meshes import instrument
from xraykit.render.seeds import PURPOSES, seed_for, stream
from xraykit.render.simulation import PlacedTool

coco = pytest.importorskip("pycocotools.mask", reason="needs the extra: pip install 'xraykit-render[dataset]'")


@pytest.fixture(scope="module")
def patient(config):
    return make_plan(config).shards[0].patients[0]


@pytest.fixture(scope="module")
def samples(patient, config):
    return make_samples(patient, config, "train")


def parts(sample):
    """The members of a sample by extension, JSON decoded."""
    found = {name.partition(".")[2]: content for name, content in sample.members}
    return {ext: json.loads(content) if ext.endswith("json") else content for ext, content in found.items()}


@given(st.floats(FLOOR, CEILING))
@settings(max_examples=50)
def test_a_code_is_right_to_a_ten_thousandth_of_the_intensity(intensity):
    back = to_intensity(to_codes(np.array([intensity])))[0]
    assert abs(back / intensity - 1) < 1.12e-4


def test_codes_end_at_floor_and_ceiling():
    ends = to_codes(np.array([-1.0, 0.0, FLOOR, CEILING, 9.0]))
    assert ends.tolist() == [0, 0, 0, 65535, 65535]
    assert to_intensity(np.array([0, 65535], dtype=np.uint16)) == pytest.approx([FLOOR, CEILING])


def test_equal_steps_of_code_are_equal_steps_of_line_integral():
    integral = -np.log(to_intensity(np.arange(0, 65536, 5000, dtype=np.uint16)))
    assert np.allclose(np.diff(integral), np.diff(integral)[0])


def test_the_image_is_a_plain_16_bit_tiff():
    picture = Image.open(io.BytesIO(image_bytes(np.full((5, 7), 1.0))))
    assert (picture.format, picture.mode, picture.size) == ("TIFF", "I;16", (7, 5))
    assert np.asarray(picture)[0, 0] == to_codes(np.array([1.0]))[0]


def test_members_are_named_by_key_and_say_what_the_format_promises(samples, patient):
    keys = [f"{patient.number:06d}_{view:04d}" for view in range(3)]
    assert [sample.key for sample in samples] == keys
    names = [name.partition(".")[2] for name, _ in samples[0].members]
    assert names == ["image.tiff", "json", "lines.npy", "masks.json"]
    record = parts(samples[0])["json"]
    wanted = "key split patient view camera image labels annotations landmarks description tools physics seed versions"
    assert list(record) == wanted.split()
    assert record["key"] == keys[0]
    assert record["split"] == "train"
    assert set(record["camera"]) == {
        *("camera_to_world", "sdd", "height", "width", "pixel_spacing", "principal_point", "world")
    }


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools against numpy 2
def test_masks_boxes_and_areas_agree_with_the_simulator(patient, config):
    config = replace(config, physics=PhysicsSettings(model="drr", samples=20), tools=replace(config.tools, share=0.0))
    made = parts(make_samples(patient, config, "train")[1])
    subject, numbers = make_subject(patient, config), (patient.number, 1)
    view = choose_view(subject, (), config, stream(config.seed, "view", *numbers))
    shot = simulate(subject.scene, view.camera, view.pose, choose_physics(config, stream(0, "physics"))[0])
    masks = shot.masks
    seen = {e.name: m for e, m in zip(masks.entries, masks.stack()[0], strict=True) if m.any()}
    assert [entry["name"] for entry in made["json"]["annotations"]] == list(seen)
    boxes = {e.name: box for e, box in zip(masks.entries, masks.boxes()[0].tolist(), strict=True)}
    for entry, run in zip(made["json"]["annotations"], made["masks.json"], strict=True):
        mask = seen[entry["name"]].numpy()
        assert run["name"] == entry["name"]
        assert np.array_equal(coco.decode({"size": run["size"], "counts": run["counts"].encode()}), mask)
        x0, y0, x1, y1 = boxes[entry["name"]]
        assert entry["bbox"] == [x0, y0, x1 - x0, y1 - y0]
        assert entry["area"] == mask.sum()
    codes = np.asarray(Image.open(io.BytesIO(made["image.tiff"])))
    lines = np.load(io.BytesIO(made["lines.npy"]))
    assert lines.dtype == np.float16
    assert np.abs(-np.log(to_intensity(codes)) - shot.line_integrals[0, 0].numpy()).max() < 1.2e-4
    assert np.abs(lines - shot.line_integrals[0, 0].numpy()).max() < 4e-3


def test_a_views_bytes_do_not_depend_on_how_many_there_are(samples, patient, config):
    more = make_samples(patient, replace(config, views=replace(config.views, per_patient=4)), "train")
    assert more[:3] == samples
    assert more[3].members[0][1] != more[2].members[0][1]


def test_another_seed_gives_another_image(samples, patient, config):
    other = make_samples(patient, replace(config, seed=12), "train")
    assert [a.members[0][1] == b.members[0][1] for a, b in zip(samples, other, strict=True)] == [False] * 3


def test_wanted_labels_leave_the_others_out_but_keep_the_tools(patient, config):
    chosen = replace(config, labels=("liver",), tools=replace(config.tools, share=1.0))
    for sample in make_samples(patient, chosen, "train"):
        record = parts(sample)["json"]
        assert set(record["labels"]) <= {"liver"}
        assert {e["name"] for e in record["annotations"] if e["kind"] == "organ"} == set(record["labels"])
        assert len(record["tools"]) >= 1


def test_streams_differ_by_purpose_patient_and_view():
    seeds = {seed_for(0, purpose, p, v) for purpose in PURPOSES for p in range(3) for v in range(3)}
    assert len(seeds) == len(PURPOSES) * 9
    assert stream(4, "view", 1, 2).random() == stream(4, "view", 1, 2).random()


def test_tools_lie_in_the_body_and_in_view(patient, config):
    subject = make_subject(patient, config)
    camera, centre = Camera(1000.0, 64, 64, pixel_spacing=1.0), subject.volume.center
    pose = carm_pose(lao_rao=20.0, sod=700.0, isocenter=centre).double()
    wanted = ToolSettings(share=1.0, count=(3, 3), instruments=("k_wire",))
    tools = place_tools(wanted, camera, pose, subject.places, stream(0, "tools"), taken=("k_wire",))
    assert [tool.name for tool in tools] == ["k_wire_2", "k_wire_3", "k_wire_4"]
    for tool in tools:
        low, high = torch.aminmax(tool.mesh.vertices.double(), dim=0)
        middle = tool.pose[:3, :3] @ ((low + high) / 2) + tool.pose[:3, 3]
        assert bool(project(middle[None], camera, pose).visible.all())
        assert float((subject.places - middle).norm(dim=1).min()) < 1e-9
    assert place_tools(wanted, camera, pose, subject.places[:0], stream(0, "tools")) == ()


def test_ends_of_a_tool_are_its_tip_and_its_head_on_the_detector():
    mesh = instrument("pedicle_screw", seed=3)
    camera, length = Camera(1000.0, 64, 64, pixel_spacing=1.0), float(mesh.vertices[:, 2].max())
    source_pose = torch.eye(4, dtype=torch.float64)[None]  # source at the origin, detector 1000 mm along +z
    across = torch.tensor([[0.0, 0, 1, 5], [0, 1, 0, 0], [-1, 0, 0, 500], [0, 0, 0, 1]], dtype=torch.float64)
    (record,) = tool_records([PlacedTool(mesh, across, name="screw")], camera, source_pose)
    tip, head = record["ends"]["tip"], record["ends"]["head"]
    assert tip["world"] == [5, 0, 500]
    assert head["world"] == pytest.approx([5 + length, 0, 500], abs=1e-3)
    assert tip["uv"] == pytest.approx([32 + 5 * 2, 32], abs=1e-3)
    assert head["uv"] == pytest.approx([32 + (5 + length) * 2, 32], abs=1e-3)
    assert (tip["visible"], head["visible"]) == (True, False)


def test_shares_of_views_are_kept(patient, config):
    subject = make_subject(patient, config)
    kinds = [choose_view(subject, (), config, stream(1, "view", n)).record["kind"] for n in range(60)]
    assert 18 <= kinds.count("random") <= 42
    assert kinds.count("random") + kinds.count("range") == 60


def test_a_published_range_is_drawn_until_it_sees_a_limb(config):
    limb = SimpleNamespace(volume=Volume(torch.ones(20, 20, 20), torch.diag(torch.tensor([4.0, 4, 4, 1]))))
    views = replace(config.views, standard="all", random=0.0, ranges={"deepfluoro": 1.0})
    corners = box_corners(limb.volume.shape, limb.volume.affine)
    for seed in range(60):  # one in eight of this preset's poses looks past 8 cm at its isocentre
        chosen = choose_view(limb, (), replace(config, views=views), np.random.default_rng(seed))
        uv = project(corners, chosen.camera, chosen.pose).uv[0]
        low, high = uv.amin(0), uv.amax(0)
        assert bool((high > 0).all()) and low[0] < chosen.camera.width and low[1] < chosen.camera.height


def test_a_patient_without_a_fitting_standard_view_says_so(patient, config):
    subject = make_subject(patient, config)
    views = replace(config.views, standard=("knee_ap_left",), random=0.0, ranges={})
    with pytest.raises(InputError, match=r"one of the standard views asked for \(knee_ap_left\), got none"):
        standard_names(subject, views)


def test_physics_stays_in_its_ranges_and_is_told(config):
    physics = PhysicsSettings(collimation=1.0, opening=(0.5, 0.6), photons_per_pixel=(1e3, 1e5))
    config = replace(config, physics=physics)
    shapes = set()
    for number in range(30):
        settings_, record = choose_physics(config, stream(3, "physics", number))
        assert 60 <= record["kvp"] == settings_.beam.spectrum.kvp <= 120
        assert 2.5 <= record["filtration"]["aluminium"] <= 4.0
        assert tuple(record["filtration"].items()) == settings_.beam.spectrum.filtration
        assert 1e3 <= record["photons_per_pixel"] <= 1e5
        assert record["photons_per_pixel"] == settings_.dose.photons_per_pixel
        assert 0 <= record["scatter_to_primary"] == settings_.scatter.scatter_to_primary <= 0.05
        ((shape, numbers),) = record["shutter"].items()
        shapes.add(shape)
        width = 2 * numbers[2] if shape == "circle" else numbers[3] - numbers[1]
        assert 0.5 * 24 - 0.02 <= width <= 0.6 * 24 + 0.02
    assert shapes == {"circle", "rectangle"}


def test_no_photons_means_no_noise(config):
    quiet = replace(config, physics=PhysicsSettings(photons_per_pixel=(0.0, 0.0), readout_quanta=(0.0, 0.0)))
    made, record = choose_physics(quiet, stream(3, "physics"))
    assert not made.dose.is_noisy
    assert record["photons_per_pixel"] is None


def test_a_generated_patient_is_seen_from_standard_views_with_its_landmarks():
    config = DatasetConfig(
        seed=2,
        patients=PatientSources(ProceduralPatients(count=1, size=40, regions={"abdomen_pelvis": 1.0})),
        views=ViewSettings(per_patient=2, standard=("pelvis_ap",), random=0.0),
        tools=ToolSettings(share=0.0),
        physics=PhysicsSettings(model="drr", samples=40),
        image=ImageSettings((32, 32)),
    )
    (patient,) = make_plan(config).shards[0].patients
    record = parts(make_samples(patient, config, "train")[1])["json"]
    assert (record["view"]["name"], record["view"]["kind"]) == ("pelvis_ap", "standard")
    assert record["description"]["region"] == "abdomen_pelvis"
    assert {"hip_left", "hip_right", "sacrum"} <= set(record["labels"])
    assert any(landmark["visible"] for landmark in record["landmarks"].values())
    with torch.inference_mode():
        subject = make_subject(patient, config)
    matrix = torch.tensor(record["camera"]["camera_to_world"], dtype=torch.float64)
    for name, landmark in record["landmarks"].items():
        world = torch.tensor(landmark["world"], dtype=torch.float64)
        assert torch.allclose(subject.scene.landmarks[name], world, atol=1e-3)
        x, y, z = (matrix.T[:3, :3] @ (world - matrix[:3, 3])).tolist()
        pitch, (u, v) = record["camera"]["pixel_spacing"], record["camera"]["principal_point"]
        assert abs(u + record["camera"]["sdd"] / pitch[1] * x / z - landmark["uv"][0]) < 2e-3
        assert abs(v + record["camera"]["sdd"] / pitch[0] * y / z - landmark["uv"][1]) < 2e-3


@pytest.fixture(scope="module")
def knee():
    """A configuration with one generated knee."""
    return DatasetConfig(
        patients=PatientSources(ProceduralPatients(1, {"knee": 1.0}, 48)),
        views=ViewSettings(8, ("knee_ap_left", "knee_lateral_left", "knee_ap_right", "knee_lateral_right"), 0.0),
        image=ImageSettings((24, 24)),
    )


def test_orbits_take_their_share_and_standard_views_come_in_turn(knee):
    generated = make_subject(make_plan(knee).shards[0].patients[0], knee)
    turned = replace(knee, views=replace(knee.views, in_turn=True))
    names = standard_names(generated, turned.views)
    assert len(names) >= 2
    seen = [
        choose_view(generated, names, turned, stream(0, "view", 0, n), n).record["name"] for n in range(2 * len(names))
    ]
    assert seen == [*names, *names]
    around = replace(knee, views=ViewSettings(8, random=0.0, orbit=1.0))
    assert standard_names(generated, around.views) == ()
    record = choose_view(generated, (), around, stream(0, "view", 0, 0)).record
    assert (record["name"], record["kind"]) == ("orbit", "orbit")


def test_zoom_narrows_the_field_of_standard_views_around_the_same_target(knee):
    generated = make_subject(make_plan(knee).shards[0].patients[0], knee)
    names = standard_names(generated, knee.views)[:1]
    closer = replace(knee, views=replace(knee.views, random=0.0, zoom=(2.0, 2.0)))
    wide, narrow = (
        choose_view(generated, names, one, stream(0, "view", 0, 0))
        for one in (replace(closer, views=replace(closer.views, zoom=(1.0, 1.0))), closer)
    )
    assert narrow.camera.pixel_spacing == pytest.approx(wide.camera.pixel_spacing / 2)
    assert narrow.record["isocenter"] == wide.record["isocenter"]
    assert narrow.record["field"] == [side / 2 for side in wide.record["field"]]
    between = replace(closer, views=replace(closer.views, zoom=(1.5, 3.0)))
    drawn = {choose_view(generated, names, between, stream(0, "view", 0, n)).camera.pixel_spacing for n in range(6)}
    assert len(drawn) == 6
    assert all(wide.camera.pixel_spacing / 3 <= one <= wide.camera.pixel_spacing / 1.5 for one in drawn)


def test_findings_are_those_that_were_asked_for():
    sources = PatientSources(ProceduralPatients(1, {"shoulder": 1.0}, 32, findings={"implant": 1.0, "fracture": 1.0}))
    config = DatasetConfig(patients=sources)
    subject = make_subject(make_plan(config).shards[0].patients[0], config)
    assert subject.implants and subject.description["findings"]["implant"] == "plate"
    assert subject.description["findings"]["fractures"]
    none = dict.fromkeys(("implant", "fracture", "osteophytes", "scoliosis", "contrast", "crushed_vertebra"), 0.0)
    config = replace(config, patients=PatientSources(replace(sources.procedural, findings=none)))
    findings = make_subject(make_plan(config).shards[0].patients[0], config).description["findings"]
    assert not any(findings.values())


def test_tissue_is_kept_with_each_image_and_changes_nothing_else(samples, patient, config):
    kept = make_samples(patient, replace(config, image=replace(config.image, tissue=16)), "train")
    assert len({parts(sample)["tissue.bin"] for sample in kept}) == 1
    for with_tissue, without in zip(kept, samples, strict=True):
        more, less = parts(with_tissue), parts(without)
        assert more.pop("tissue.bin")
        assert more["json"].pop("tissue")["shape"] == [16, 16, 16]
        assert more == less
