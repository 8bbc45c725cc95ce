"""Jobs: the same bytes for one worker and two, in pieces and at once; bad patients, full disks and mix-ups are told."""

import errno
import json
import os
import shutil
from collections import Counter
from dataclasses import replace
from multiprocessing import Pipe

import pytest
import torch
from support.dataset_jobs import digests, in_this_process, leftovers, write_job
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.cpu_type import cpu_type
from xraykit.render.dataset.format.manifest import RECEIPTS, read_manifest
from xraykit.render.dataset.make import job, job_folder
from xraykit.render.dataset.make.engines import processes
from xraykit.render.dataset.make.engines.processes import in_processes
from xraykit.render.dataset.make.job import make_dataset
from xraykit.render.dataset.make.job_folder import begin, finished
from xraykit.render.dataset.make.sample import program_versions
from xraykit.render.dataset.make.shard_work import make_shard
from xraykit.render.dataset.plan.config import (
    DatasetConfig,
    ImageSettings,
    PatientSources,
    ProceduralPatients,
    ViewSettings,
)
from xraykit.render.dataset.plan.config_file import read_dataset_config

pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-render[dataset]'")


def nothing(_: int) -> None:
    """Nobody wants to know."""


@pytest.fixture
def threads():
    """Shards made in this process leave its number of threads as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def here():
    with in_this_process():
        yield


def test_the_manifest_tells_of_every_shard(whole, config):
    summary, _ = whole
    manifest = read_manifest(summary.folder)
    assert manifest.complete
    assert manifest.shards == summary.shards
    assert manifest.versions == program_versions()
    assert {shard.cpu_type for shard in manifest.shards} == {cpu_type()}
    assert {shard.name: shard.sha256 for shard in manifest.shards} == digests(summary.folder)
    assert [shard.name for shard in manifest.shards] == [*(f"train-00000{n}.tar" for n in range(3)), "test-000000.tar"]
    assert all(shard.bytes == (summary.folder / shard.name).stat().st_size for shard in manifest.shards)
    assert sorted(number for shard in manifest.shards for number in shard.patients) == [0, 1, 2, 3]
    assert [shard.samples for shard in manifest.shards] == [3] * 4
    assert read_dataset_config(summary.folder / "config.yaml") == config


def test_progress_is_reported_from_none_to_all(whole):
    assert whole[1] == [(0, 12), (3, 12), (6, 12), (9, 12), (12, 12)]


@pytest.mark.slow
def test_two_workers_make_the_same_bytes(whole, config, tmp_path):
    summary = make_dataset(config, tmp_path / "two", workers=2)
    assert digests(summary.folder) == digests(whole[0].folder)
    assert (summary.folder / "manifest.json").read_bytes() == (whole[0].folder / "manifest.json").read_bytes()
    assert (summary.made, summary.is_complete) == (4, True)


def test_pieces_and_damage_are_completed_to_the_same_bytes(whole, config, tmp_path, here):
    folder = tmp_path / "pieces"
    first = make_dataset(config, folder, workers=1, shards=(1, 2))
    assert (first.made, first.is_complete) == (2, False)
    assert not read_manifest(folder).complete
    assert sorted(digests(folder)) == ["train-000001.tar", "train-000002.tar"]
    (folder / "train-000001.tar").write_bytes((folder / "train-000001.tar").read_bytes()[:-1] + b"!")
    (folder / ".train-000000.tar.0123.part").write_bytes(b"left by a killed process")
    (folder / ".manifest.json.0123.part").write_bytes(b"so is this")
    (folder / RECEIPTS / ".train-000000.tar.json.0123.part").write_bytes(b"and this")
    last = make_dataset(config, folder, workers=1, resume=True)
    assert last.made == 3
    assert digests(folder) == digests(whole[0].folder)
    assert leftovers(folder) == []


def test_a_finished_data_set_is_left_alone(whole, config):
    again = make_dataset(config, whole[0].folder, workers=1, resume=True)
    assert (again.made, again.shards) == (0, whole[0].shards)


def test_shards_of_another_type_of_cpu_are_counted_when_a_job_goes_on(whole, config, tmp_path, monkeypatch):
    folder, here = tmp_path / "moved", cpu_type()
    shutil.copytree(whole[0].folder, folder)
    shutil.rmtree(folder / RECEIPTS)
    (folder / "train-000002.tar").unlink()
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace(here, "x86_64, torch ELSE", 2), encoding="utf-8")
    monkeypatch.setattr(job, "_engine", lambda *_: (number for number in ()))
    told = r"2 of 3 finished shards were made on another type of CPU \(2 on x86_64, torch ELSE\) than this one"
    with pytest.warns(UserWarning, match=told):
        again = make_dataset(config, folder, workers=1, resume=True)
    assert [shard.cpu_type for shard in again.shards] == ["x86_64, torch ELSE", "x86_64, torch ELSE", here]
    assert [shard.cpu_type for shard in read_manifest(folder).shards] == [shard.cpu_type for shard in again.shards]


def test_receipts_make_up_for_a_lost_manifest(whole, config, tmp_path):
    plan = whole[0].plan
    (whole[0].folder / "manifest.json").rename(tmp_path / "kept")
    try:
        assert len(finished(plan, whole[0].folder)) == 4
    finally:
        (tmp_path / "kept").rename(whole[0].folder / "manifest.json")


def test_a_folder_in_use_is_not_begun_again(whole, config):
    with pytest.raises(OutputError, match="holds a data set already; add --resume"):
        make_dataset(config, whole[0].folder)


def test_another_configuration_is_refused_with_both_hashes(whole, config):
    other = replace(config, seed=99)
    with pytest.raises(OutputError, match="same configuration, got config_sha256 ") as caught:
        make_dataset(other, whole[0].folder, resume=True)
    assert whole[0].plan.config_sha256 in str(caught.value)
    assert job_folder.make_plan(other).config_sha256 in str(caught.value)


def test_other_versions_are_refused(whole, config, monkeypatch):
    monkeypatch.setattr(job_folder, "program_versions", lambda: {**program_versions(), "torch": "0.1"})
    with pytest.raises(OutputError, match=r"begun by other versions, .* torch 0\.1"):
        make_dataset(config, whole[0].folder, resume=True)


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused(config, tmp_path, workers):
    with pytest.raises(InputError, match=f"workers must be 1 or more, got {workers}"):
        make_dataset(config, tmp_path / "x", workers=workers)
    assert not (tmp_path / "x").exists()


def test_an_unknown_engine_is_refused(config, tmp_path):
    with pytest.raises(InputError, match="engine must be local or ray, got 'dask'"):
        make_dataset(config, tmp_path / "x", engine="dask")
    assert not (tmp_path / "x").exists()


def test_shards_that_do_not_exist_are_refused(config, tmp_path):
    with pytest.raises(InputError, match="shards must be first-last from 0 to 3, got 2-4"):
        make_dataset(config, tmp_path / "x", shards=(2, 4))


def test_a_corrupt_ct_is_left_out_and_told(tmp_path, threads):
    config = read_dataset_config(write_job(tmp_path, per_patient=2, patients=2, extra="on_error: skip\n"))
    config = replace(config, images_per_shard=4, split={"train": 1.0})
    broken = tmp_path / "ct/p1_ct.nii.gz"
    broken.write_bytes(broken.read_bytes()[:100])
    plan = begin(config, tmp_path / "out", resume=False)
    record = make_shard(tmp_path / "out", 0, plan.config_sha256, nothing)
    assert (record.patients, record.samples) == ((0,), 2)
    (skipped,) = record.skipped
    assert skipped.patient == 1
    assert "p1_ct.nii.gz" in skipped.reason
    assert str(tmp_path) not in skipped.reason


def test_a_corrupt_ct_stops_a_job_that_shall_stop(tmp_path):
    config = read_dataset_config(write_job(tmp_path, per_patient=1, patients=1, extra="on_error: stop\n"))
    (tmp_path / "ct/p0_ct.nii.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match=r"patient 0 \(p0_ct.nii.gz\) cannot be used: .*p0_ct.nii.gz"):
        make_dataset(config, tmp_path / "out", workers=1)
    assert digests(tmp_path / "out") == {}
    assert leftovers(tmp_path / "out") == []


def test_a_full_disk_ends_a_shard_in_a_sentence_and_it_can_be_resumed(whole, config, tmp_path, monkeypatch, threads):
    plan = begin(config, tmp_path / "out", resume=False)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"train-000000\.tar could not be written \(No space left on device\)"):
            make_shard(tmp_path / "out", 0, plan.config_sha256, nothing)
    assert digests(tmp_path / "out") == {}
    assert leftovers(tmp_path / "out") == []
    record = make_shard(tmp_path / "out", 0, plan.config_sha256, nothing)
    assert record == whole[0].shards[0]


def test_a_machine_that_sees_other_files_refuses(config, tmp_path, threads):
    begin(config, tmp_path / "out", resume=False)
    with pytest.raises(OutputError, match=r"same configuration, got config_sha256 .* and 0000 wanted"):
        make_shard(tmp_path / "out", 0, "0000", nothing)


@pytest.mark.slow
def test_a_killed_worker_is_replaced(whole, config, tmp_path):
    plan = begin(config, tmp_path / "out", resume=False)
    events = in_processes(tmp_path / "out", plan.config_sha256, [0, 1, 2, 3], workers=1)
    next(events)
    (worker,) = events.gi_frame.f_locals["team"]
    worker.process.kill()
    for _ in events:
        pass
    assert digests(tmp_path / "out") == digests(whole[0].folder)


@pytest.mark.slow
def test_a_worker_that_fails_for_another_reason_is_no_silence(config, tmp_path, capfd):
    plan = begin(config, tmp_path / "out", resume=False)
    with pytest.raises(RuntimeError, match="the worker of shard 99 failed with exit code 1; its traceback is above"):
        list(in_processes(tmp_path / "out", plan.config_sha256, [99], workers=1))
    assert "IndexError" in capfd.readouterr().err


def test_a_shard_whose_worker_is_always_killed_ends_the_job():
    class Killed:
        exitcode = -9

        def join(self):
            """It is dead already."""

    deaths = Counter()
    for _ in range(2):
        processes._mourn(processes._Worker(Killed(), Pipe()[0], 5), deaths)
    with pytest.raises(OutputError, match=r"shard 5 could not be made: its process was killed 3 times \(signal 9\)"):
        processes._mourn(processes._Worker(Killed(), Pipe()[0], 5), deaths)


@pytest.mark.parametrize("name", ["manifest.json", f"{RECEIPTS}/train-000000.tar.json"])
@pytest.mark.parametrize(
    "content, sentence", [("{", "must be JSON text"), ("[]", "one JSON object"), ("{}", "without")]
)
def test_damaged_notes_are_named(config, tmp_path, name, content, sentence):
    plan = begin(config, tmp_path, resume=False)
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=rf"{name.rpartition('/')[2]}.*{sentence}"):
        finished(plan, tmp_path)


def test_a_manifest_of_another_format_is_refused(config, tmp_path):
    plan = begin(config, tmp_path, resume=False)
    content = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (tmp_path / "manifest.json").write_text(json.dumps(content | {"format": "x/2"}), encoding="utf-8")
    with pytest.raises(FileError, match="format xraykit-dataset/1, got 'x/2'"):
        finished(plan, tmp_path)


def test_whole_numbers_in_python_are_the_numbers_of_the_file(tmp_path, here):
    patients = PatientSources(procedural=ProceduralPatients(count=1, size=32, regions={"knee": 1}))
    views, image = ViewSettings(per_patient=1), ImageSettings((16, 16))
    config = DatasetConfig(patients=patients, views=views, image=image, split={"a": 1})
    done = make_dataset(config, tmp_path / "set", workers=1)
    assert len(done.shards) == 1
