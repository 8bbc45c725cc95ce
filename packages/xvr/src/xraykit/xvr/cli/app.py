"""`xraykit xvr app`: a local page to register X-rays by hand and by button."""

from __future__ import annotations

from xraykit.render.commands import flat, say_lines, serve_until_interrupt

from ..app.settings import AppSettings


def app(settings: AppSettings) -> None:
    """Open a page that lays a live rendering of the CT over X-rays, to place, refine and save it; Ctrl-C ends it.

    The shortest way, for a DICOM X-ray that states its geometry:

        xraykit xvr app ct.nii.gz xray.dcm

    A picture states nothing, so say what it is and about where it was taken from:

        xraykit xvr app ct.nii.gz xray.png --sdd 1020 --pixel-spacing 0.3 --view ap

    A cine run, a file or a folder of numbered images, is stepped through frame by frame (keys , and .), here with the
    poses that `xraykit xvr track` left in OUT:

        xraykit xvr app ct.nii.gz run.dcm --track OUT

    A track named alone says itself what was followed and where. Implants and bones (`xraykit xvr track --mesh`,
    `--bone`) are looked at so, frame by frame, each where it was found:

        xraykit xvr app --track OUT

    Args:
        settings: The options.
    """
    from xraykit.render.web import check_port, outer_address, require_web

    require_web(extra="app", distribution="xraykit-xvr")
    check_port(settings.page.port)  # before the CT is read
    outer_address(settings.page.outer, port=settings.page.port)
    from ..app.opening import open_app
    from ..app.server import AppServer

    named = [path for path in (settings.ct, *settings.xrays, settings.opening.track) if path is not None]
    print(f"reading {', '.join(path.name for path in named)}", flush=True)
    server = open_app(settings)
    more = f"; results go to {settings.page.output}" if isinstance(server, AppServer) else "; nothing is written"
    say_lines(notes=server.session.notes)
    serve_until_interrupt(server, browser=not settings.page.no_browser, more=more)


command = flat(app, AppSettings)
