"""One reader's inputs in a child process whose time and memory are bounded, and what came of each."""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import struct
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import XraykitError

SECONDS = 5.0
"""CPU time of one input, processes that it started included."""
WALL = 120.0
"""However busy the machine is, an input is given up after this."""
MEMORY = 2 << 30
"""Bytes beyond what the process holds before the input."""
LONGEST = 4010
"""Characters of a message."""
FEWEST = 10
"""Inputs of a reader, however little time there is."""
DONE = 77
"""Exit status of a child that has come to its end; a reader that ends the process has another."""
FINE = ("accepted", "refused")
FAULTS = ("untyped", "message", "memory", "hang", "crash")
_BOARD = struct.Struct("<qdd")  # the input at hand (-1: none), and the clock and CPU time when it began


@dataclass(frozen=True)
class Bounds:
    """What one input may take, and how many there are at most.

    Args:
        inputs: How many.
        seconds: For all of them [s, wall clock], after the first `FEWEST`.
        each: For one [s, CPU time].
        memory: For one [bytes].
    """

    inputs: int
    seconds: float
    each: float = SECONDS
    memory: int = MEMORY


Attempt = Callable[[int], None]
"""Makes the input of a number and reads it."""


def outcomes(attempt: Attempt, bounds: Bounds, log: Path, *, first: int = 0) -> list[dict]:
    """What came of each input: {"input", "outcome", ...}; a child that dies or hangs is replaced behind its input."""
    log.write_bytes(b"")
    end, number, last = time.monotonic() + bounds.seconds, first, first + bounds.inputs
    board = mmap.mmap(-1, 4096)
    while number < last and (number < first + FEWEST or time.monotonic() < end):
        _BOARD.pack_into(board, 0, -1, 0.0, 0.0)
        child = os.fork()
        if child == 0:
            _serve(attempt, range(number, last), first + FEWEST, end, bounds, board, log)
        was_hanging = _watch(child, board, bounds)
        status = os.waitpid(child, 0)[1]
        if os.waitstatus_to_exitcode(status) == DONE:
            break
        number = _BOARD.unpack_from(board)[0]
        if number < 0:  # between inputs: the last one has broken the heap
            number = max((row["input"] for row in _rows(log)), default=first)
        fault = {"outcome": "hang"} if was_hanging else {"outcome": "crash", "what": f"status {status}"}
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"input": number, **fault}) + "\n")
        number += 1
    return _rows(log)


def _rows(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def _watch(child: int, board: mmap.mmap, bounds: Bounds) -> bool:
    """Wait for the child's end; True if it was ended for its time."""
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.05)
        number, begun, used = seen = _BOARD.unpack_from(board)
        time.sleep(0.01)
        if number < 0 or seen != _BOARD.unpack_from(board):
            continue  # between inputs, or read while it was written
        late = time.monotonic() - begun
        if late > WALL or (late > bounds.each and _cpu_of(child) - used > bounds.each):
            os.kill(child, signal.SIGKILL)
            return True
    return False


def _cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _serve(
    attempt: Attempt, numbers: range, fewest: int, end: float, bounds: Bounds, board: mmap.mmap, log: Path
) -> None:
    """The child: input after input, up to `fewest` and then until the time is over; it never returns."""
    status = 1  # a fault of this file
    try:
        warnings.simplefilter("ignore")
        limit = _held("VmSize") + 3 * bounds.memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        with log.open("a", encoding="utf-8", buffering=1) as file:
            for number in numbers:
                if number >= fewest and time.monotonic() > end:
                    break
                file.write(json.dumps({"input": number, **_one(attempt, number, bounds, board)}) + "\n")
        status = DONE
    finally:
        os._exit(status)


def _one(attempt: Attempt, number: int, bounds: Bounds, board: mmap.mmap) -> dict:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the highest memory so far
    held, used = _held("VmHWM"), _cpu()
    _BOARD.pack_into(board, 0, number, time.monotonic(), used)
    found = {"outcome": "accepted"}
    try:
        attempt(number)
    except XraykitError as error:
        found = {"outcome": "refused"}
        message = str(error)
        if len(message) > LONGEST or not message.isprintable():
            found = {"outcome": "message", "what": ascii(message[:100]), "at": _place(error)}
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
        what = f"{type(error).__name__}: {str(error)[:100]}"
        found = {"outcome": "untyped", "what": ascii(what), "at": _place(error)}
    _BOARD.pack_into(board, 0, -1, 0.0, 0.0)
    taken, more = _cpu() - used, _held("VmHWM") - held
    if taken > bounds.each:
        found = {"outcome": "hang", "what": f"{taken:.1f} s"}
    elif more > bounds.memory:
        found = {"outcome": "memory", "what": f"{more >> 20} MB"}
    return found


def _place(error: BaseException) -> str:
    """The innermost line of ours."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/xraykit/" in frame.filename]
    return f"{ours[-1].filename.rpartition('/xraykit/')[2]}:{ours[-1].lineno}" if ours else "?"


def _held(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{name}:")[2].split()[0]) << 10


def _cpu() -> float:
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
