"""The frames of one file by number."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from xraykit.render import FileError, read_radiograph
from xraykit.render.radiographs import exposed_field
from xraykit.render.storage import finding_sentences

from .find_files import FoundFile
from .linear_intensity import linear_intensity
from .xray_frame import XrayFrame

CONSTANT = "every pixel has one value, so there is nothing to see"


class FileFrames:
    """The chosen frames of one file, which is kept while all of them are asked for in turn."""

    def __init__(self, found: FoundFile, polarity: str | None, chosen: tuple[int, ...], *, many: bool) -> None:
        self.found, self.polarity, self.chosen, self.many = found, polarity, chosen, many
        self._read: tuple[Tensor, tuple[str, ...], Tensor | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without pixels."""
        return {**self.__dict__, "_read": None}

    def __len__(self) -> int:
        """How many frames."""
        return len(self.chosen)

    def where(self, place: int) -> str:
        """The name of a frame."""
        return f"{self.found.name}#{self.chosen[place]}" if self.many else self.found.name

    def identity(self) -> str:
        """Path, size and time of the file, and what else the frames follow from.

        Raises:
            FileError: The file is gone.
        """
        try:
            state = self.found.path.stat()
        except OSError as error:
            raise FileError(f"{self.found.path} cannot be read ({error.strerror}); check the path.") from error
        facts = (str(self.found.path.resolve()), state.st_size, state.st_mtime_ns, sorted(self.found.labels.items()))
        return repr((*facts, self.polarity, self.chosen))

    def read(self, place: int, *, field: bool) -> XrayFrame:
        """The frame that was chosen as number `place`, with the exposed field if asked for.

        Raises:
            FileError: The file is damaged. InputError: It holds nothing above zero.
        """
        intensity, notes, seen = self._read or self._file(field=field)
        self._read = (intensity, notes, seen) if place + 1 < len(self.chosen) else None
        frame = self.chosen[place]
        if frame >= len(intensity):
            raise FileError(f"{self.found.path} must hold {frame + 1} frames as its header says, got {len(intensity)}.")
        low, high = intensity[frame].aminmax()
        if bool(low == high):
            notes = (*notes, CONSTANT)
        return XrayFrame(self.where(place), intensity[frame], self.found.labels, notes, seen)

    def release(self) -> None:
        """Let go of the pixels."""
        self._read = None

    def _file(self, *, field: bool) -> tuple[Tensor, tuple[str, ...], Tensor | None]:
        radiograph = read_radiograph(self.found.path, polarity=self.polarity)  # type: ignore[arg-type]
        intensity, notes = linear_intensity(radiograph)
        notes = (*notes, *finding_sentences(radiograph.doubts))
        if not field:
            return intensity, notes, None
        return intensity, notes, exposed_field(radiograph, file=self.found.path if radiograph.modality else None)
