"""`dataset make` makes what the library makes, says how far it is, and turns every mistake into one sentence."""

import os
import shlex
import subprocess
from dataclasses import fields

import pytest
import yaml
from support.dataset_jobs import digests, write_job
from xraykit.render.cli import dataset_make as command_module
from xraykit.render.cli.dataset_make import DatasetMakeSettings
from xraykit.render.cli.umbrella import run
from xraykit.render.dataset.format.manifest import ShardRecord, Skipped
from xraykit.render.dataset.make import job as job_module
from xraykit.render.dataset.make.job import DatasetSummary
from xraykit.render.dataset.plan.config_file import read_dataset_config
from xraykit.render.dataset.plan.plan import make_plan

pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-render[dataset]'")


@pytest.fixture
def config(tmp_path):
    return write_job(tmp_path / "in", patients=3, per_patient=2)


@pytest.fixture
def called(monkeypatch, tmp_path):
    """What the command asks of the library, which does nothing but leave a patient out."""
    calls = []

    def make_dataset(config, folder, **options):
        calls.append({"config": config, "folder": folder, **options})
        options["report"](2, 6)
        plan = make_plan(config)
        names = [shard.name for shard in plan.shards]
        shards = (ShardRecord(names[0], "train", "00", 1_500_000, 2, (0,), (Skipped(1, "p1 is torn"),)),)
        return DatasetSummary(tmp_path / "out", plan, shards, 1)

    monkeypatch.setattr(job_module, "make_dataset", make_dataset)
    return calls


def test_every_option_reaches_the_library(config, tmp_path, called):
    options = ["--engine", "ray", "--workers", "3", "--resume", "--shards", "0-1", "--on-error", "stop"]
    assert run(["dataset", "make", str(config), "-o", str(tmp_path / "out"), *options, "--address", "auto"]) == 3
    (call,) = called
    del call["report"]
    assert call.pop("config").on_error == "stop"
    wanted = {"folder": tmp_path / "out", "engine": "ray", "workers": 3, "resume": True, "shards": (0, 1)}
    assert call == {**wanted, "address": "auto"}
    known = {"recipe", "output", "engine", "workers", "resume", "shards", "on_error", "address"}
    assert {field.name for field in fields(DatasetMakeSettings)} == known


def test_the_last_line_counts_and_skipped_patients_are_warned_of(config, tmp_path, called, capsys):
    assert run(["dataset", "make", str(config), "-o", str(tmp_path / "out")]) == 3
    said = capsys.readouterr()
    assert "2 images in 1 of 3 shards, 1.5 MB; 1 shards made now, in 0 s" in said.out
    assert "xraykit: warning: patient 1 was left out: p1 is torn" in said.err


def test_a_data_set_of_two_types_of_cpu_is_warned_of(config, tmp_path, monkeypatch, capsys):
    def make_dataset(config, folder, **_):
        plan = make_plan(config)
        cpus = ("x86_64, torch AVX2", "x86_64, torch DEFAULT")
        shards = [
            ShardRecord(s.name, s.split, "00", 1, 2, (0,), (), cpu)
            for s, cpu in zip(plan.shards[:2], cpus, strict=True)
        ]
        return DatasetSummary(folder, plan, tuple(shards), 1)

    monkeypatch.setattr(job_module, "make_dataset", make_dataset)
    assert run(["dataset", "make", str(config), "-o", str(tmp_path / "out")]) == 0
    assert "xraykit: warning: 2 shards were made on 2 types of CPU (1 on x86_64, torch AVX2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--workers", "0"], "workers must be 1 or more, got 0"),
        (["--workers", "0", "--engine", "slurm"], "workers must be 1 or more, got 0"),
        (["--shards", "3"], "--shards must be FIRST-LAST, for instance 0-9, got '3'"),
        (["--shards", "0-1", "--engine", "slurm"], "--shards is what the tasks of the array get"),
        (["--address", "auto"], "--address belongs to --engine ray, got --engine local"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(config, tmp_path, options, sentence, capsys):
    assert run(["dataset", "make", str(config), "-o", str(tmp_path / "out"), *options]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_unknown_keys_of_the_file_are_told(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("sead: 1", encoding="utf-8")
    assert run(["dataset", "make", str(tmp_path / "c.yaml"), "-o", str(tmp_path / "out")]) == 2
    assert "the file has no key 'sead'; did you mean 'seed'" in capsys.readouterr().err


def test_ctrl_c_tells_how_to_go_on(config, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(job_module, "make_dataset", interrupted)
    assert run(["dataset", "make", str(config), "-o", str(tmp_path / "out")]) == 130
    assert "the same command with --resume goes on from there" in capsys.readouterr().err


def test_the_slurm_script_asks_for_every_shard_once(config, tmp_path, capsys):
    folder = tmp_path / "with space" / "out"
    command = ["dataset", "make", str(config), "-o", str(folder), "--engine", "slurm", "--workers", "2"]
    assert run(command) == 0
    said = capsys.readouterr().out
    script = folder / "log/slurm_array.sh"
    assert f"sbatch --parsable {shlex.quote(str(script))}" in said
    assert "#SBATCH --array=0-1" in script.read_text(encoding="utf-8")
    (tmp_path / "xraykit").write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    (tmp_path / "xraykit").chmod(0o755)
    asked = []
    for task in range(2):
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": str(task)}
        done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=True)
        words = done.stdout.splitlines()
        assert words[:5] == ["dataset", "make", str(folder / "config.yaml"), "-o", str(folder)]
        assert words[5:-1] == ["--resume", "--workers", "1", "--shards"]
        asked.append(words[-1])
    assert asked == ["0-1", "2-2"]


@pytest.mark.slow
def test_a_slurm_task_and_the_last_call_make_the_bytes_of_one_call(tmp_path, capsys):
    config, array, whole = write_job(tmp_path / "in", patients=2, per_patient=1), tmp_path / "array", tmp_path / "whole"
    assert run(["dataset", "make", str(config), "-o", str(array), "--engine", "slurm"]) == 0
    written = array / "config.yaml"
    assert yaml.safe_load(written.read_text(encoding="utf-8"))["patients"]["ct"]["folder"] == str(config.parent / "ct")
    again = ["dataset", "make", str(written), "-o", str(array), "--resume", "--workers", "1"]
    assert run([*again, "--shards", "1-1"]) == 0
    assert run(again) == 0
    assert "2 images in 2 of 2 shards, 0.0 MB; 1 shards made now" in capsys.readouterr().out
    assert run(["dataset", "make", str(config), "-o", str(whole), "--workers", "1"]) == 0
    assert digests(array) == digests(whole)
    assert (array / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()
    assert read_dataset_config(whole / "config.yaml") == read_dataset_config(config)


def test_the_command_imports_no_torch_before_it_needs_it():
    assert "torch" not in vars(command_module)
