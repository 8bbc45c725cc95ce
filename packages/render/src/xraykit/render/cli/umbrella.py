"""The `xraykit` command: finds the groups that installed packages bring, and turns errors into one sentence."""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from ..commands.several_numbers import join_lists, split_numbers
from ..commands.slow_reading import slow_reading_said
from ..commands.terminal import console, make_streams_plain, plain_streams
from ..errors import InputError, XraykitError
from ..storage.versions import installed_version

if TYPE_CHECKING:
    from cyclopts import App, ArgumentCollection, CycloptsError

GROUP = "xraykit.commands"
USER_MISTAKE, INTERRUPTED = 2, 130
OF_CAMERA = ("--sdd", "--principal-point")
LONGEST = 2000  # characters of a sentence


def main() -> None:
    """Entry point of the console script."""
    make_streams_plain()
    os.environ["MPLBACKEND"] = "agg"  # pictures go to files; a notebook's or a desktop's backend may not be there
    status = run(sys.argv[1:])
    if status == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who presses Ctrl-C again does not want to wait for threads
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status.

    It is 0, 2 for a mistake in the input, 3 where some inputs were left out and the others done, 130 for an interrupt.

    Raises:
        SystemExit: Whoever read the output has gone (141).
    """
    with plain_streams(), warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning
        try:
            status = _run(arguments)
            sys.stdout.flush()
        except XraykitError as error:
            print(f"xraykit: {_sentence(str(error))}", file=sys.stderr)
            return USER_MISTAKE
        except KeyboardInterrupt as interrupt:
            print(f"xraykit: {_sentence(': '.join(['interrupted', *map(str, interrupt.args)]))}.", file=sys.stderr)
            return INTERRUPTED
    return status if type(status) is int else 0


def _run(arguments: Sequence[str]) -> object:
    """What the command returns: its exit status, if it is a number."""
    from cyclopts import CycloptsError

    try:
        words = join_lists(split_numbers(arguments))
        with slow_reading_said():
            return umbrella()(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise InputError(_usage(error)) from error


def umbrella() -> App:
    """The root command, every group registered but none imported."""
    from cyclopts import App, Parameter

    app = App(
        name="xraykit",
        help="X-rays from CT: simulate them, teach networks with them, find where they were taken.",
        help_format="plaintext",  # the default, markdown, costs a tenth of a second
        console=console(),
        suppress_keyboard_interrupt=False,  # `run` says what was interrupted
        version=lambda: installed_version("xraykit-render"),
        config=_file_may_supply,
        default_parameter=Parameter(negative=()),
    )
    for name, entry in sorted({entry.name: entry for entry in entry_points(group=GROUP)}.items()):
        app.command(entry.value, name=name, help=_first_line(entry))
    return app


def _first_line(entry: EntryPoint) -> str:
    """What a group is for: the first line of its module's docstring, read from the source without running it."""
    try:
        spec = importlib.util.find_spec(entry.module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return f"(cannot be found: {entry.value})"
    with open(spec.origin, encoding="utf-8") as source:
        text = ast.get_docstring(ast.parse(source.read())) or ""
    return text.partition("\n")[0].rstrip(".") + "."


def _file_may_supply(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    from ..commands.options import file_may_supply  # what a list of groups can do without

    file_may_supply(app, commands, arguments)


def _usage(error: CycloptsError) -> str:
    from cyclopts import RepeatArgumentError, UnusedCliTokensError

    if isinstance(error, RepeatArgumentError):
        option = error.token.keyword or "an option"
        also = "; views with cameras of their own take --camera FILE for each" if option in OF_CAMERA else ""
        return f"{option} may be given once, got it twice; leave one out{also}."
    if isinstance(error, UnusedCliTokensError):
        return f"no more words were expected, got {' '.join(error.unused_tokens or ())}; --help lists the options."
    return str(error)


def _sentence(text: str) -> str:
    """On one line, and without the middle of what is too long: what was expected and what to do stand at its ends."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"xraykit: warning: {_sentence(str(message))}", file=sys.stderr)
