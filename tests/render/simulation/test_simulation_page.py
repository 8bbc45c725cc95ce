"""The page docs/simulation.md: its examples run, and it knows every key of a scene file and its default."""

import re

import pytest
import yaml
from support.repo import ROOT
from xraykit.render import read_scene
from xraykit.render.materials import MATERIALS
from xraykit.render.meshes.instruments import INSTRUMENTS
from xraykit.render.scenes import read_tool_library, scene_table
from xraykit.render.scenes import save as save_simulation
from xraykit.render.scenes.settings import SettingsEntries, ShutterEntry
from xraykit.render.storage.settings_leaves import is_table, typed_fields

PAGE = (ROOT / "docs/simulation.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \|(?: `(.+?)`)? \|", re.MULTILINE)
SECTIONS = {
    title: dict(ROW.findall(body))
    for title, body in re.findall(r"^### (\w+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
}
EVERYTHING = """
bodies: [{torso: {spacing: 8}}]
tools: [{instrument: k_wire}]
beam: {shutter: {circle: [1, 2, 3]}}
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.yaml"
    path.write_text(EVERYTHING, encoding="utf-8")
    return read_scene(path)


def test_each_section_lists_the_keys_that_the_reader_knows(tmp_path, monkeypatch):
    known, born = {}, scene_table.Table.__init__

    def noted(self, content, where, *, keys, **options):
        name = re.sub(r"\[\d+\]", "", where).rpartition(".")[2] or "scene"
        known[name] = set(keys)
        born(self, content, where, keys=keys, **options)

    monkeypatch.setattr(scene_table.Table, "__init__", noted)
    (tmp_path / "scene.yaml").write_text(EVERYTHING, encoding="utf-8")
    read_scene(tmp_path / "scene.yaml")
    del known["landmarks"]  # their names are free
    for name, (_, hint) in typed_fields(SettingsEntries).items():
        known |= {name: set(typed_fields(hint))} if is_table(hint) else {}
    known["shutter"] = set(typed_fields(ShutterEntry))
    assert {name: set(SECTIONS[name]) for name in known} == known
    assert len(known) == 12


@pytest.mark.parametrize("section", ["camera", "beam", "dose", "scatter", "detector", "march"])
def test_the_defaults_are_those_of_the_reader(plan, section):
    stated = {key: yaml.safe_load(default) if default else None for key, default in SECTIONS[section].items()}
    expected = plan.record[section]
    assert {key: expected.get(key) for key in stated if key not in ("shutter", "principal_point")} == {
        key: value for key, value in stated.items() if key not in ("shutter", "principal_point")
    }


def test_every_material_instrument_and_file_is_named():
    words = set(re.findall(r"`([\w.]+)`", PAGE))
    assert set(MATERIALS) - words == set()
    assert set(INSTRUMENTS) - words == set()
    assert set(save_simulation.NAMES) - words == set()


def test_the_python_example_runs():
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    scope: dict = {}
    exec(compile(code, "docs/simulation.md", "exec"), scope)
    assert int(scope["xray"].masks.mask("screw").sum()) > 0
    assert float(scope["xray"].path_lengths["lumbar vertebrae"].max()) > 20.0


def test_the_library_example_is_legal(tmp_path):
    (listed,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "screws").mkdir()
    (tmp_path / "screws" / "poly_45.stl").write_bytes(b"")
    (tmp_path / "tools.yaml").write_text(listed, encoding="utf-8")
    entry = read_tool_library(tmp_path).entries["polyaxial screw 45 mm"]
    assert entry.material in MATERIALS
