"""tools/fuzz counts a planted fault of each kind as that kind and goes on behind it; changes depend on their number."""

import json
import random
import subprocess
import sys

import pytest
from support.repo import ROOT

from tools.fuzz import container_changes, dicom_changes, mutations

PLANTED = """
import json, os, sys, tempfile
from pathlib import Path
from tools.fuzz.bounded import Bounds, outcomes
from xraykit.render import FileError

class Loud(FileError):
    def __str__(self):
        return self.args[0]

def raising(error):
    raise error

FAULTS = [
    lambda: None, lambda: raising(FileError("a file must be whole.")), lambda: raising(Loud("two\\nlines")),
    lambda: raising(Loud("x" * 5000)), lambda: raising(KeyError("rows")), os.abort, lambda: bytearray(64 << 20),
    lambda: all(True for _ in iter(int, 1)), lambda: os._exit(0), lambda: None,
]
with tempfile.TemporaryDirectory() as folder:
    bounds = Bounds(len(FAULTS), 300.0, each=1.5, memory=40 << 20)
    rows = outcomes(lambda number: FAULTS[number](), bounds, Path(folder) / "log")
print(json.dumps([[row["input"], row["outcome"]] for row in rows]))
"""


def test_planted_faults_are_counted_and_the_run_goes_on():
    if sys.platform != "linux":
        pytest.skip("needs the extra accounting of Linux")
    done = subprocess.run([sys.executable, "-c", PLANTED], cwd=ROOT, capture_output=True, text=True, check=True)
    kinds = ["accepted", "refused", "message", "message", "untyped", "crash", "memory", "hang", "crash", "accepted"]
    assert json.loads(done.stdout) == [[number, kind] for number, kind in enumerate(kinds)]


CHANGES = {
    "bytes": (mutations.change_bytes, bytes(range(200))),
    "text": (mutations.change_text, b"sizes: 3 4 5\nspacing: 1.5\n"),
    "json": (mutations.change_json, b'{"a": [1, 2.5, {"b": "c"}]}'),
    "yaml": (mutations.change_yaml, b"a: [1, 2]\nb: {c: d}\n"),
    "dicom": (dicom_changes.change_dicom, bytes(128) + b"DICM\x28\0\x10\0US\2\0\4\0\x28\0\x11\0US\2\0\4\0"),
    "hdf5": (container_changes.change_hdf5, b"\x89HDF\r\n\x1a\n" + bytes(100) + b"TREE" + bytes(300)),
    "pickle": (container_changes.change_pickle, b"\x80\x02}q\0(X\1\0\0\0aK\1u."),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_repeated_by_its_number_and_mostly_is_one(name):
    change, data = CHANGES[name]
    first, again = ([change(random.Random(f"0/{name}/{n}"), data) for n in range(200)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 80 and sum(changed == data for changed in first) < 60
