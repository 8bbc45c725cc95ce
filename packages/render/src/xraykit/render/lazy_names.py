"""Public names of a package, loaded on first use."""

from collections.abc import Callable, Mapping
from importlib import import_module


def attach(
    package: str, table: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose modules load when a name of theirs is first used.

    Args:
        package: Its `__name__`.
        table: {module, relative to the package: its public names, apart by spaces}.

    Example:
        `__getattr__, __dir__, __all__ = attach(__name__, {"camera": "Camera"})`
    """
    home = {name: module for module, names in table.items() for name in names.split()}
    names = sorted(home)

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import sys

        value = getattr(import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load, lambda: names, names
