"""Settings of a command: read from --config, written back beside the results."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import FileError, InputError, OutputError

if TYPE_CHECKING:
    from cyclopts import App, ArgumentCollection

ConfigOption = Annotated[Path | None, Parameter(name="--config")]
OWN_KEY = "xraykit"


def config_file(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fill options that the command line leaves open from the file that --config names."""
    from cyclopts.config import Dict

    for argument in arguments:
        if argument.field_info.name == "config_file" and argument.tokens:
            path = Path(argument.tokens[0].value)
            values = read_settings(path)
            Dict(values, use_commands_as_keys=False, source=str(path))(app, commands, arguments)


def read_settings(path: Path) -> dict[str, Any]:
    """The options in a .toml, .yaml or .json file, named as on the command line with _ or - between words.

    Raises:
        FileError: The file is missing, of another type, or no table of options.
        InputError: YAML is asked for and pyyaml is not installed.
    """
    readers: dict[str, Callable[[str], Any]] = {
        ".toml": tomllib.loads,
        ".json": json.loads,
        ".yaml": _yaml,
        ".yml": _yaml,
    }
    if path.suffix.lower() not in readers:
        raise FileError(f"--config needs a .toml, .yaml or .json file, got {path}.")
    try:
        values = readers[path.suffix.lower()](path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"--config cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"--config needs a well-formed file, but {path} is not: {error}.") from error
    if not isinstance(values, dict):
        raise FileError(f"--config needs a table of options in {path}, got {type(values).__name__}.")
    return {key: value for key, value in values.items() if key != OWN_KEY and value is not None}


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise InputError("a YAML config needs pyyaml; run: pip install pyyaml, or use a .toml file.") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def write_settings(path: Path, config: object, command: str) -> Path:
    """Write the resolved options as JSON that --config reads again, with the version that used them."""
    if not is_dataclass(config) or isinstance(config, type):
        raise InputError(f"write_settings needs a config object, got {config!r}.")
    try:
        number = version("xraykit-render")
    except PackageNotFoundError:
        number = "unknown"
    content = {OWN_KEY: {"command": command, "version": number}, **asdict(config)}
    try:
        path.write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}.") from error
    return path
