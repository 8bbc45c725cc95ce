"""What a built wheel holds."""

import shutil
import subprocess
import zipfile

import pytest
from support.repo import PACKAGES

UV = shutil.which("uv")


@pytest.mark.skipif(UV is None, reason="needs uv on the PATH; `uv run pytest` has it")
@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_wheel_holds_every_module_the_type_marker_and_the_licence(package, tmp_path):
    command = [UV, "build", "--wheel", "--no-sources", "--quiet", "--out-dir", tmp_path, package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    source = package / "src"
    shipped = {path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    modules = {path.relative_to(source).as_posix() for path in shipped}
    assert modules <= names
    assert f"xraykit/{package.name}/py.typed" in names
    assert "xraykit/__init__.py" not in names
    extra = {name for name in names - modules if ".dist-info/" not in name and not name.endswith("/")}
    assert not extra
    assert any(name.endswith("licenses/LICENSE") for name in names)
