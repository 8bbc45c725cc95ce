"""A folder of results is one job's while that works, and what a killed job leaves in it is in nobody's way."""

import pytest
from support.held import held_elsewhere
from xraykit.render import OutputError
from xraykit.render.storage import atomic_folder, check_unused, held_folder

pytest.importorskip("fcntl", reason="locks of POSIX")


def fill(folder, error, *names):
    """Hold a folder, write files, and end with an error."""
    with held_folder(folder):
        assert folder.is_dir()
        for name in names:
            (folder / name).write_text("half", encoding="utf-8")
        raise error


def test_a_second_job_is_refused_and_the_folder_is_as_it_was(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine", encoding="utf-8")
    with held_elsewhere(tmp_path / "out"):
        before = sorted(path.name for path in (tmp_path / "out").iterdir())
        with pytest.raises(OutputError, match="must be free, got another job"), held_folder(tmp_path / "out"):
            raise AssertionError("it began")
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before
    with held_folder(tmp_path / "out"):
        assert (tmp_path / "out/.lock").exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("error", [OutputError("full"), KeyboardInterrupt()])
def test_folders_that_were_made_for_nothing_go_again(tmp_path, error):
    with pytest.raises(type(error)):
        fill(tmp_path / "a/b", error)
    assert list(tmp_path.iterdir()) == []


def test_folders_with_something_in_them_stay(tmp_path):
    with pytest.raises(ValueError, match="half"):
        fill(tmp_path / "a/b", ValueError("half"), "rows.csv")
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["rows.csv"]


def test_a_job_holds_its_folder_once(tmp_path):
    with held_folder(tmp_path), held_folder(tmp_path):
        assert (tmp_path / ".lock").exists()
    assert not (tmp_path / ".lock").exists()


def test_results_in_a_folder_are_something_and_leftovers_are_not(tmp_path):
    check_unused(tmp_path / "missing")
    for name in (".lock", ".0a1b2c3d.part", ".rows.csv.0a1b2c3d.part", "rows.csv"):
        (tmp_path / name).write_text("", encoding="utf-8")
    check_unused(tmp_path, unfinished=("rows.csv",))
    with pytest.raises(OutputError, match="must be new or empty, got something in it"):
        check_unused(tmp_path)
    with pytest.raises(OutputError, match="must be a folder, got a file"):
        check_unused(tmp_path / "rows.csv")


@pytest.mark.parametrize("owned", [None, ("a.txt",)])
def test_what_killed_jobs_had_begun_goes_and_what_others_are_filling_stays(tmp_path, owned):
    place = tmp_path if owned is None else tmp_path / "out"
    names = {"dead": ".0a1b2c3d.part", "alive": ".4e5f6071.part", "unlocked": ".82930a1b.part", "own": ".notes.part"}
    with held_elsewhere(place / names["dead"]):
        (place / names["dead"] / "images.bin").write_bytes(bytes(100))
    (place / names["unlocked"]).mkdir()
    (place / names["own"]).mkdir()
    (place / names["own"] / ".lock").write_text("", encoding="utf-8")
    with held_elsewhere(place / names["alive"]), atomic_folder(tmp_path / "out", owned=owned) as staging:
        (staging / "a.txt").write_text("new", encoding="utf-8")
        left = {path.name for path in place.iterdir() if path != staging and path.name != "out"}
        assert left == {names["alive"], names["unlocked"], names["own"]}
        with atomic_folder(tmp_path / "out", owned=owned) as second:  # another of the same process
            assert staging.is_dir() and second != staging
    assert (tmp_path / "out/a.txt").read_text(encoding="utf-8") == "new"
    assert not (tmp_path / "out/.lock").exists()
