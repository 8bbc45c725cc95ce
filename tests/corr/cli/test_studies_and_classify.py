"""`xraykit corr studies` and `classify` read their options, print what came out, and refuse in one sentence."""

from types import SimpleNamespace

import pytest
from cyclopts import App
from support.corr_studies import write_pictures, write_study_set
from xraykit.corr import classification
from xraykit.corr.cli import classify, studies
from xraykit.corr.studies import LeakCheck, read_studies


def call(*words):
    app = App(name="corr")
    app.command(studies.app, name="studies")
    app.command(classify.command, name="classify")
    return app([*map(str, words)], result_action="return_value")


def test_mura_becomes_a_manifest(tmp_path, capsys):
    for number, ending in enumerate(("positive", "negative", "positive")):
        stem = f"MURA/{'valid' if number == 2 else 'train'}/XR_WRIST/patient0000{number}/study1_{ending}"
        write_pictures(tmp_path, [f"{stem}/image1.png", f"{stem}/image2.png"])
    call("studies", "mura", tmp_path / "MURA", "-o", tmp_path / "mura.csv", "--regions", "wrist", "--val-share", "0")
    told = capsys.readouterr().out
    assert "test: 1 studies, 1 positive, 2 X-rays" in told and "train: 2 studies, 1 positive, 4 X-rays" in told
    assert len(read_studies(tmp_path / "mura.csv", min_images=2)) == 3


def test_fracatlas_says_that_its_images_stand_alone(tmp_path, capsys):
    head, rows = "image_id,fractured,frontal,lateral,oblique", []
    for number in range(4):
        folder = "Fractured" if number % 2 else "Non_fractured"
        write_pictures(tmp_path / "images" / folder, [f"I{number}.png"])
        rows.append(f"I{number}.png,{number % 2},1,{number % 2},0")
    (tmp_path / "dataset.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    call("studies", "fracatlas", tmp_path, "-o", tmp_path / "f.csv")
    told = capsys.readouterr()
    assert "FracAtlas names no patients" in told.err and "2 of 4 show several projections" in told.err
    assert "wrote" in told.out


def test_fracture_studies_warn_of_what_tells_the_label(tmp_path, capsys, monkeypatch):
    seen = []

    def fake(jobs, output, settings, *, twins, report):
        seen.append((jobs, output, settings, twins))
        report(1, 1)
        path = write_study_set(output, each=2)
        checks = (LeakCheck("file size", 0.8, 0.7, 0.9), LeakCheck("region", 0.5, 0.4, 0.6))
        return SimpleNamespace(
            manifest=path,
            studies=read_studies(path),
            decoys=frozenset({"val0"}),
            left_out=(("job-000003", "no view shows the middle of its fracture"),),
            checks=checks,
            twins=None,
        )

    monkeypatch.setattr("xraykit.corr.studies.fracture_studies.make_fracture_studies", fake)
    call("studies", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out", "--decoys", "0.25", "--twins", "3")
    jobs, _, settings, twins = seen[0]
    assert len(jobs) == 2 and settings.decoys == 0.25 and twins == 3
    told = capsys.readouterr()
    assert "the file size tells the label: AUROC 0.80 (0.70 to 0.90)" in told.err and "region tells" not in told.err
    assert "job-000003 was left out: no view shows" in told.err
    assert "6 studies, 1 with a decoy" in told.out and "| val |" in told.out
    assert (tmp_path / "out" / "studies.md").is_file() and (tmp_path / "out" / "studies.json").is_file()


def test_options_of_classify_reach_their_fields(tmp_path, capsys, monkeypatch):
    seen = []

    def fake(settings, *, report, say):
        seen.append(settings)
        say("early-scratch, seed 0: done")
        (tmp_path / "report.md").write_text("# Arms\n", encoding="utf-8")
        return SimpleNamespace(report=tmp_path / "report.md", left_out=())

    monkeypatch.setattr(classification, "classify_studies", fake)
    words = ["--grid", "--seeds", "5", "--pretrained", "w", "--control", "c", "--arms", "early-scratch"]
    call("classify", "s.csv", "-o", tmp_path, "--fusion", "early", "--guidance", "predicted", "--shift", "2", *words)
    settings = seen[0]
    assert (settings.network.guidance, settings.network.control, settings.changes.shift) == ("predicted", "c", 2)
    assert (settings.grid.grid, settings.grid.seeds, settings.grid.arms) == (True, 5, ("early-scratch",))
    assert "# Arms" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["studies"], ["studies", "mura"], ["classify"]])
def test_help_teaches(command, capsys):
    call(*command, "--help")
    assert "xraykit corr" in capsys.readouterr().out
