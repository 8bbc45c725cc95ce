"""`xraykit fluorosam prompts`: texts that ask for structures, groups and tools."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.commands import Tally, flat

from ..prompts.settings import GrammarSettings


@dataclass(frozen=True)
class PromptsCommandSettings:
    """For what texts are written, and where to."""

    dataset: Path | None = field(default=None, metadata={"positional": True})
    """A data set job's folder: texts for what its images show; without one, for everything that is known."""
    output: Path = field(default=Path("prompts.jsonl"), metadata={"short": "-o"})
    """File of the texts, .jsonl or .csv."""
    targets: tuple[str, ...] = ()
    """Only for these structures, groups and tools."""
    texts: Path | None = None
    """Further texts of yours: a .csv or .jsonl with target and text."""
    grammar: GrammarSettings = field(default_factory=GrammarSettings)


def prompts(settings: PromptsCommandSettings) -> None:
    """Write many short and long texts for structures, groups and tools.

    Each line says a target, a text that asks for it, whether it is short or
    long, for training or a wording held out for evaluation, and its source:

        xraykit fluorosam prompts out/images -o prompts.jsonl

    Args:
        settings: For what, how many, and where to.
    """
    from ..prompts.prompt_files import write_prompts
    from ..prompts.prompt_job import PromptJobSettings, make_prompts

    job = PromptJobSettings(settings.dataset, settings.targets, settings.texts, settings.grammar)
    with Tally("targets") as tally:
        made = make_prompts(job, report=tally.report)
    path = write_prompts(settings.output, made)
    counts = Counter((one.split, one.kind) for one in made)
    said = ", ".join(f"{count} {kind} {split}" for (split, kind), count in sorted(counts.items(), reverse=True))
    print(f"{path}: {len(made)} texts for {len({one.target for one in made})} targets ({said.replace('_', '-')})")


command = flat(prompts, PromptsCommandSettings)
