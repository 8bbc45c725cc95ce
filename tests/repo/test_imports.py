"""Imports stay light, and packages see only what the design lets them see."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from support.repo import PACKAGES, ROOT, SOURCES, dotted, loaded_in_turn, modules_loaded_by
from support.source_facts import facts

HEAVY = {"torch", "numpy", "numba", "triton", "matplotlib", "SimpleITK", "pydicom", "PIL"}
OPTIONAL = {"numba", "matplotlib", "lightning", "tensorboard", "kornia", "open_clip"}


NAMES = "from xraykit.render import Camera, Volume, carm_pose, render"
SHARED = (
    "import xraykit.render.weights as w, xraykit.render.evaluation as e\n"
    "[getattr(m, name) for m in (w, e) for name in m.__all__]"
)
TEXT = "from xraykit.fluorosam.network import tokenise\ntokenise(['left femur'])"


@pytest.fixture(scope="module")
def loaded():
    """What each of these loads beside torch, and after them all modules but kernels; one child for all questions."""
    names = [dotted(path) for path in SOURCES if "kernels" not in path.parts and path.name != "__main__.py"]
    found = [name for name in names if find_spec(".".join(name.split(".")[:2]))]  # some packages may not be installed
    text = TEXT if find_spec("xraykit.fluorosam") else "pass"
    every = "from importlib import import_module\n" + "\n".join(f"import_module({name!r})" for name in found)
    return dict(zip(("names", "shared", "text", "every"), loaded_in_turn(NAMES, SHARED, text, every), strict=True))


def test_guard_sees_a_forbidden_import():
    assert "numba" in modules_loaded_by("import numba")
    assert "numba" not in modules_loaded_by("import json")


def test_importing_the_core_loads_nothing_heavy():
    assert not HEAVY & modules_loaded_by("import xraykit.render")


def test_using_the_core_names_loads_torch_but_no_kernel_compiler_reader_plotter_or_checker_of_shapes(loaded):
    assert not loaded["names"] & (OPTIONAL | {"triton", "SimpleITK", "pydicom", "beartype"})


def test_no_module_outside_the_kernels_loads_a_kernel_compiler_or_what_only_an_extra_brings(loaded):
    assert not set().union(*loaded.values()) & (OPTIONAL | {"triton"})


def test_the_names_of_weights_and_evaluation_load_nothing_optional(loaded):
    optional = {"safetensors", "huggingface_hub", "pandas", "statsmodels", "scipy", "matplotlib"}
    assert not (loaded["names"] | loaded["shared"]) & optional


def test_reading_a_text_imports_no_networks_of_other_packages(loaded):
    pytest.importorskip("xraykit.fluorosam", reason="the example's package is not installed")
    before_and_now = loaded["names"] | loaded["shared"] | loaded["text"]
    assert not {"open_clip", "torchvision", "timm"} & before_and_now


def test_lightning_is_imported_in_one_module():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(name.split(".")[0] in ("lightning", "pytorch_lightning") for name in facts(path).imports)
    }
    assert found == {"packages/render/src/xraykit/render/training/trainer.py"}


def test_help_of_the_umbrella_command_loads_no_torch():
    code = (
        "import sys\nsys.argv = ['xraykit', '--help']\n"
        "from xraykit.render.cli.umbrella import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code"
    )
    assert not HEAVY & modules_loaded_by(code)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_imports_no_sibling_but_the_core(package):
    own = {f"xraykit.{package.name}", "xraykit.render"}
    wrong = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in SOURCES
        if path.is_relative_to(package)
        for name in facts(path).imports
        if name.startswith("xraykit") and ".".join(name.split(".")[:2]) not in own
    ]
    assert not wrong


def test_a_method_imports_public_names_of_the_core_alone():
    wrong = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in SOURCES
        if "render" not in path.parts[len(ROOT.parts) : len(ROOT.parts) + 2]
        for name in facts(path).imports
        if name.startswith("xraykit.render.") and name.count(".") > 3
    ]
    assert wrong == []


def test_sibling_guard_reads_imports_inside_functions(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("def f():\n    from xraykit.xvr import register\n    import xraykit.dax.loss\n")
    assert facts(path).imports == ("xraykit.xvr.register", "xraykit.dax.loss")


BARE = """
import sys
sys.modules["numba"] = sys.modules["triton"] = sys.modules["matplotlib"] = None   # any import of them now fails
import importlib.util, torch
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "numba" else find(name, *a)
from xraykit.render import BackendUnavailableError, Camera, Volume, carm_pose, explain_backend, render
volume = Volume(torch.ones(4, 4, 4), torch.eye(4))
camera = Camera(sdd=100.0, height=5, width=5, pixel_spacing=1.0)
pose = carm_pose(sod=50.0, isocenter=volume.center)
for method in ("siddon", "trilinear", "joseph"):
    image = render(volume, camera, pose, method=method, backend="auto")
    assert image.shape == (1, 1, 5, 5) and float(image.max()) > 3, image
for backend in ("numba", "triton"):
    try:
        render(volume, camera, pose, backend=backend)
    except BackendUnavailableError:
        continue
    raise SystemExit(f"{backend} was not missed")
print(explain_backend())
"""


def test_the_core_renders_without_numba_triton_and_matplotlib_and_says_what_it_misses():
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "auto -> torch" in done.stdout
    assert "numba: the package numba is not installed; install it with `pip install numba`" in done.stdout


def test_only_commands_import_the_command_line_library():
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if not {"cli", "commands"} & set(path.parts)
        and any(name.split(".")[0] == "cyclopts" for name in facts(path).imports)
    ]
    assert not wrong
