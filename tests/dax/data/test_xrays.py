"""Finding X-rays and reading them as linear intensity."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from support.dataset_shards import write_dataset
from support.xray_dicom import write_xray, xray_dataset
from xraykit.dax.data import DamagedXray, find_xrays, map_frames, stored_samples
from xraykit.render import FileError, InputError, XraykitError, save_image

from benchmarks.oracles.dax_published import xray_like

IMAGE = xray_like(20, 24)


def write_png(path, image=IMAGE):
    Image.fromarray(image).save(path)
    return path


def write_cine(path, frames=5):
    pixels = np.stack([np.full((8, 8), 100 * (n + 1), dtype=np.uint16) for n in range(frames)])
    return write_xray(path, xray_dataset(pixels, PixelIntensityRelationship="LIN"))


def test_a_folder_gives_its_images_whatever_their_suffix_in_order_of_names(tmp_path):
    (tmp_path / "set" / "b").mkdir(parents=True)
    (tmp_path / "set" / ".hidden").mkdir()
    write_png(tmp_path / "set" / "z.png")
    write_png(tmp_path / "set" / ".hidden" / "no.png")
    write_cine(tmp_path / "set" / "b" / "IM0001", frames=1)
    Image.fromarray(IMAGE).save(tmp_path / "set" / "a.TIF", format="TIFF")
    Image.fromarray((IMAGE // 256).astype(np.uint8)).save(tmp_path / "set" / "b" / "c.jpeg")
    (tmp_path / "set" / "notes.txt").write_text("no image")
    (tmp_path / "set" / "empty.png").write_bytes(b"")
    found = find_xrays([tmp_path / "set"])
    assert found.names == ["set/a.TIF", "set/empty.png", "set/z.png", "set/b/IM0001", "set/b/c.jpeg"]
    with pytest.raises(FileError, match=r"empty\.png must hold an image, got an empty file"):
        found[1]
    assert [found[n].name for n in (0, 2, 3, 4)] == [name for name in found.names if "empty" not in name]
    assert found[-1].name == "set/b/c.jpeg"
    with pytest.raises(IndexError):
        found[5]


def test_a_folder_s_bmp_flat_mha_and_dicom_without_preamble_are_found_and_a_ct_and_texts_are_not(tmp_path):
    Image.fromarray((IMAGE // 256).astype(np.uint8)).save(tmp_path / "a.bmp")
    bare = write_cine(tmp_path / "whole", frames=3).read_bytes()
    (tmp_path / "IM0002").write_bytes(bare[132:])
    (tmp_path / "whole").unlink()
    for name, depth in (("flat.mha", 1), ("ct.mha", 5)):
        head = f"NDims = 3\nDimSize = 8 8 {depth}\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
        (tmp_path / name).write_bytes(head.encode() + bytes(range(64)) * depth)
    (tmp_path / "notes").write_text("no image")
    names = find_xrays([tmp_path]).names
    assert [name.split("/")[1] for name in names] == [*(f"IM0002#{n}" for n in range(3)), "a.bmp", "flat.mha"]


def test_intensity_is_read_as_it_is_and_log_images_get_four_e_folds(tmp_path):
    path = write_png(tmp_path / "x.png")
    raw = find_xrays([path], polarity="intensity")[0]
    assert torch.equal(raw.intensity, torch.from_numpy(IMAGE.astype(np.float32)))
    assert raw.notes == ()
    shown = find_xrays([path])[0]  # a picture without tags: bone bright
    lines = -shown.intensity.log()
    low, high = torch.quantile(lines.flatten(), torch.tensor([0.005, 0.995])).tolist()
    assert high - low == pytest.approx(4.0, rel=1e-4)
    correlation = np.corrcoef(lines.flatten(), IMAGE.flatten())[0, 1]
    assert correlation == pytest.approx(1.0, abs=1e-6)
    assert "polarity log_attenuation is assumed" in shown.notes[0]
    assert "gain is unknown" in shown.notes[1]


def test_what_is_doubtful_about_a_file_is_a_note(tmp_path):
    dataset = xray_dataset(IMAGE, PixelIntensityRelationship="LIN", LossyImageCompression="01")
    (frame,) = find_xrays([write_xray(tmp_path / "x.dcm", dataset)])
    assert any(note.startswith("compression: ") for note in frame.notes)


def test_inverted_intensity_is_turned_round(tmp_path):
    frame = find_xrays([write_png(tmp_path / "x.png")], polarity="inverted_intensity")[0]
    assert torch.equal(frame.intensity, torch.from_numpy(65_535 - IMAGE.astype(np.float32)))


def test_line_integrals_of_our_own_files_keep_their_gain(tmp_path):
    lines = torch.linspace(0, 5, 30 * 30).reshape(1, 30, 30)
    path = tmp_path / "x.tiff"
    save_image(path, lines[None])
    frame = find_xrays([path])[0]
    torch.testing.assert_close(frame.intensity, torch.exp(-lines[0]), rtol=1e-3, atol=0)
    assert frame.notes == ()


def test_an_image_of_one_value_has_one_intensity(tmp_path):
    frame = find_xrays([write_png(tmp_path / "x.png", np.full((9, 9), 77, dtype=np.uint8))])[0]
    assert torch.equal(frame.intensity, torch.ones(9, 9))


def test_frames_of_a_cine_are_chosen_by_its_header(tmp_path):
    path = write_cine(tmp_path / "run.dcm")
    every = find_xrays([path])
    assert every.names == [f"run.dcm#{n}" for n in range(5)]
    assert [float(frame.intensity[0, 0]) for frame in every] == [100, 200, 300, 400, 500]
    assert find_xrays([path], frames="middle").names == ["run.dcm#2"]
    assert find_xrays([path], frames=2).names == ["run.dcm#1", "run.dcm#3"]
    assert find_xrays([path], frames=9).names == every.names


def test_of_many_cines_one_is_kept(tmp_path):
    for name in "abc":
        write_cine(tmp_path / f"{name}.dcm")
    found = find_xrays([tmp_path])
    for number in (0, 6, 11):  # begins each file and ends none
        assert found[number].name.endswith(f"#{number % 5}")
    assert [part._read is not None for part in found._parts] == [False, False, True]


def test_pages_of_a_tiff_are_frames(tmp_path):
    pages = [Image.fromarray(IMAGE + n) for n in range(3)]
    pages[0].save(tmp_path / "x.tiff", save_all=True, append_images=pages[1:])
    assert find_xrays([tmp_path / "x.tiff"]).names == ["x.tiff#0", "x.tiff#1", "x.tiff#2"]


def test_a_text_list_counts_from_its_own_folder(tmp_path):
    (tmp_path / "lists").mkdir()
    write_png(tmp_path / "lists" / "a.png")
    write_cine(tmp_path / "b.dcm", frames=1)
    (tmp_path / "lists" / "all.txt").write_text("# mine\na.png\n\n../b.dcm\n", encoding="utf-8")
    assert find_xrays([tmp_path / "lists" / "all.txt"]).names == ["a.png", "../b.dcm"]


def test_a_list_of_windows_in_utf_16_may_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "lists").mkdir()
    write_png(tmp_path / "Schädel.png")
    (tmp_path / "lists" / "all.txt").write_bytes("~/Schädel.png\r\n".encode("utf-16"))
    assert find_xrays([tmp_path / "lists" / "all.txt"]).names == ["~/Schädel.png"]


def test_a_table_brings_labels_and_polarity(tmp_path):
    write_png(tmp_path / "a.png")
    write_png(tmp_path / "b.png")
    (tmp_path / "t.csv").write_text("file,patient,region,polarity,age\na.png,7,hip,intensity,60\nb.png,,,,\n")
    first, second = find_xrays([tmp_path / "t.csv"])
    assert first.labels == {"patient": "7", "region": "hip", "age": "60"}
    assert first.notes == ()
    assert second.labels == {}
    assert second.notes != ()


def test_samples_of_a_data_set_bring_labels_and_intensity(tmp_path):
    write_dataset(tmp_path / "data", {"train": [2, 2], "test": [2]}, views=2)
    found = find_xrays([tmp_path], field=True)
    assert len(found) == 6
    frames = list(found)
    assert len({frame.name for frame in frames}) == 6
    assert frames[0].labels["patient"].isdigit()
    assert frames[0].labels["region"] == "knee"
    assert frames[0].field is not None
    assert [frame.labels["split"] for frame in frames] == ["train"] * 4 + ["test"] * 2
    assert [frame.name for frame in find_xrays([tmp_path], split="test")] == [frame.name for frame in frames[4:]]
    backwards = [found[n] for n in reversed(range(6))]
    assert [frame.name for frame in backwards] == [frame.name for frame in reversed(frames)]
    copied = pickle.loads(pickle.dumps(found))
    assert torch.equal(copied[3].intensity, frames[3].intensity)
    assert copied.digest() == found.digest()


def test_the_exposed_field_is_found_when_asked_for(tmp_path):
    image = xray_like(64, 64)
    image[:, :16] = 0
    path = write_png(tmp_path / "x.png", image)
    assert find_xrays([path], polarity="intensity")[0].field is None
    field = find_xrays([path], polarity="intensity", field=True)[0].field
    assert field is not None
    assert not field[:, :14].any()
    assert field[20:44, 24:56].all()


def test_a_damaged_file_is_named_or_skipped(tmp_path):
    write_png(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    write_png(tmp_path / "c.png")
    with pytest.raises(FileError, match=r"b\.png"):
        list(find_xrays([tmp_path]))
    found = find_xrays([tmp_path], skip_damaged=True)
    assert len(list(found)) == 2
    ((name, sentence),) = found.damaged
    assert name.endswith("b.png")
    assert "damaged" in sentence


def test_a_black_image_of_unstated_unit_is_refused(tmp_path):
    path = write_png(tmp_path / "x.png", np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(InputError, match="above zero"):
        find_xrays([path], polarity="intensity")[0]


def test_the_digest_changes_with_files_and_options(tmp_path):
    path = write_png(tmp_path / "x.png")
    before = find_xrays([path]).digest()
    assert find_xrays([path]).digest() == before
    assert find_xrays([path], polarity="intensity").digest() != before
    write_png(path, IMAGE[:10])
    assert find_xrays([path]).digest() != before


def test_bad_sources_and_options_are_refused(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        find_xrays([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="got none"):
        find_xrays([tmp_path])
    with pytest.raises(InputError, match="got none"):
        find_xrays([])
    path = write_png(tmp_path / "x.png")
    with pytest.raises(InputError, match="frames must be"):
        find_xrays([path], frames="last")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="polarity of"):
        find_xrays([path], polarity="bright")  # type: ignore[arg-type]
    (tmp_path / "t.csv").write_text("name\nx.png\n")
    with pytest.raises(FileError, match='column "path" or "file"'):
        find_xrays([tmp_path / "t.csv"])
    (tmp_path / "l.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(FileError, match="UTF-8"):
        find_xrays([tmp_path / "l.txt"])


def mean_intensity(frame):
    return float(frame.intensity.mean())


@pytest.mark.slow
def test_workers_give_the_same_in_the_same_order(tmp_path):
    write_dataset(tmp_path / "data", {"train": [2, 2], "test": [2]}, views=2)
    (tmp_path / "z.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = find_xrays([tmp_path], skip_damaged=True)
    alone = list(map_frames(mean_intensity, found))
    assert list(map_frames(mean_intensity, found, workers=1)) == alone
    assert [type(one) for one in alone] == [DamagedXray] + [float] * 6
    with pytest.raises(XraykitError, match=r"z\.png"):
        list(map_frames(mean_intensity, find_xrays([tmp_path])))


def test_samples_are_refused_to_workers_that_would_share_them(tmp_path, monkeypatch):
    write_dataset(tmp_path / "data", {"train": [2]})
    found = find_xrays([tmp_path])
    monkeypatch.setattr(stored_samples, "get_worker_info", lambda: "a worker of a DataLoader")
    with pytest.raises(InputError, match="use map_frames"):
        found[0]


def test_a_constant_image_is_read_and_said_to_show_nothing(tmp_path):
    Image.fromarray(np.full((20, 30), 777, np.uint16)).save(tmp_path / "flat.png")
    assert "every pixel has one value, so there is nothing to see" in find_xrays([tmp_path])[0].notes


def test_a_list_that_names_a_list_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a.txt\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"got another list, a\.txt"):
        find_xrays([tmp_path / "a.txt"])
