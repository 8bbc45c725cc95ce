"""Unpack compressed frames in a child process, so that a decoder that crashes, hangs or swells takes nothing along."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from ..errors import FileError
from .brief import brief
from .codestream import is_cut_short
from .dicom_decoders import PackedFrame

WALL_SECONDS = 60.0
"""However slow the machine is, one frame is given up after this; the child's own bound is CPU time."""
WORKER = "xraykit.render.storage.dicom_worker"


class Unpacker:
    """A child process that unpacks frames, started with the first one; a context manager that ends it.

    The child may use CPU time and memory in proportion to the size that the tags declare, no more; it is replaced after
    it died.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Unpacker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def unpacked(self, path: Path, frame: PackedFrame) -> bytes:
        """The stored values of a frame, little endian, colour by pixel.

        Raises:
            FileError: It is cut short, no decoder at hand takes it, or the decoder was ended for its time, its memory
                or its death.
        """
        if is_cut_short(frame.data):
            raise FileError(f"{path} must hold whole frames, a {frame.syntax.name} has no end; copy the file again.")
        child = self._running()
        request = {"syntax": str(frame.syntax), "packed": len(frame.data), "unpacked": frame.size, "tags": frame.tags}
        watch = threading.Timer(WALL_SECONDS, child.kill)
        watch.start()
        try:
            good, answer = _exchange(child, json.dumps(request).encode() + b"\n", frame)
        except (OSError, EOFError, ValueError) as error:
            self._end()
            raise FileError(
                f"{path} must hold pixels that unpack as {frame.syntax.name}, its decoder crashed or went beyond its "
                "bounds of time and memory; the file is damaged, get it again."
            ) from error
        finally:
            watch.cancel()
        if good:
            return answer
        raise FileError(
            f"{path} must hold readable pixels, unpacking {frame.syntax.name} failed "
            f"({brief(answer.decode(errors='replace'), limit=160)}); get it again or convert it uncompressed."
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            paths = os.pathsep.join(path for path in sys.path if path)
            bounds = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **bounds},
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not sent to a dead child
                    continue


def _exchange(child: subprocess.Popen[bytes], head: bytes, frame: PackedFrame) -> tuple[bool, bytes]:
    """Send a frame, and give the child's verdict with the pixels or the reason."""
    if child.stdin is None or child.stdout is None:
        raise EOFError("the child has no pipes")
    child.stdin.write(head + frame.data)
    child.stdin.flush()
    verdict = child.stdout.read(1)
    size = frame.size if verdict == b"+" else int.from_bytes(child.stdout.read(2), "little")
    answer = child.stdout.read(size)
    if verdict not in (b"+", b"-") or len(answer) != size:
        raise EOFError("the child ended")
    return verdict == b"+", answer
