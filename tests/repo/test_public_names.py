"""The lazy table of the core, its stub for type checkers and its modules say the same."""

import ast
import inspect
from importlib import import_module

import pytest
import xraykit.render
from support.repo import ROOT

STUB = ROOT / "packages/render/src/xraykit/render/__init__.pyi"
PROMISED = {"Camera", "Volume", "carm_pose", "render"}  # design section 3: other packages rely on these


def declared_for_type_checkers() -> dict[str, str]:
    body = [n for n in ast.parse(STUB.read_text(encoding="utf-8")).body if isinstance(n, ast.ImportFrom)]
    assert all(node.level == 1 for node in body)
    return {alias.asname or "": node.module or "" for node in body for alias in node.names}


def test_lazy_table_agrees_with_what_type_checkers_read():
    assert declared_for_type_checkers() == xraykit.render._HOME


def test_all_lists_the_table_in_order():
    assert xraykit.render.__all__ == sorted(xraykit.render._HOME) == dir(xraykit.render)


def test_promised_names_are_public():
    assert PROMISED <= set(xraykit.render.__all__)


@pytest.mark.parametrize("name", xraykit.render.__all__)
def test_public_name_resolves_to_the_object_of_its_module(name):
    home = import_module(f"xraykit.render.{xraykit.render._HOME[name]}")
    assert getattr(xraykit.render, name) is getattr(home, name)


@pytest.mark.parametrize("name", xraykit.render.__all__)
def test_public_function_or_class_has_a_docstring(name):
    thing = getattr(xraykit.render, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        assert (inspect.getdoc(thing) or "").strip()


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = xraykit.render.nonsense
