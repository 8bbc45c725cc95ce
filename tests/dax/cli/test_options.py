"""Every option of a command reaches the field of its name and no other."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from cyclopts import App
from support.repo import ROOT
from xraykit.dax.embedding import EmbedSettings
from xraykit.dax.pictures import LookSettings
from xraykit.dax.probes import MetalProbeSettings, RegionProbeSettings, ScrewProbeSettings
from xraykit.dax.train.presets import PRESETS
from xraykit.dax.train.settings import PretrainSettings
from xraykit.render.commands import flat
from xraykit.render.storage import leaves

SETTINGS = (EmbedSettings, LookSettings, PretrainSettings, RegionProbeSettings, MetalProbeSettings, ScrewProbeSettings)


FITTING = {"width": 80, ("heads", int): 8, "strides": 4}  # others would be refused beside the defaults
PARTNERS = {"mean": "std", "std": "mean"}  # one needs the other


@cache
def parsed_by(cls):
    """A command that returns its settings."""
    app = App(result_action="return_value")
    app.default(flat(lambda settings: settings, cls, presets=PRESETS if cls is PretrainSettings else None))
    return app


def another(leaf):
    """A value of the leaf's type that is not its default."""
    for key in (leaf.name, (leaf.name, leaf.type)):
        if key in FITTING:
            return FITTING[key]
    choices = [choice for choice in get_args(leaf.type) if isinstance(choice, str)]
    choices += [c for part in get_args(leaf.type) for c in get_args(part) if isinstance(c, str)]
    others = [choice for choice in choices if choice != leaf.default and (choice,) != leaf.default]
    if others:
        return others[-1]
    text = str(leaf.type)
    if "bool" in text:
        return not leaf.default
    if "float" in text:
        return 0.125
    return 7 if "int" in text else "other"


def written(leaf):
    """The words of a command line that give a leaf another value."""
    flag = "--" + leaf.name.replace("_", "-")
    value = another(leaf)
    if isinstance(value, bool):
        return [flag] if value else [leaf.metadata["negative"]]
    words = [flag, *[str(value)] * (2 if leaf.name.endswith("_scale") else 1)]
    return [*words, f"--{PARTNERS[leaf.name]}", "0.5"] if leaf.name in PARTNERS else words


def at(settings, leaf):
    for part in leaf.path:
        settings = getattr(settings, part)
    return settings


@pytest.mark.parametrize("cls", SETTINGS, ids=lambda cls: cls.__name__)
def test_each_option_reaches_its_field_and_no_other(cls):
    known = {name: leaf for name, leaf in leaves(cls).items() if not leaf.metadata.get("hidden")}
    required = [leaf for leaf in known.values() if leaf.is_required]
    for name, leaf in known.items():
        needed = [p for one in required if one is not leaf for p in (f"--{one.name.replace('_', '-')}", "needed")]
        settings = parsed_by(cls)([*needed, *written(leaf)])
        changed = {one.name for one in known.values() if not one.is_required and at(settings, one) != one.default}
        assert changed == ({name, PARTNERS.get(name, name)} if not leaf.is_required else set())
        found = at(settings, leaf)
        found = found[0] if isinstance(found, tuple) else found
        assert (str(found) if isinstance(found, Path) else found) == another(leaf)


COMMANDS = {
    "embed": EmbedSettings,
    "look": LookSettings,
    "pretrain": PretrainSettings,
    "probe region": RegionProbeSettings,
    "probe metal": MetalProbeSettings,
    "probe screws": ScrewProbeSettings,
}


def examples():
    """(command, its words) of every example in help texts and README; those of help texts go on in indented lines."""
    package = ROOT / "packages/dax"
    texts = [path.read_text() for path in (package / "src/xraykit/dax/cli").glob("*.py")]
    texts.append((package / "README.md").read_text())
    for line in re.findall(r"^ *xraykit dax (.+(?:\n {12}.+)*)", "\n".join(texts), re.MULTILINE):
        words = shlex.split(line, comments=True)
        length = 2 if words[0] == "probe" else 1
        yield " ".join(words[:length]), words[length:]


@pytest.mark.parametrize(("command", "words"), list(examples()), ids=lambda part: part if isinstance(part, str) else "")
def test_examples_of_help_texts_and_readme_are_read_as_meant(command, words):
    settings = parsed_by(COMMANDS[command])(words)
    data = getattr(settings, "xrays", None) or settings.data
    for source in getattr(data, "sources", (data,)):
        assert str(source).startswith(
            ("xrays", "dataset", "regions", "metal", "screws", "a.dcm", "cines", "images.csv")
        )
    if "--labels" in words:
        assert settings.labels == ("region", "view")
