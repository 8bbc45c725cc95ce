"""One row of the suite `render`: which program, by which method, on which storage; and what is timed of it."""

from __future__ import annotations

from dataclasses import dataclass

OPERATIONS = ("forward", "forward_backward_pose", "forward_backward_mu")


@dataclass(frozen=True)
class Entry:
    """One row of the table: which program, by which method, on which storage."""

    program: str
    method: str
    storage: str = "float32"
    backend: str = "auto"
    compiled: bool = False

    @property
    def label(self) -> str:
        extra = [self.storage] if self.storage != "float32" else []
        extra += [self.backend] if self.backend != "auto" else []
        return " ".join([self.program, self.method, *extra, *(["compiled"] if self.compiled else [])])
