"""Every name of ours that a page imports is there, in blocks that no other test runs as well."""

import re
from importlib import import_module
from importlib.util import find_spec

from support.repo import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")])
IMPORT = re.compile(r"\bfrom (xraykit[\w.]*) import (\([^)]*\)|\w[\w, ]*)")


def imports(text: str) -> list[tuple[str, str]]:
    """(module, name) for each name that is imported from us."""
    return [
        (module, name) for module, names in IMPORT.findall(text) for name in re.findall(r"(\w+)(?: as \w+)?", names)
    ]


def missing(text: str) -> list[str]:
    """Names of installed packages that are not where the text imports them from."""
    wrong = []
    for module, name in imports(text):
        if find_spec(".".join(module.split(".")[:2])) is None:
            continue
        try:
            found = hasattr(import_module(module), name)
        except ModuleNotFoundError:
            found = False
        wrong += [f"{module}.{name}"] * (not found)
    return wrong


def test_every_name_that_a_page_imports_is_there():
    texts = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
    assert sum(len(imports(text)) for text in texts.values()) > 40
    assert {page: wrong for page, text in texts.items() if (wrong := missing(text))} == {}


def test_a_name_and_a_module_that_are_not_there_are_seen():
    text = "    from xraykit.render import Volume, nothing\nfrom xraykit.render.nowhere import (\n    a,\n)\n"
    assert missing(text) == ["xraykit.render.nothing", "xraykit.render.nowhere.a"]
