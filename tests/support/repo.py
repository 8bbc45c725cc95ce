"""What the repository tests share: where things are, and what an import loads."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
SOURCES = sorted(path for package in PACKAGES for path in (package / "src").rglob("*.py"))
TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".cff", ".txt", ".css", ".csv", ""}
SKIPPED = {".git", ".venv", "__pycache__", "dist", "build", "out", "xraykit-demo"}


@cache
def text_files() -> tuple[Path, ...]:
    """Every text file that belongs to the repository (caches and built things left out)."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = filter(_belongs, folders)  # so that the environment's files are not even listed
        found += [path for name in filter(_belongs, names) if (path := Path(folder, name)).suffix in TEXT]
    return tuple(sorted(path for path in found if path.is_file()))


def _belongs(name: str) -> bool:
    return name not in SKIPPED and (not name.startswith(".") or name in {".ci", ".github", ".gitignore"})


@cache
def modules_loaded_by(code: str) -> frozenset[str]:
    """Top-level names in sys.modules after a fresh interpreter has run `code`."""
    probe = f"{code}\nimport sys\nprint('MODULES', *{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the probed code failed:\n{done.stderr}")
    return frozenset(done.stdout.rpartition("MODULES")[2].split())


@cache
def loaded_in_turn(*codes: str) -> tuple[frozenset[str], ...]:
    """What each of several pieces of code loads beside torch, run one after another in one fresh interpreter.

    What an earlier piece loads is no longer new to a later one.
    """
    steps = "\n".join(f"{code}\ntell()" for code in codes)
    done = subprocess.run([sys.executable, "-c", f"{TELL}\n{steps}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the probed code failed:\n{done.stderr}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("MODULES")]
    return tuple(frozenset(line.split()[1:]) for line in lines)


TELL = """
import sys, torch
def names(): return {name.partition('.')[0] for name in list(sys.modules)}
before = names()
def tell(): print('MODULES', *names() - before); before.update(names())
"""


def dotted(path: Path) -> str:
    """The module name of a source file, e.g. xraykit.render.geometry.camera."""
    parts = path.relative_to(next(p for p in path.parents if p.name == "src")).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
