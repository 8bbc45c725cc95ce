"""Where a data set lies: a local folder, or any address that fsspec can open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import BackendUnavailableError, FileError
from ...extras import require


@dataclass(frozen=True)
class ShardStore:
    """Files side by side in one place.

    Nothing stays open between calls, so that a store can be pickled and forked.

    Args:
        address: A folder, or an address with "://" ("s3://bucket/set", "memory://set", "file:///data/set").
        options: What fsspec's file system needs (keys, endpoint); unused for a folder.
    """

    address: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[BinaryIO, int]]:
        """A file open for reading, which can seek, and its size in bytes.

        Raises:
            FileError: It is not there, or cannot be read.
            BackendUnavailableError: fsspec, or its plugin for this kind of address, is not installed.
        """
        try:
            if self.is_remote:
                system, folder = self._system()
                file = system.open(f"{folder}/{name}", "rb")
            else:
                path = Path(self.address) / name
                if path.exists() and not path.is_file():
                    raise FileError(f"{path} must be a file, got something else; make the data set again.")
                file = path.open("rb")
            with file:
                size = file.seek(0, 2)
                file.seek(0)
                yield file, size
        except FileNotFoundError as error:
            raise FileError(
                f"{self.address} must hold {name}, which is not there; check the address, or finish the job."
            ) from error
        except (OSError, ValueError) as error:  # ValueError: a name with NUL or half a character
            if isinstance(error, FileError):
                raise
            raise FileError(f"{self.address}: {name} could not be read ({error}); check the place.") from error

    def names(self) -> list[str]:
        """The names of everything that lies there, sorted.

        Raises:
            FileError: There is no such folder.
            BackendUnavailableError: As for `open`.
        """
        try:
            if self.is_remote:
                system, folder = self._system()
                return sorted(entry.rstrip("/").rpartition("/")[2] for entry in system.ls(folder, detail=False))
            return sorted(path.name for path in Path(self.address).iterdir())
        except OSError as error:
            raise FileError(f"a data set was expected in {self.address}, got {error}; check the address.") from error

    @property
    def is_remote(self) -> bool:
        """Whether fsspec is needed."""
        return "://" in self.address

    def _system(self) -> tuple[Any, str]:
        """The file system, which fsspec keeps once for each process, and the folder in it."""
        core = require("fsspec.core", extra="dataset", what=self.address)
        try:
            system, folder = core.url_to_fs(self.address, **self.options)
        except ImportError as error:
            raise BackendUnavailableError(
                f"{self.address} needs fsspec's plugin for such addresses ({error}); install it."
            ) from error
        except ValueError as error:
            raise FileError(f"{self.address} must be an address that fsspec can open, got: {error}.") from error
        return system, folder.rstrip("/")
