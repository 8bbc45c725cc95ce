"""What is printed holds no control characters, fits the encoding, and ends quietly where nobody reads it."""

import io
import os
import subprocess
import sys
import unicodedata

import pytest
from rich.progress import TextColumn
from xraykit.render import OutputError
from xraykit.render.commands.terminal import (
    READER_GONE,
    PlainStream,
    console,
    make_streams_plain,
    plain,
    plain_streams,
    started_bar,
)

EVIL = "\x1b]0;OWNED\x07\x1b[31mliver\r\x9b2J\u202egnp\x00\x7f\udcff"


class Terminal(io.StringIO):
    """A terminal's end of the line."""

    encoding = "utf-8"

    def isatty(self):
        return True


def controls(text):
    """What a terminal obeys in place of showing it, and what turns the direction of a text."""
    turning = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return {
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in "\n\t")
        or (unicodedata.category(c) == "Cf" and unicodedata.bidirectional(c) in turning)
    }


def test_control_characters_are_spelled_out_and_the_rest_stays():
    assert plain(EVIL) == r"\x1b]0;OWNED\x07\x1b[31mliver\r\x9b2J\u202egnp\x00\x7f\udcff"
    assert plain("Müller 60° 脊椎\n\tliver") == "Müller 60° 脊椎\n\tliver"
    assert not any(controls(plain(chr(code))) for code in range(0x10000))


def test_whatever_is_printed_within_is_plain(capsys):
    with plain_streams():
        print(EVIL)
        print(EVIL, file=sys.stderr)
        sys.stdout.writelines([EVIL, "\n"])
    said = capsys.readouterr()
    assert not controls(said.out + said.err)
    assert said.out.count("OWNED") == 2
    assert not isinstance(sys.stdout, PlainStream)


def test_characters_that_the_encoding_lacks_are_spelled_out():
    raw = io.BytesIO()
    stream = PlainStream(io.TextIOWrapper(raw, encoding="ascii"))
    print("60° \udcff", file=stream, flush=True)
    assert raw.getvalue() == rb"60\xb0 \udcff" + b"\n"


def test_a_closed_output_takes_what_is_printed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with plain_streams():
        print("nobody reads this")
        assert not sys.stdout.isatty()


def test_names_in_a_bar_and_above_it_are_plain_and_no_markup(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", terminal)
    bar = started_bar(TextColumn("{task.description}", markup=False))
    bar.add_task("[/b]\x1b]0;OWNED\x07", total=1)
    print(EVIL)
    bar.stop()
    said = terminal.getvalue()
    assert r"[/b]\x1b]0;O" in said
    assert not controls(said) - {"\x1b", "\r"}
    assert "\x1b]0" not in said
    assert "\x1b[31m" not in said


def test_a_console_keeps_its_own_colours(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)
    make_streams_plain()
    console().print(EVIL, style="yellow", markup=False, highlight=False)
    assert terminal.getvalue().startswith("\x1b[33m\\x1b]0;")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("words", ["print('x' * 100)", "for _ in range(100_000): print('x')"])
def test_a_reader_that_has_gone_ends_the_program_quietly(words):
    code = f"import sys\nfrom xraykit.render.cli import umbrella\numbrella._run = lambda _: exec({words!r})\n"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code + "umbrella.main()"], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (READER_GONE, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full device of Linux")
def test_output_that_cannot_be_written_is_said():
    with (
        open("/dev/full", "w", encoding="utf-8") as full,
        pytest.raises(OutputError, match="must be written, got No space left"),
    ):
        print("x", file=PlainStream(full), flush=True)
