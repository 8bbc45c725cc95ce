"""The checkpoint of a training on disk: whole or not there, and refused in words where it is damaged."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from ..errors import FileError, OutputError

CHECKPOINT, CHECKPOINT_PART, WEIGHTS = "last.ckpt", ".last.ckpt.part", "weights"


def check_whole(checkpoint: Path) -> None:
    """Raise FileError unless the file is an archive with its end; what is in it is looked at when it is read."""
    try:
        with zipfile.ZipFile(checkpoint):
            pass
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(checkpoint, error) from error


def checkpoint_io(lightning: Any) -> Any:
    """What Lightning saves and reads with, in place of its own, which needs room in the temporary folder."""

    class CheckpointFile(lightning.pytorch.plugins.TorchCheckpointIO):
        def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
            write_synced(Path(path), checkpoint)

        def load_checkpoint(self, path: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
            try:
                return super().load_checkpoint(path, *arguments, **named)
            except (EOFError, RuntimeError, UnpicklingError, zipfile.BadZipFile, KeyError, ValueError) as error:
                raise _damaged(Path(path), error) from error

    return CheckpointFile()


def write_synced(path: Path, content: object) -> None:
    """Write what torch.save makes of it, on the disk when this returns; on a failure nothing is left.

    Raises:
        OutputError: The disk refused.
    """
    import torch

    data = io.BytesIO()
    torch.save(content, data)
    try:
        with path.open("wb") as file:
            file.write(data.getbuffer())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        kept = (path.parent / CHECKPOINT).exists()
        what = "the one before it is kept: make room, then add --resume" if kept else "make room, then begin again"
        raise OutputError(
            f"{path.parent} could not take the checkpoint ({error.strerror or error}); {what}."
        ) from error


def _damaged(checkpoint: Path, error: Exception) -> FileError:
    weights = checkpoint.parent / WEIGHTS
    left = f"what is left are the weights of an earlier save in {weights}" if weights.is_dir() else "nothing is left"
    said = " ".join(str(error).split())[:100] or "it ends too early"
    return FileError(
        f"--resume needs a whole {checkpoint.name} in {checkpoint.parent}, got a damaged one ({said}); {left}: begin "
        "anew in another folder."
    )
