"""`xraykit fluorosam segment`: files in, a folder of masks out; mistakes end in a sentence and write nothing."""

import json

import numpy as np
import pydicom
import pytest
from PIL import Image
from support.fluorosam_networks import KnownNetwork
from support.held import held_elsewhere
from support.soiled import soil, traces
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.fluorosam.outputs import SegmentFilesSettings
from xraykit.render.cli.umbrella import run
from xraykit.render.dataset.format.run_lengths import decode_run_lengths
from xraykit.render.storage import read_settings

NETWORK = KnownNetwork({"calibration": {"visible": 0.3}})


def bone(height=40, width=60, seed=0):
    """Brighter to the right, with grain."""
    grain = np.random.default_rng(seed).random((height, width))
    return np.tile(np.linspace(0.1, 0.8, width), (height, 1)) + 0.1 * grain


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """a.png (60 x 40), b.dcm (90 x 50), more/a.tif and more/readme.txt; a known network in place of the shipped one."""
    Image.fromarray((bone() * 255).astype(np.uint8)).save(tmp_path / "a.png")
    pixels = (4000 * bone(50, 90)).astype(np.uint16)
    said = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "PatientName": "Doe^Jane", **GEOMETRY}
    write_xray(tmp_path / "b.dcm", xray_dataset(pixels, modality="DX", **said))
    (tmp_path / "more").mkdir()
    Image.fromarray(bone(30, 30, 1).astype(np.float32)).save(tmp_path / "more/a.tif")
    (tmp_path / "more/readme.txt").write_text("none", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xraykit.fluorosam.predictor.fluoro_sam.load_network", lambda source: NETWORK)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def results(folder):
    return json.loads((folder / "out/results.json").read_text(encoding="utf-8"))["xrays"]


def segment(*arguments):
    return run(["fluorosam", "segment", *arguments, "--device", "cpu"])


def test_words_write_a_picture_labels_coco_and_settings(folder, capsys):
    assert segment("a.png", "-o", "out", "--prompt", "left femur", "--prompt", "spleen") == 0
    assert names(folder / "out") == [
        "a_labels.png",
        "a_overlay.png",
        "annotations.json",
        "results.json",
        "settings.json",
    ]
    (row,) = results(folder)
    femur, spleen = row["masks"]
    assert femur["visible"] and femur["target"] == "femur_left" and femur["confidence"] == 0.75
    assert not spleen["visible"] and spleen["area"] == 0
    coco = json.loads((folder / "out/annotations.json").read_text(encoding="utf-8"))
    (annotation,) = coco["annotations"]
    mask = decode_run_lengths(annotation["segmentation"]["counts"], (40, 60))
    with Image.open(folder / "out/a_labels.png") as file:
        np.testing.assert_array_equal(np.asarray(file) == 1, mask)
    assert mask[20, 55] and not mask[20, 5] and mask.sum() == annotation["area"] == femur["area"]
    with Image.open(folder / "out/a_overlay.png") as file:
        assert file.mode == "RGB" and file.size[0] > 540
    told = capsys.readouterr()
    said = told.out
    assert "a.png: left femur 0.75, spleen not visible" in said and "wrote out" in said
    assert "xraykit: note: a.png: polarity log_attenuation is assumed" in told.err
    again = read_settings(SegmentFilesSettings, folder / "out/settings.json")
    assert again.prompt == ("left femur", "spleen")


def test_one_image_with_ten_prompts_is_encoded_once(folder):
    prompts = [f"L{n} vertebra" for n in range(1, 6)] + [f"T{n} vertebra" for n in range(1, 6)]
    before = NETWORK.embedded
    assert segment("a.png", "-o", "out", *(word for text in prompts for word in ("--prompt", text))) == 0
    assert NETWORK.embedded == before + 1 and len(results(folder)[0]["masks"]) == 10


def test_clicks_and_a_box_refine_one_prompt_or_stand_alone(folder):
    assert segment("a.png", "-o", "out", "--prompt", "skull", "--point", "12,20,+", "--point", "50,8,-") == 0
    (mask,) = results(folder)[0]["masks"]
    assert mask["name"] == "skull" and mask["points"] == [[12, 20, 1], [50, 8, 0]]
    with Image.open(folder / "out/a_labels.png") as file:
        labels = np.asarray(file)
    assert labels[20, 12] == 1 and labels[8, 50] == 0
    assert segment("a.png", "-o", "out", "--box", "10,5,30,25") == 0
    (mask,) = results(folder)[0]["masks"]
    assert mask["name"] == "box" and mask["bbox"] == pytest.approx([10, 5, 20, 20], abs=1)
    assert segment("a.png", "-o", "out", "--point", "12,20") == 0
    assert results(folder)[0]["masks"][0]["name"] == "points"


def test_a_dicom_file_gets_a_segmentation_that_names_its_patient_where_asked(folder):
    assert segment("b.dcm", "-o", "out", "--prompt", "right hip") == 0
    assert pydicom.dcmread(folder / "out/b_seg.dcm").PatientName == ""
    assert segment("b.dcm", "-o", "out", "--prompt", "right hip", "--identified") == 0
    found = pydicom.dcmread(folder / "out/b_seg.dcm")
    assert found.PatientName == "Doe^Jane" and (found.Rows, found.Columns) == (50, 90)
    assert found.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [0.4, 0.2]
    mask = np.unpackbits(np.frombuffer(found.PixelData, np.uint8), bitorder="little")[:4500].reshape(50, 90)
    with Image.open(folder / "out/b_labels.png") as file:
        np.testing.assert_array_equal(np.asarray(file), mask)


def test_a_frame_of_a_cine_is_segmented(folder):
    frames = (4000 * np.stack([bone(), bone()[:, ::-1]])).astype(np.uint16)
    write_xray(folder / "cine.dcm", xray_dataset(frames, modality="DX"))
    assert segment("cine.dcm", "-o", "out", "--prompt", "skull", "--frame", "1") == 0
    assert results(folder)[0]["frame"] == 1
    first = pydicom.dcmread(folder / "out/cine_seg.dcm").PerFrameFunctionalGroupsSequence[0]
    assert first.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber == 2
    with Image.open(folder / "out/cine_labels.png") as file:
        assert np.asarray(file)[20, 3] == 1


def test_folders_are_searched_and_equal_names_are_kept_apart(folder, capsys):
    (folder / "more/broken.png").write_bytes((folder / "a.png").read_bytes()[:60])
    assert segment("a.png", "more", "-o", "out", "--prompt", "skull") == 3
    assert [row["file"] for row in results(folder)] == ["a.png", "more/a.tif"]
    assert {"a_overlay.png", "a_2_overlay.png"} <= set(names(folder / "out"))
    said = "xraykit: warning: more/broken.png was left out: more/broken.png must be a whole PNG"
    assert said in capsys.readouterr().err
    (left_out,) = json.loads((folder / "out/results.json").read_text())["left_out"]
    assert left_out["file"] == "more/broken.png" and "must be a whole PNG" in left_out["reason"]


def test_one_bad_xray_of_those_named_does_not_cost_the_others(folder, capsys):
    (folder / "text.png").write_text("no X-ray", encoding="utf-8")
    Image.new("RGB", (60, 40), (200, 10, 10)).save(folder / "colour.png")
    assert segment("a.png", "text.png", "b.dcm", "colour.png", "-o", "out", "--prompt", "skull") == 3
    assert [row["file"] for row in results(folder)] == ["a.png", "b.dcm"]
    said = capsys.readouterr().err
    assert "text.png was left out: " in said and "colour.png was left out: " in said


def test_an_earlier_run_is_replaced_and_what_is_somebodys_own_is_kept(folder):
    assert segment("a.png", "b.dcm", "-o", "out", "--prompt", "skull") == 0
    for name in ("mine.txt", "mine_overlay.png"):
        (folder / "out" / name).write_text("keep", encoding="utf-8")
    assert segment("a.png", "-o", "out", "--prompt", "skull") == 0
    kept = ["a_labels.png", "a_overlay.png", "annotations.json", "mine.txt", "mine_overlay.png"]
    assert names(folder / "out") == [*kept, "results.json", "settings.json"]


def test_words_that_were_passed_over_are_said(folder, capsys):
    assert segment("a.png", "-o", "out", "--prompt", "base of the skull") == 0
    assert "'base of the skull' is taken as 'skull'; the vocabulary has no 'base'." in capsys.readouterr().err


def test_words_that_nobody_knows_are_taken_if_asked(folder):
    assert segment("a.png", "-o", "out", "--prompt", "flux capacitor", "--any-words") == 0
    assert results(folder)[0]["masks"][0]["target"] is None


def test_embeddings_are_kept_for_later_runs(folder):
    before = NETWORK.embedded
    for _ in range(2):
        assert segment("a.png", "-o", "out", "--prompt", "skull", "--cache", "kept") == 0
    assert NETWORK.embedded == before + 1 and len(names(folder / "kept")) == 1


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["a.png"], "got nothing; give --prompt, --point or --box"),
        (["a.png", "--prompt", "skull", "--prompt", "skull"], "each prompt must be another, got 'skull' twice"),
        (["a.png", "--prompt", ""], "must say in words what to find"),
        (["a.png", "--prompt", "femur " * 50], "45 words and 250 characters at most"),
        (["a.png", "--prompt", "<script>"], "the markup '<'"),
        (["a.png", "--prompt", "skull\x1b[0m"], "control characters"),
        (["a.png", "--prompt", "бедро"], "must be in English"),
        (["a.png", "--prompt", "left femor"], "must name something known"),
        (["a.png", "--point", "61,20,+"], "must lie in the image of 60 x 40 pixels, got 61, 20"),
        (["a.png", "--point", "-1,20,+"], "must lie in the image of 60 x 40 pixels, got -1, 20"),
        (["a.png", "--box", "-5,5,20,25"], "must lie in the image of 60 x 40 pixels, got -5, 5, 20, 25"),
        (["a.png", "--prompt", "not the skull"], "must say what to find, got 'not'"),
        (["a.png", "--point", "nan,20,+"], "--point must be X,Y,"),
        (["a.png", "--point", "12;20"], "--point must be X,Y,"),
        (["a.png", "--box", "30,5,20,25"], "left < right and top < bottom"),
        (["a.png", "--box", "10,5,10,25"], "left < right"),
        (["a.png", "--box", "10,5,30"], "--box must be LEFT,TOP,RIGHT,BOTTOM"),
        (["a.png", "--prompt", "skull", "--prompt", "liver", "--point", "4,4"], "go with one --prompt or none, got 2"),
        (["a.png", "b.dcm", "--point", "4,4"], "belong to one X-ray, got 2"),
        (["gone.png", "--prompt", "skull"], "gone.png does not exist"),
        (["text.png", "--prompt", "skull"], "must be an X-ray image"),
        (["colour.png", "--prompt", "skull"], "must be grey"),
        (["flat.png", "--prompt", "skull"], "the value 7 in every pixel"),
        (["two.png", "--prompt", "skull"], "8 pixels along each edge, got 2 x 1"),
        (["empty", "--prompt", "skull"], "empty must hold X-rays"),
        (["cine.dcm", "--prompt", "skull"], "holds 2 frames; choose one"),
        (["a.png", "--prompt", "skull", "-o", "a.png"], "must be a folder"),
    ],
)
def test_mistakes_end_with_one_sentence_and_write_nothing(folder, capsys, arguments, words):
    (folder / "text.png").write_text("no image", encoding="utf-8")
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(folder / "flat.png")
    Image.fromarray(np.array([[1, 200]], np.uint8)).save(folder / "two.png")
    grey = (bone() * 255).astype(np.uint8)
    Image.fromarray(np.stack([grey, grey // 2, grey // 3], -1)).save(folder / "colour.png")
    write_xray(folder / "cine.dcm", xray_dataset((4000 * np.stack([bone()] * 2)).astype(np.uint16)))
    (folder / "empty").mkdir()
    before = names(folder)
    assert segment(*arguments, *([] if "-o" in arguments else ["-o", "out"])) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split()) and "Traceback" not in said
    assert names(folder) == before


def test_a_folder_of_files_that_are_all_broken_is_refused(folder, capsys):
    (folder / "bad").mkdir()
    (folder / "bad/x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert segment("bad", "-o", "out", "--prompt", "skull") == 2
    assert "none of 1 files is an X-ray that can be read; the first:" in " ".join(capsys.readouterr().err.split())
    assert not (folder / "out").exists()


def test_a_second_job_in_the_folder_is_refused_and_leaves_the_first_alone(folder, capsys):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    assert segment("a.png", "-o", "out", "--prompt", "left femur") == 0
    with held_elsewhere(folder / "out"):
        before = {path: path.read_bytes() for path in (folder / "out").iterdir()}
        assert segment("b.dcm", "-o", "out", "--prompt", "spleen") == 2
        assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before
    assert "must be free, got another job that writes there" in " ".join(capsys.readouterr().err.split())


def test_what_a_killed_job_had_begun_goes_at_the_next_start(folder):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    with held_elsewhere(folder / "out/.0a1b2c3d.part"):
        (folder / "out/.0a1b2c3d.part/a_overlay.png").write_bytes(b"half")
    (folder / "out/.lock").write_text("", encoding="utf-8")
    assert segment("a.png", "-o", "out", "--prompt", "left femur") == 0
    assert [name for name in names(folder / "out") if name.startswith(".")] == []


def test_nothing_that_is_written_names_the_patient(folder):
    pixels = (4000 * bone(50, 90)).astype(np.uint16)
    write_xray(folder / "soiled.dcm", soil(xray_dataset(pixels, modality="DX", **GEOMETRY)))
    assert segment("soiled.dcm", "-o", "out", "--prompt", "left femur") == 0
    assert (folder / "out/soiled_seg.dcm").is_file() and traces(folder / "out") == []
