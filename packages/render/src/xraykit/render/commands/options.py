"""Options of a command from a settings class: a flag for each leaf, and --config for a file that holds them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from cyclopts import Group, Parameter

from ..errors import FileError, InputError
from ..storage.named_place import from_home
from ..storage.settings_file import read_table
from ..storage.settings_leaves import Leaf, leaves
from ..storage.typed_settings import build, typed_table
from .several_numbers import is_one_or_many, one_or_many

if TYPE_CHECKING:
    from cyclopts import App, ArgumentCollection

T = TypeVar("T")

RESUMES = "what was finished is kept, and the same command with --resume goes on from there"
FILE = "settings_file"
PRESET = "settings_preset"
PRESET_HELP = "Settings by name, in place of the defaults; --config and the command line win."
FILE_HELP = "A .toml, .yaml or .json file with any of these options; the command line wins."


def flat(
    run: Callable[[T], object], cls: type[T], *, presets: Mapping[str, Path] | None = None
) -> Callable[..., object]:
    """A function for `app.command` with a flag for each leaf of a settings class, which calls `run(settings)`.

    The command line wins over the file that --config names, the file over --preset, and that over the defaults of the
    class. Help is what the
    class says under its fields, headings are the first lines of its nested classes. `field(metadata=...)` may say
    `{"positional": True}`, `{"short": "-o"}`, `{"negative": "--no-mirror"}`, `{"flag": "other-name"}`, or
    `{"hidden": True}` for what only a file can hold.

    Args:
        run: Does the work; its docstring up to Args is the help of the command.
        cls: The settings class.
        presets: Settings files by name, for --preset; None has no such option.

    Raises:
        TypeError: Two leaves have the same flag.
    """
    shown = {name: leaf for name, leaf in leaves(cls).items() if not leaf.metadata.get("hidden")}

    def command(*values: Any, **named: Any) -> object:
        given = signature.bind_partial(*values, **named).arguments
        for name in several & given.keys():
            given[name] = one_or_many(_flag(shown[name]), shown[name].type, given[name])
        files = [(presets or {}).get(given.pop(PRESET, None)), given.pop(FILE, None)]
        settings = _settings(cls, shown, given, [file for file in files if file is not None])
        try:
            return run(settings)
        except KeyboardInterrupt:
            if "resume" not in shown:
                raise
            raise KeyboardInterrupt(RESUMES) from None

    several = {name for name, leaf in shown.items() if is_one_or_many(leaf.type)}
    headings = dict.fromkeys(leaf.group for leaf in shown.values() if leaf.group)
    groups = {heading: Group.create_ordered(heading) for heading in headings}
    parameters = [_parameter(leaf, groups.get(leaf.group)) for leaf in shown.values()]
    config = Annotated[Path | None, Parameter(name="--config", help=FILE_HELP)]
    keyword = inspect.Parameter.KEYWORD_ONLY
    last = [inspect.Parameter(FILE, keyword, default=None, annotation=config)]
    if presets:
        named_one = Annotated[Literal[tuple(presets)] | None, Parameter(name="--preset", help=PRESET_HELP)]
        last.insert(0, inspect.Parameter(PRESET, keyword, default=None, annotation=named_one))
    signature = inspect.Signature([*sorted(parameters, key=lambda parameter: parameter.kind), *last])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__name__ = command.__qualname__ = getattr(run, "__name__", "command")
    command.__doc__ = inspect.cleandoc(run.__doc__ or "").partition("\nArgs:")[0].rstrip()
    return command


def file_may_supply(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """For `App(config=)`: where --config is given, nothing else must be; what is then missing `flat` says itself."""
    if any(argument.field_info.name == FILE and argument.tokens for argument in arguments):
        for argument in arguments:
            argument.parameter = Parameter.combine(argument.parameter, Parameter(required=False))


def _settings(cls: type[T], shown: Mapping[str, Leaf], given: Mapping[str, Any], files: Sequence[Path]) -> T:
    typed: dict[str, Any] = {}
    for path in files:
        try:
            _merge(typed, typed_table(cls, read_table(path)))
        except FileError:
            raise
        except InputError as error:
            raise FileError(f"{path}: {error}") from error
    for name, value in given.items():
        _table_of(typed, shown[name])[shown[name].path[-1]] = value
    for leaf in shown.values():
        if leaf.is_required and leaf.path[-1] not in _table_of(typed, leaf):
            raise InputError(f"{_flag(leaf)} is required, got none on the command line and in {files[-1]}; add it.")
    return build(cls, _at_home(typed))


def _at_home(value: Any) -> Any:
    """The same with the user's folder for ~ at the beginning of paths, where no shell put it there (-o=~/x, a file)."""
    if isinstance(value, Path):
        return from_home(value)
    if isinstance(value, dict):
        return {name: _at_home(one) for name, one in value.items()}
    return tuple(map(_at_home, value)) if type(value) is tuple else value


def _merge(table: dict[str, Any], later: Mapping[str, Any]) -> None:
    """Put what a later file says over what an earlier one said, leaf by leaf."""
    for name, value in later.items():
        if isinstance(value, dict) and isinstance(table.get(name), dict):
            _merge(table[name], value)
        else:
            table[name] = value


def _table_of(typed: dict[str, Any], leaf: Leaf) -> dict[str, Any]:
    for part in leaf.path[:-1]:
        typed = typed.setdefault(part, {})
    return typed


def _parameter(leaf: Leaf, group: Group | None) -> inspect.Parameter:
    positional = bool(leaf.metadata.get("positional"))
    names = [] if positional else [_flag(leaf)]
    if "short" in leaf.metadata:
        names.append(leaf.metadata["short"])
    said: dict[str, Any] = {"help": leaf.help}
    if names:
        said["name"] = tuple(names)
    if "negative" in leaf.metadata:
        said["negative"] = leaf.metadata["negative"]
    if group is not None:
        said["group"] = group
    if leaf.is_required:
        said |= {"required": True, "show_default": False}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if positional else inspect.Parameter.KEYWORD_ONLY
    default = None if leaf.is_required else leaf.default
    hint = leaf.type
    if is_one_or_many(hint):
        hint, default = tuple[float, ...] | None, (default,) if isinstance(default, float) else default
    elif not positional and _takes_any_number(hint):
        said["consume_multiple"] = True  # --arms one two, as well as --arms one --arms two
    return inspect.Parameter(leaf.name, kind, default=default, annotation=Annotated[hint, Parameter(**said)])


def _takes_any_number(kind: Any) -> bool:
    """Whether a type is tuple[X, ...] of single words, or that or something else."""
    if get_origin(kind) is tuple:
        return get_args(kind)[-1:] == (...,) and get_origin(get_args(kind)[0]) is not tuple
    return any(_takes_any_number(part) for part in get_args(kind) if get_origin(kind) in (Union, UnionType))


def _flag(leaf: Leaf) -> str:
    return "--" + leaf.name.replace("_", "-")
