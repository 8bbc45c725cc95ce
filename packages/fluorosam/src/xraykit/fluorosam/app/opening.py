"""From settings to the running page: list X-rays, load the network, open the first that can be read, serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from xraykit.render import FileError, InputError
from xraykit.render.storage import check_result_folder

from ..outputs.listed_xrays import list_xrays
from ..predictor.fluoro_sam import FluoroSam
from ..predictor.xray_input import OpenedXray
from .mask_session import MaskSession
from .server import MaskServer
from .settings import MaskAppSettings


def open_mask_page(
    settings: MaskAppSettings,
    *,
    sam: FluoroSam | None = None,
    tell: Callable[[Path, OpenedXray], None] | None = None,
) -> MaskServer:
    """The running page that the settings ask for, on the first X-ray that can be read.

    Args:
        settings: All there is to say.
        sam: In place of the network that the settings name.
        tell: Called with each X-ray's file and what was read when it is opened.

    Raises:
        FileError: No X-ray can be read, a folder has none, the weights cannot be read, or annotations.json in the
            folder is no COCO table.
        InputError: No X-ray is named, or a busy port.
        OutputError: The folder cannot be written.
    """
    if not settings.xrays:
        raise InputError("the page needs an X-ray or a folder of them, got none; name one.")
    files = list_xrays(settings.xrays)
    check_result_folder(settings.output)
    if sam is None:
        used = settings.network
        kept = {"any_words": used.any_words, "cache": used.cache}
        sam = FluoroSam.from_pretrained(used.weights, device=used.device, **kept)
    session = MaskSession(sam, files, settings.output, reading=settings.reading, tell=tell)
    for number in range(len(files)):
        session.open(number)
        if session.image is not None:
            return MaskServer(session, port=settings.page.port, outer=settings.page.outer)
    more = "" if len(files) == 1 else f" (and {len(files) - 1} more cannot be read)"
    raise FileError(f"{session.faults[0]}{more}")
