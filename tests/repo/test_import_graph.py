"""tools/import_graph.py counts rooms, floors, arrows and rings of a small package as one would by hand."""

import importlib.util
import sys

import pytest
from support.repo import ROOT


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("import_graph", ROOT / "tools/import_graph.py")
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path):
    files = {
        "__init__.py": 'TABLE = {"upper.work": "Work"}\n',
        "errors.py": "",
        "lower/__init__.py": "",
        "lower/part.py": "from ..errors import InputError\nfrom .other import thing\n",
        "lower/other.py": "def late():\n    from ..upper import Work\n",
        "upper/__init__.py": '__getattr__ = attach(__name__, {"work": "Work"})\n',
        "upper/work.py": "from xraykit.small.lower.part import thing\nimport xraykit.small.left\n",
        "left.py": "from . import right\n",
        "right.py": "from .left import x\nif TYPE_CHECKING:\n    from .upper import Work\n",
    }
    for name, text in files.items():
        path = tmp_path / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "small"


def test_rooms_arrows_floors_and_rings_are_those_of_the_sources(tool, source):
    graph = tool.read_graph(source)
    assert graph.rooms == ("errors", "left", "lower", "right", "upper")
    solid = {("lower", "errors"), ("upper", "lower"), ("upper", "left"), ("left", "right"), ("right", "left")}
    assert graph.arrows == solid
    assert graph.lazy == {("lower", "upper"), ("right", "upper")}
    assert graph.rings == (("left", "right"),)
    assert graph.lazy_rings == (("left", "lower", "right", "upper"),)
    assert graph.floors == {"errors": 0, "left": 0, "right": 0, "lower": 1, "upper": 2}
    assert str(graph).startswith("xraykit.small: 5 rooms on 3 floors, 5 arrows and 2 lazy ones, 1 rings (left, right)")


def test_the_picture_is_drawn(tool, source, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra `plot` draws")
    tool.draw(tool.read_graph(source), tmp_path / "graph.png")
    assert (tmp_path / "graph.png").stat().st_size > 2000
