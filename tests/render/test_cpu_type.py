"""The type of CPU: the same in every process, changed by what changes the code that runs, and told in counts."""

import os
import subprocess
import sys

import pytest
from xraykit.render.cpu_type import cpu_type, made_elsewhere, several_cpu_types


@pytest.mark.slow
def test_another_process_differs_in_the_code_of_torch_that_it_is_told_and_not_by_its_number_of_threads():
    other = "avx2" if "torch DEFAULT" in cpu_type() else "default"
    variables = {"ATEN_CPU_CAPABILITY": other, "OMP_NUM_THREADS": "3", "NUMBA_NUM_THREADS": "1"}
    code = "from xraykit.render.cpu_type import cpu_type; print(cpu_type())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    pairs = zip(done.stdout.strip().split(", "), cpu_type().split(", "), strict=True)
    assert [there for there, here in pairs if there != here] == [f"torch {other.upper()}"]


@pytest.mark.parametrize("variable, value", [("NUMBA_CPU_NAME", "generic"), ("NUMBA_CPU_FEATURES", "+sse2")])
def test_other_code_of_numba_is_another_type(variable, value, monkeypatch):
    monkeypatch.delenv(variable, raising=False)
    before = cpu_type.__wrapped__()
    monkeypatch.setenv(variable, value)
    assert cpu_type.__wrapped__() != before


def test_one_type_needs_no_sentence():
    assert several_cpu_types([]) is None
    assert several_cpu_types(["a", "a"]) is None
    assert made_elsewhere([cpu_type()] * 3) is None


def test_types_are_counted():
    assert several_cpu_types(["a", "b", "a"]).startswith("3 shards were made on 2 types of CPU (2 on a; 1 on b);")
    told = made_elsewhere(["a", cpu_type(), "a", "b"])
    assert told.startswith("3 of 4 finished shards were made on another type of CPU (2 on a; 1 on b) than this one (")
    assert cpu_type() in told
