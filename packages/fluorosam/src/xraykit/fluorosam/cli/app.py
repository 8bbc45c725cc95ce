"""`xraykit fluorosam app`: a local page to find structures by words and clicks, and to keep them as annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xraykit.render.commands import flat, say_lines, serve_until_interrupt

from ..app.settings import MaskAppSettings

if TYPE_CHECKING:
    from pathlib import Path

    from ..predictor.xray_input import OpenedXray


def app(settings: MaskAppSettings) -> None:
    """Open a page to say or click what to find in X-rays; Ctrl-C ends it.

    One X-ray, or a folder of them, one after the other:

        xraykit fluorosam app pelvis.dcm
        xraykit fluorosam app xrays/ -o annotations

    Type words, click what is meant, shift-click what is not, or drag a box;
    accept the masks that are right and save them: annotations.json (COCO) for
    all X-rays, and a DICOM segmentation of each that is DICOM. Every command
    has a key; ? shows them.

    Args:
        settings: The options.
    """
    from xraykit.render.web import check_port, outer_address, require_web

    require_web(extra="app", distribution="xraykit-fluorosam")
    check_port(settings.page.port)  # before weights and X-rays are read
    outer_address(settings.page.outer, port=settings.page.port)
    from ..app.opening import open_mask_page

    print(f"opening {', '.join(path.name for path in settings.xrays)}", flush=True)
    more = f"; annotations go to {settings.output}"
    serve_until_interrupt(open_mask_page(settings, tell=_tell), browser=not settings.page.no_browser, more=more)


def _tell(path: Path, xray: OpenedXray) -> None:
    say_lines(notes=[f"{path}: {line}" for line in xray.notes], warnings=[f"{path}: {line}" for line in xray.doubts])


command = flat(app, MaskAppSettings)
