"""The lazy table of each package, its stub for type checkers and its modules say the same."""

import ast
import inspect
from importlib import import_module
from importlib.util import find_spec

import pytest
from support.repo import PACKAGES

INSTALLED = [package for package in PACKAGES if find_spec(f"xraykit.{package.name}")]
MODULES = [import_module(f"xraykit.{package.name}") for package in INSTALLED]
NAMES = [pytest.param(module, name, id=f"{module.__name__}.{name}") for module in MODULES for name in module.__all__]
PROMISED = {"Camera", "Volume", "carm_pose", "render"}  # design section 3: other packages rely on these


def declared_for_type_checkers(package) -> dict[str, str]:
    stub = package / "src/xraykit" / package.name / "__init__.pyi"
    body = [n for n in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(n, ast.ImportFrom)]
    assert all(node.level == 1 for node in body)
    return {alias.asname or "": node.module or "" for node in body for alias in node.names}


@pytest.mark.parametrize("package", INSTALLED, ids=lambda package: package.name)
def test_lazy_table_agrees_with_what_type_checkers_read(package):
    assert declared_for_type_checkers(package) == import_module(f"xraykit.{package.name}")._HOME


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_all_lists_the_table_in_order(module):
    assert module.__all__ == sorted(module._HOME) == dir(module)


def test_promised_names_are_public():
    assert set(import_module("xraykit.render").__all__) >= PROMISED


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_public_name_resolves_to_the_object_of_its_module(module, name):
    home = import_module(f"{module.__name__}.{module._HOME[name]}")
    assert getattr(module, name) is getattr(home, name)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_public_function_or_class_has_a_docstring(module, name):
    thing = getattr(module, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        assert (inspect.getdoc(thing) or "").strip()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = module.nonsense
