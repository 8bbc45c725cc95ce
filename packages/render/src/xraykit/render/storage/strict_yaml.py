"""YAML without surprises: no key given twice, no aliases, not too many entries, and 1e5 is a number."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from .json_object import MOST_WHOLE

MOST_NODES = 20_000


def load_yaml(text: str, *, most_entries: int = MOST_NODES) -> Any:
    """The plain values in a YAML text.

    Args:
        text: The text.
        most_entries: How many keys and values it may hold.

    Raises:
        ValueError: It is not well-formed, gives a key twice, has aliases, a whole number beyond 64 bits, or too many
            entries.
    """
    try:
        loader = _Loader(text)
        loader.most_nodes = most_entries
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def dump_yaml(values: Any) -> str:
    """Plain values as a YAML text that `load_yaml` reads again, in their order."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, aliases, numbers beyond 64 bits, and files of very many nodes."""

    nodes, most_nodes = 0, MOST_NODES

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        if self.nodes > self.most_nodes:
            raise yaml.YAMLError(f"more than {self.most_nodes} entries")
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not supported")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.YAMLError(f"the key {key!r} is given twice{node.start_mark}")
        return super().construct_mapping(node, deep=deep)


def _whole(loader: yaml.SafeLoader, node: Any) -> int:
    number = loader.construct_yaml_int(node) if len(node.value) <= 80 else MOST_WHOLE
    if abs(number) >= MOST_WHOLE:
        raise yaml.YAMLError("a whole number beyond 64 bits")
    return number


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)


class _Dumper(yaml.SafeDumper):
    """SafeDumper that repeats what is the same object instead of an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# 1e5 is a number, as in YAML 1.2 and JSON; YAML 1.1 wants 1.0e+5.
for _kind in (_Loader, _Dumper):
    _kind.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), [*"-+0123456789"]
    )
