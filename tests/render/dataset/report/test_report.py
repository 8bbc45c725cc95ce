"""The report counts what is there, shows it, and finds what was planted."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image
from support.dataset_shards import disc, sample_members, tar_bytes, write_dataset, write_manifest
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.cli.umbrella import run
from xraykit.render.dataset.report.duplicates import BITS, alike, perceptual_hash
from xraykit.render.dataset.report.report import dataset_report
from xraykit.render.dataset.report.survey import BINS, BRIGHTEST, DARKEST, exposure_flaw, histogram, unnumbered

SIZE = 32
HOSTILE = "<script>alert(1)</script>"


def body(seed: int) -> np.ndarray:
    """The intensity behind a few discs."""
    rng = np.random.default_rng(seed)
    depth = sum(rng.uniform(0.5, 1.5) * disc(SIZE, *rng.uniform(8, 24, 2), rng.uniform(5, 9)) for _ in range(5))
    return np.exp(-depth - 0.3)


def planted(folder):
    """Three whole samples, and one each of every flaw."""
    noise = np.random.default_rng(0).poisson(body(1) * 20_000) / 20_000
    empty = np.zeros((SIZE, SIZE), bool)
    screw = disc(SIZE, 20, 20, 3)
    train = {
        (0, 0): {"intensity": body(1), "tools": {"screw": screw, "screw_2": screw}},
        (0, 1): {"intensity": noise},
        (1, 0): {"intensity": body(2), "region": "hip", "masks": {"hip_left": empty, "sacrum": disc(SIZE, 9, 9, 4)}},
        (1, 1): {"intensity": body(3), "region": "hip", "masks": {}},
        (2, 0): {"intensity": np.full((SIZE, SIZE), 1e-4)},
        (2, 1): {"intensity": np.ones((SIZE, SIZE))},
        (3, 0): {"intensity": np.full((SIZE, SIZE), 3.0)},
        (4, 0): {"intensity": body(4), "edit": {"tools": [{"name": "needle"}]}, "region": HOSTILE},
    }
    shards = {}
    for split, samples in (("train", train), ("val", {(4, 1): {"intensity": body(5)}})):
        members = [
            item
            for (p, v), options in samples.items()
            for item in sample_members(p, v, split, size=SIZE, **options).items()
        ]
        content = tar_bytes(members)
        (folder / f"{split}-000000.tar").write_bytes(content)
        shards[f"{split}-000000.tar"] = (content, len(samples), sorted({p for p, _ in samples}))
    write_manifest(folder, shards)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = planted(tmp_path_factory.mktemp("set"))
    seen = []
    made = dataset_report(folder, folder / "report.html", masks=True, report=lambda *numbers: seen.append(numbers))
    assert seen == [(n, 9) for n in range(1, 10)]
    return made, made.path.read_text(encoding="utf-8")


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def counted(page: str, heading: str) -> dict[str, int]:
    """{name: count} of the bars below a heading."""
    table = re.search(rf"<h3>{heading} \(\d+\)</h3><table>(.*?)</table>", page, re.DOTALL)
    assert table
    rows = re.findall(r'<td class="name">(.*?)</td><td class="count">(\d+)</td>', table[1])
    return {name: int(count) for name, count in rows}


def test_everything_that_was_planted_is_found_and_no_more(report):
    made, _ = report
    assert made.samples == 9
    assert made.findings == {
        "Near-duplicates": 1,
        "Patients in more than one split": 1,
        "Labels without a pixel": 1,
        "Tools without a pixel": 1,
        "Images without any mask": 1,
        "Saturated, black or empty images": 3,
        "Patients that the job left out": 0,
        "Shards that are damaged": 0,
    }


def test_counts_are_those_of_the_samples(report):
    _, page = report
    assert counted(page, "Region") == {"knee": 6, "hip": 2, HOSTILE.replace("<", "&lt;").replace(">", "&gt;"): 1}
    assert counted(page, "Split") == {"train": 8, "val": 1}
    assert counted(page, "Patients by split") == {"train": 5, "val": 1}
    assert counted(page, "Tool") == {"screw": 1}
    assert counted(page, "Label") == {"femur_left": 7, "sacrum": 1}
    assert counted(page, "View")["knee_ap"] == 6


def test_findings_say_which_sample_and_why(report):
    _, page = report
    for words in ("patient 4", "hip_left", "000001_0001", "needle", "get less than", "open beam", "16-bit range"):
        assert words in page
    assert "1 in train, 1 in val" in page
    pair = re.search(r'<div class="pair">(.*?)</div>', page, re.DOTALL)
    assert pair
    assert {"000000_0000", "000000_0001"} == set(re.findall(r"\d{6}_\d{4}", pair[1]))


def test_page_needs_nothing_from_elsewhere_and_runs_nothing(report):
    _, page = report
    tags = Tags()
    tags.feed(page)
    names = {tag for tag, _ in tags.seen}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, attributes in tags.seen for name in attributes if name.startswith("on")]
    sources = [attributes["src"] for tag, attributes in tags.seen if tag == "img"]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"https?://|url\(|@import", page)
    assert "default-src 'none'" in page
    assert HOSTILE not in page


def test_contact_sheet_shows_every_view_of_every_region(report):
    _, page = report
    assert page.count("Contact sheet with masks: ") == 3
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(pictures) == 2 + 2 + 1 + 2  # two of knee, two of hip, one hostile, and the pair of duplicates
    shown = [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in pictures]
    assert all(picture.shape[:2] == (SIZE, SIZE) for picture in shown)
    assert any(picture.ndim == 3 for picture in shown)  # masks are in colour


def test_same_data_gives_the_same_page(report, tmp_path):
    made, page = report
    again = dataset_report(made.path.parent, tmp_path / "again.html", masks=True)
    assert again.path.read_text(encoding="utf-8") == page


@pytest.mark.parametrize("photons", [3_000, 100_000])
def test_hash_knows_an_image_with_other_noise_and_tells_others_apart(photons):
    rng = np.random.default_rng(7)
    clean = [body(seed) for seed in range(12)]
    noisy = [rng.poisson(image * photons) / photons for image in clean]
    hashes = np.stack([perceptual_hash(torch.from_numpy(image)[None]) for image in clean + noisy])
    assert hashes.shape == (24, BITS)
    pairs = alike(hashes, most=10)
    assert {(i, j) for i, j, _ in pairs} == {(n, n + 12) for n in range(12)}
    assert [distance for *_, distance in pairs] == sorted(int((hashes[i] != hashes[j]).sum()) for i, j, _ in pairs)


def test_hash_is_blind_to_exposure():
    image = torch.from_numpy(body(3))[None]
    assert (perceptual_hash(image) == perceptual_hash(0.5 * image)).all()


def test_histogram_counts_every_pixel_in_its_bin():
    width = (DARKEST - BRIGHTEST) / BINS
    values = torch.tensor([-9.0, BRIGHTEST + 0.5 * width, BRIGHTEST + 5.5 * width, 99.0])
    found = histogram(values)
    assert found.sum() == 4
    assert np.flatnonzero(found).tolist() == [0, 5, BINS - 1]
    assert found[0] == 2


def test_exposure_of_an_ordinary_image_is_fine():
    dark = torch.linspace(0, 7, 100)
    assert exposure_flaw(torch.linspace(0.1, 0.9, 100), dark) == ""
    assert "no pixel open" in exposure_flaw(torch.empty(0), torch.empty(0))


def test_only_the_opening_of_the_collimator_counts(tmp_path):
    intensity = np.full((SIZE, SIZE), 1e-6)
    intensity[4:28, 4:28] = body(1)[4:28, 4:28]
    options = {"intensity": intensity, "edit": {"physics": {"shutter": {"rectangle": [12, 12, 20, 20]}}}}
    content = tar_bytes(sample_members(0, 0, "train", size=SIZE, **options).items())
    (tmp_path / "train-000000.tar").write_bytes(content)
    write_manifest(tmp_path, {"train-000000.tar": (content, 1, [0])})
    assert dataset_report(tmp_path, tmp_path / "a.html").findings["Saturated, black or empty images"] == 0


def test_tools_are_counted_without_their_numbers():
    assert [unnumbered(name) for name in ("screw", "screw_12", "k_wire_2", "k_wire")] == [
        "screw",
        "screw",
        "k_wire",
        "k_wire",
    ]


def test_what_cannot_be_reported_is_refused(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [2]}, size=8)
    with pytest.raises(InputError, match=r"must be an .html file"):
        dataset_report(folder, tmp_path / "a.pdf")
    with pytest.raises(InputError, match="each must be 1 or more"):
        dataset_report(folder, tmp_path / "a.html", each=0)
    with pytest.raises(OutputError, match="must lie in an existing folder"):
        dataset_report(folder, tmp_path / "none" / "a.html")
    (folder / "train-000000.tar").write_bytes(b"x" * 2048)
    with pytest.raises(
        FileError, match=r"none of 1 shards is whole; the first: .* must have the \d+ bytes of the manifest"
    ):
        dataset_report(folder, tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


def test_command_writes_the_page_and_says_what_it_found(tmp_path, capsys):
    folder = write_dataset(tmp_path / "set", {"train": [3], "val": [2]}, views=1, size=SIZE)
    assert run(["dataset", "report", str(folder), "--masks", "--each", "1"]) == 0
    said = capsys.readouterr().out
    assert "Labels without a pixel: none" in said
    assert f"wrote {folder / 'report.html'} about 5 images" in said
    assert "Contact sheet with masks: knee" in (folder / "report.html").read_text(encoding="utf-8")
    assert run(["dataset", "report", "memory://set"]) == 2
    assert "--output must be given" in capsys.readouterr().err


def test_a_damaged_shard_is_left_out_of_the_page_and_told_by_the_exit_status(tmp_path, capsys):
    folder = write_dataset(tmp_path / "set", {"train": [2, 3]}, size=SIZE)
    (folder / "train-000001.tar").unlink()
    assert run(["dataset", "report", str(folder), "-o", str(tmp_path / "r.html")]) == 3
    said = capsys.readouterr()
    assert "about 2 images" in said.out and "train-000001.tar was left out: " in said.err
    assert "train-000001.tar" in (tmp_path / "r.html").read_text()
