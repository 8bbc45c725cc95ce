"""What reaches the terminal: text without control characters, and nothing once its reader has gone."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

from ..errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

READER_GONE = 141  # 128 + SIGPIPE, as a shell says it of other programs
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # all but newline and tab
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # what turns the direction of text, or ends a line
    "\ud800-\udfff]"  # bytes of a file name that are no text
)


def plain(text: str) -> str:
    r"""A text with its control characters spelled out, as in \x1b; newlines and tabs stay."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class PlainStream:
    """A text stream that writes `plain` text, in characters that its encoding has.

    Once whoever reads it has gone (`xraykit ... | head`), it ends the program without a word.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a text; the number of its characters."""
        encoding = self.stream.encoding or "utf-8"
        with self._checked():
            self.stream.write(plain(text).encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written so far."""
        with self._checked():
            self.stream.flush()

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            _end_quietly(self.stream)
        except OSError as error:
            _silence(self.stream)
            raise OutputError(f"what this prints must be written, got {error.strerror}; free some space.") from error


@contextmanager
def plain_streams() -> Iterator[None]:
    """Within it, whatever is printed is `plain`, on standard output and on standard error."""
    before = sys.stdout, sys.stderr
    make_streams_plain()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def make_streams_plain() -> None:
    """From now on, whatever this process prints is `plain`."""
    sys.stdout, sys.stderr = _plain_one(sys.stdout), _plain_one(sys.stderr)


def console() -> Console:
    """A rich console for standard output that adds colours of its own to texts that are `plain`."""
    from rich.console import Console

    class PlainConsole(Console):
        def render(self, *arguments: Any, **named: Any) -> Iterator[Any]:
            for segment in super().render(*arguments, **named):
                yield segment if segment.control else segment._replace(text=plain(segment.text))

        def on_broken_pipe(self) -> None:
            _end_quietly(self.file)

    return PlainConsole(file=getattr(sys.stdout, "stream", sys.stdout))


def started_bar(*columns: ProgressColumn) -> Progress:
    """A bar of progress that is shown until its `stop`; what is printed meanwhile stands above it, and is plain."""
    from rich.progress import Progress

    bar = Progress(*columns, console=console())
    bar.start()
    make_streams_plain()  # rich put streams of its own in their place
    return bar


def _plain_one(stream: TextIO | None) -> TextIO:
    if isinstance(stream, PlainStream):
        return stream
    if stream is None:  # closed by whoever started this
        stream = io.StringIO()
    return cast("TextIO", PlainStream(stream))


def _end_quietly(stream: Any) -> NoReturn:
    _silence(stream)
    raise SystemExit(READER_GONE)


def _silence(stream: Any) -> None:
    """Let what is still to be written to a stream vanish, or Python would complain of it at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
