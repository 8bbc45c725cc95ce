"""The job behind `xraykit fluorosam prompts`: texts for what a data set shows, or for everything known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.views import STANDARD_VIEWS

from ..vocabulary.annotations import present_targets, tool_kind
from ..vocabulary.targets import all_targets, find_target
from ..vocabulary.tools import TOOLS, ToolTerm
from ..vocabulary.words import parse_words
from .grammar import write_texts
from .merging import merge_prompts
from .prompt_files import read_prompts
from .settings import GrammarSettings
from .text_prompt import KINDS, WORDINGS, TextPrompt

_PLAIN_NAME = re.compile(r"[a-z][a-z_ -]*", re.IGNORECASE)


@dataclass(frozen=True)
class PromptJobSettings:
    """For what texts are written."""

    dataset: Path | None = None
    """A data set job's folder: texts for what its images show; without one, for everything that is known."""
    targets: tuple[str, ...] = ()
    """Only for these structures, groups and tools."""
    texts: Path | None = None
    """Further texts: a .csv or .jsonl with target and text."""
    grammar: GrammarSettings = field(default_factory=GrammarSettings)
    """What the grammar writes."""


@dataclass(frozen=True)
class DatasetTargets:
    """What a data set shows.

    Args:
        views: The standard views of each target's images; "" where there is none.
        tools: Kinds of tools beyond the known ones.
        images: How many images were looked at.
    """

    views: Mapping[str, frozenset[str]]
    tools: Mapping[str, ToolTerm] = field(default_factory=dict)
    images: int = 0


def make_prompts(
    settings: PromptJobSettings, *, report: Callable[[int, int], None] | None = None
) -> tuple[TextPrompt, ...]:
    """The texts that the settings ask for: of the grammar, then those of the file, each once.

    Args:
        settings: For what, and how many.
        report: Told of targets done and their number.

    Raises:
        InputError: An unknown target, or a text of the file that asks for something else than the grammar's.
        FileError: The data set or the file is damaged.
    """
    told = report or (lambda done, total: None)
    shown = dataset_targets(settings.dataset) if settings.dataset else DatasetTargets(dict.fromkeys(all_targets(), _NO))
    wanted = list(shown.views)
    if settings.targets:
        chosen = {name if name in shown.tools else find_target(name).name for name in settings.targets}
        if missing := sorted(chosen - set(wanted)):
            raise InputError(f"targets must occur in {settings.dataset}, got {', '.join(missing)}; leave them out.")
        wanted = [name for name in wanted if name in chosen]
    written: list[TextPrompt] = []
    for done, name in enumerate(wanted, start=1):
        written += _of_target(name, settings.grammar, shown)
        told(done, len(wanted))
    others = read_prompts(settings.texts, tools=shown.tools) if settings.texts else ()
    return merge_prompts(written, others)


def dataset_targets(folder: str | Path) -> DatasetTargets:
    """What the images of a data set job show: structures, groups and tools, by their views.

    Kinds of a tool library that are not known get their words from the library's descriptions.

    Raises:
        FileError: There is no data set, it is damaged, or it shows nothing that has a name here.
    """
    from xraykit.render.dataset import XrayDataset

    views: dict[str, set[str]] = defaultdict(set)
    tools: dict[str, ToolTerm] = {}
    images = 0
    for sample in XrayDataset(folder, parts=(), rank=0, world_size=1):
        images += 1
        for name in present_targets(sample.names, sample.kinds):
            views[name].add(sample.view)
        for kind, term in _library_tools(sample.record):
            tools.setdefault(kind, term)
            views[kind].add(sample.view)
    if not views:
        raise FileError(f"{folder} must show something with a known name, got {images} images that do not.")
    order = [name for name in (*all_targets(), *sorted(tools)) if name in views]
    return DatasetTargets({name: frozenset(views[name]) for name in order}, tools, images)


_NO: frozenset[str] = frozenset()


def _library_tools(record: Mapping[str, Any]) -> Iterator[tuple[str, ToolTerm]]:
    """Tools of a record that are of no known kind: name and description, as far as either can be said."""
    for entry in record.get("tools") or ():
        kind = tool_kind(str(entry.get("name", "")))
        if not kind or kind in TOOLS or kind in all_targets():
            continue
        said = str(entry.get("description") or "").split(",")[0].split(";")[0].strip(" .*/")
        plain = kind.replace("_", " ").strip()
        words = parse_words(plain) if _PLAIN_NAME.fullmatch(plain) else ()
        looks = parse_words(said) if said and said.lower() != plain else ()
        if words or looks:
            yield kind, ToolTerm(kind, words, looks)


def _of_target(name: str, grammar: GrammarSettings, shown: DatasetTargets) -> Iterator[TextPrompt]:
    for kind in KINDS:
        for split in WORDINGS:
            count = getattr(grammar, kind if split == "train" else f"held_out_{kind}")
            yield from write_texts(name, count, kind=kind, split=split, seed=grammar.seed, tools=shown.tools)
    for view in sorted(shown.views[name]):
        if view not in STANDARD_VIEWS:
            continue
        for kind in KINDS:
            made = write_texts(
                name,
                grammar.view_texts,
                kind=kind,
                view=view,
                image_sides=grammar.image_sides,
                seed=grammar.seed,
                tools=shown.tools,
            )
            yield from (one for one in made if one.view)
