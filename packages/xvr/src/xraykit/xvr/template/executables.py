"""Alignment by `greedy` or `antsRegistration`, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from xraykit.render import BackendUnavailableError, FileError, InputError, Volume, write_volume
from xraykit.render.converters import read_itk_transform

from .warp import rigid_part, write_warp

LIMIT = 3600  # seconds


def run_executable(ct: Volume, template: Volume, method: Literal["greedy", "ants"], *, start: Tensor) -> Tensor:
    """The warp (4, 4), template RAS to patient RAS, that an external program finds.

    Both programs get the template as fixed and the CT as moving image. greedy writes that map in RAS, ANTs in LPS.

    Raises:
        BackendUnavailableError: The program is not on the PATH.
        InputError: It failed, or ran for more than an hour; its last words are in the message.
    """
    name, command, read = _PROGRAMS[method]
    program = shutil.which(name)
    if program is None:
        raise BackendUnavailableError(f"method={method!r} needs the program {name} on the PATH, which is not there.")
    with tempfile.TemporaryDirectory(prefix="xraykit-") as folder:
        here = Path(folder)
        for file, volume in (("template.nii.gz", template), ("ct.nii.gz", ct)):
            values = volume.mu * volume.mu_scale if volume.hu is None else volume.hu
            write_volume(here / file, values.detach().cpu().float(), volume.affine)
        write_warp(here / "start.txt", start)
        (here / "start.mat").write_text(_rows(start), encoding="utf-8")
        try:
            done = subprocess.run(
                [program, *command], cwd=here, capture_output=True, text=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(f"{name} was stopped after {LIMIT} s; crop the CT or use method='simpleitk'.") from error
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[-300:]
            raise InputError(f"{name} failed with status {done.returncode}: {said}")
        return rigid_part(read(here), ct.center)


def _read_greedy(folder: Path) -> Tensor:
    path = folder / "warp.mat"
    try:
        numbers = [float(word) for word in path.read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as error:
        raise FileError(f"greedy must write 16 numbers to {path.name}, got none that can be read.") from error
    if len(numbers) != 16:
        raise FileError(f"greedy must write 16 numbers to {path.name}, got {len(numbers)}.")
    return torch.tensor(numbers, dtype=torch.float64).reshape(4, 4)


def _read_ants(folder: Path) -> Tensor:
    return read_itk_transform(folder / "warp0GenericAffine.mat", direction="fixed_to_moving")


def _rows(matrix: Tensor) -> str:
    return "\n".join(" ".join(f"{number:.12g}" for number in row) for row in matrix.tolist()) + "\n"


_GREEDY = "-d 3 -a -dof 6 -i template.nii.gz ct.nii.gz -m NMI -ia start.mat -n 100x60x20 -o warp.mat"
_ANTS = (
    "-d 3 -o warp -r start.txt -t Rigid[0.1] -m MI[template.nii.gz,ct.nii.gz,1,32,Regular,0.25]"
    " -c [500x250x100,1e-6,10] -s 4x2x1vox -f 8x4x2"
)
_PROGRAMS: dict[str, tuple[str, list[str], Callable[[Path], Tensor]]] = {
    "greedy": ("greedy", [*_GREEDY.split()], _read_greedy),
    "ants": ("antsRegistration", [*_ANTS.split()], _read_ants),
}
