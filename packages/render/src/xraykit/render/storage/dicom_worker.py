"""The child process of dicom_unpack.py: frames come on stdin, pixels or a reason go to stdout; run with -m."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydicom.uid import UID

from .dicom_decoders import PackedFrame, by_gdcm, by_pydicom
from .dicom_tags import DICOM_DAMAGE

SECONDS, SECONDS_PER_BYTE = 2.5, 5e-7
"""CPU time for one frame: ten times what the slowest decoder takes, and what loading GDCM takes."""
SPARE_BYTES = 1 << 30
"""Memory beyond what is in use before a frame, and eight times the frame."""


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer frame after frame until the source ends."""
    while line := source.readline():
        asked = json.loads(line)
        frame = PackedFrame(source.read(asked["packed"]), UID(asked["syntax"]), asked["unpacked"], asked["tags"])
        bound(frame.size)
        reasons = []
        for attempt in attempts(frame):
            if isinstance(attempt, bytes) and len(attempt) == frame.size:
                target.write(b"+" + attempt)
                break
            reasons.append(attempt if isinstance(attempt, str) else "it unpacks to another size")
        else:
            said = "; ".join(reasons).encode()[:4000] or b"no decoder is at hand"
            target.write(b"-" + len(said).to_bytes(2, "little") + said)
        target.flush()


def attempts(frame: PackedFrame) -> Iterator[bytes | str]:
    """The pixels by each decoder in turn, or why it has none: those of pydicom's plugins, then SimpleITK's GDCM."""
    for decode in (by_pydicom, by_gdcm):
        try:
            yield decode(frame)
        except (*DICOM_DAMAGE, MemoryError) as error:
            yield " ".join(str(error).split())[:200] or type(error).__name__


def bound(unpacked: int) -> None:
    """Limit CPU time and memory of this process to what a frame of `unpacked` bytes can need, where the system can."""
    try:
        import resource
    except ImportError:  # no such limits on Windows; the parent's clock remains
        return
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(
        signal.ITIMER_PROF, SECONDS + SECONDS_PER_BYTE * unpacked
    )  # exact; RLIMIT_CPU counts whole seconds
    pages = Path("/proc/self/statm")
    if pages.exists():
        used = int(pages.read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        limit = used + SPARE_BYTES + 8 * unpacked
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "wb")  # native code that prints must not reach the answers
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
