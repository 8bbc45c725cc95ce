"""`xraykit corr app`: a local page to look at matches and to mark pairs of points."""

from __future__ import annotations

from xraykit.render.commands import flat, serve_until_interrupt

from ..app.settings import PairAppSettings


def app(settings: PairAppSettings) -> None:
    """Open a page to look at matches of X-rays and to mark pairs; Ctrl-C ends it.

    Look around in two views:

        xraykit corr app ap.dcm lateral.dcm

    Mark pairs for fine-tuning, patient by patient, all in one file:

        xraykit corr app p07/ap.png p07/lat.png -o annotations.json
            --patient p07 --split train

    Point at a view, and the others show in colour where that may be. Click a
    point, then its partner in another view: that is a pair, a match or (as a
    negative) none. Save writes them, in pixels of the files, in the format that
    `xraykit corr finetune` reads; a file that exists is extended.

    Args:
        settings: The options.
    """
    from xraykit.render.web import check_port, outer_address, require_web

    require_web(extra="app", distribution="xraykit-corr")
    check_port(settings.page.port)  # before X-rays are read
    outer_address(settings.page.outer, port=settings.page.port)
    from ..app.opening import open_pair_page

    print(f"matching {', '.join(path.name for path in settings.xrays)}", flush=True)
    more = f"; pairs go to {settings.annotations}"
    serve_until_interrupt(open_pair_page(settings), browser=not settings.page.no_browser, more=more)


command = flat(app, PairAppSettings)
