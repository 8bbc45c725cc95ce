"""Help and imports are light: no torch, no arrays, whatever is asked."""

import subprocess
import sys

import pytest

COMMANDS = {
    "": ("pretrain", "embed", "look", "probe"),
    "pretrain": ("xraykit dax pretrain xrays/ -o run/", "--resume", "--preset"),
    "embed": ("xraykit dax embed xrays/ -o features.parquet", "--resume", "--on-error"),
    "look": ("xraykit dax look xrays/ -o pictures/", "--projection", "--before"),
    "probe": ("region", "metal", "screws"),
    "probe region": ("xraykit dax probe region dataset/", "report.html", "--folds"),
    "probe metal": ("xraykit dax probe metal dataset/", "report.html", "--folds"),
    "probe screws": ("xraykit dax probe screws dataset/", "report.html", "--held-out"),
}
HEAVY = ("torch", "numpy", "timm", "lightning", "matplotlib", "PIL", "pydicom", "pyarrow", "umap")


def spoken(code):
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def help_texts():
    """The help of every command, and the heavy modules that were loaded for all of them together."""
    code = (
        "import sys\nfrom xraykit.render.cli.umbrella import run\n"
        f"for command in {list(COMMANDS)!r}:\n"
        "    assert run(['dax', *command.split(), '--help']) == 0\n    print('====')\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    *texts, loaded = spoken(code).split("====\n")
    return dict(zip(COMMANDS, texts, strict=True)), loaded.split()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command or "dax")
def test_help_teaches(help_texts, command):
    assert [words for words in COMMANDS[command] if words not in help_texts[0][command]] == []


def test_help_loads_nothing_heavy(help_texts):
    assert help_texts[1] == []


def test_imports_load_nothing_heavy():
    modules = ", ".join(f"xraykit.dax{part}" for part in ("", ".embedding", ".pictures", ".cli.group", ".cli.probe"))
    assert spoken(f"import sys, {modules}\nprint(*[n for n in {HEAVY!r} if n in sys.modules])").split() == []
