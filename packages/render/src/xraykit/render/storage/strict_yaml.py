"""YAML without surprises: no key given twice, no aliases, and not too many entries."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

MOST_NODES = 20_000


def load_yaml(text: str) -> Any:
    """The plain values in a YAML text.

    Raises:
        ValueError: It is not well-formed, gives a key twice, has aliases, or more than 20 000 entries.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, aliases, and files of very many nodes."""

    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise yaml.YAMLError(f"more than {MOST_NODES} entries")
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not supported")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.YAMLError(f"the key {key!r} is given twice{node.start_mark}")
        return super().construct_mapping(node, deep=deep)


# 1e5 is a number, as in YAML 1.2 and JSON; YAML 1.1 wants 1.0e+5.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), [*"-+0123456789"]
)
