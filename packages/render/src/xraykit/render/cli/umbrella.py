"""The `xraykit` command: finds the groups that installed packages bring, and turns errors into one sentence."""

from __future__ import annotations

import ast
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from cyclopts import App, ArgumentCollection, CycloptsError, Parameter, UnusedCliTokensError

from ..errors import XraykitError
from ..storage.versions import installed_version

GROUP = "xraykit.commands"
USER_MISTAKE, INTERRUPTED = 2, 130


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0, 2 for a mistake in the input, 130 for an interrupt."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning
        try:
            umbrella()(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        except (XraykitError, CycloptsError) as error:
            print(f"xraykit: {_sentence(error)}", file=sys.stderr)
            return USER_MISTAKE
        except KeyboardInterrupt:
            print("xraykit: interrupted.", file=sys.stderr)
            return INTERRUPTED
    return 0


def umbrella() -> App:
    """The root command, every group registered but none imported."""
    app = App(
        name="xraykit",
        help="X-rays from CT: simulate them, teach networks with them, find where they were taken.",
        help_format="plaintext",  # the default, markdown, costs a tenth of a second
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


def _sentence(error: Exception) -> str:
    if isinstance(error, UnusedCliTokensError):
        return f"no more words were expected, got {' '.join(error.unused_tokens or ())}; --help lists the options."
    return " ".join(str(error).split())


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"xraykit: warning: {' '.join(str(message).split())}", file=sys.stderr)
