"""Files in repositories of the Hugging Face hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError
from ..extras import require

WEIGHTS = "model.safetensors"
_ID = re.compile(
    r"(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)(?P<name>/[\w][\w./-]*\.(safetensors|pth|pt|ckpt))?"
    r"(@(?P<revision>[\w./-]+))?"
)


@dataclass(frozen=True)
class HubFile:
    """A file on the hub.

    Args:
        repository: `org/name`.
        name: The file in it.
        revision: A commit, which pins the bytes, or a tag or branch; None is the newest.
    """

    repository: str
    name: str = WEIGHTS
    revision: str | None = None

    @staticmethod
    def parse(text: str) -> HubFile | None:
        """What `org/name[/file][@revision]` names, without a file model.safetensors; None where it is no such text."""
        match = _ID.fullmatch(text)
        if match is None or (match["name"] is None and Path(text).suffix in (".safetensors", ".pth", ".pt", ".ckpt")):
            return None
        return HubFile(match["repository"], (match["name"] or f"/{WEIGHTS}")[1:], match["revision"])

    def download(self) -> Path:
        """The file in the local cache, downloaded if it is not there yet.

        A commit that is cached is not asked for again. With HF_HUB_OFFLINE=1 in the environment nothing is asked at
        all: the file comes from the cache or not.

        Raises:
            FileError: No such repository, file or revision, no connection, or offline and not in the cache.
            BackendUnavailableError: huggingface-hub is not installed.
        """
        hub = require("huggingface_hub", extra="weights")
        from huggingface_hub.errors import EntryNotFoundError, HFValidationError

        try:
            return Path(hub.hf_hub_download(self.repository, self.name, revision=self.revision))
        except (OSError, EntryNotFoundError, HFValidationError) as error:
            if hub.constants.HF_HUB_OFFLINE:
                fetch = f"hf download {self.repository} {self.name}"
                fetch += f" --revision {self.revision}" if self.revision else ""
                raise FileError(
                    f"{self.name} of the hub repository {self.repository} must be in the local cache while "
                    f"HF_HUB_OFFLINE is set, got nothing there; unset it, or run once with a connection: {fetch}."
                ) from error
            cause = " ".join(str(error).split())[:200]
            raise FileError(
                f"neither a local file {self.repository} nor {self.name} in the hub repository {self.repository} could "
                f"be had ({cause}); check the name and the connection."
            ) from error
