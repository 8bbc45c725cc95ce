"""Where weights are: a folder, a file, or an id on a hub."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileError
from ..storage.digest import file_sha256
from .hub import WEIGHTS, HubFile


def find_weights(source: str | Path, *, what: str = "weights", sha256: str | None = None) -> Path:
    """The local file that `source` names; nothing is downloaded that is here already.

    Args:
        source: A folder that holds model.safetensors, a file, or on the hub `org/name[/file][@revision]` (without a
            file, model.safetensors). A name that exists on this machine is never looked for on the hub.
        what: What is looked for, for messages.
        sha256: What the file's SHA-256 must be, hexadecimal; None is not checked.

    Returns:
        A path to a file that exists.

    Raises:
        FileError: Nothing there, a folder without weights, a hub that does not give them, or another SHA-256.
        BackendUnavailableError: The hub is needed and huggingface-hub is not installed.
    """
    path = _local(source, what)
    if path.is_dir():
        path = path / WEIGHTS
        if not path.is_file():
            raise FileError(f"{path.parent} must hold {WEIGHTS}, got no such file; name a published checkpoint itself.")
    if sha256 is not None:
        found = file_sha256(path)
        if found != sha256.lower():
            raise FileError(
                f"{source} must have the SHA-256 {sha256}, got {found}; it was changed or damaged on the way."
            )
    return path


def _local(source: str | Path, what: str) -> Path:
    path = Path(source)
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if there:
        return path
    named = HubFile.parse(source) if isinstance(source, str) else None
    if named is None:
        raise FileError(
            f"{what} must be a folder, a .safetensors, .pth or .ckpt file, or a hub id org/name, got "
            f"{str(source)[:200]!r}; nothing is there."
        )
    return named.download()
