"""`xraykit corr query`: where a point of one X-ray lies in others."""

from __future__ import annotations

from xraykit.render.commands import flat

from ..pictures.settings import QueryFilesSettings


def query(settings: QueryFilesSettings) -> None:
    """Say where a point of one X-ray may lie in the others.

    A point of the first X-ray, x right and y down in its pixels, and a picture of
    where it may lie:

        xraykit corr query ap.dcm lateral.dcm --point 512 300 -o where.png

    A point of the second, looked for in the first and the third:

        xraykit corr query a.png b.png c.png --view B --point 410 288

    It prints the best places that are no neighbours, each with the probability
    that the patch there shows something of what the point's patch shows.

    Args:
        settings: The options.
    """
    from ..pictures.matched_files import ask_xrays
    from ..predictor.view_letters import view_letter

    done = ask_xrays(settings)
    for view, heat in done.heats.items():
        print(f"{view_letter(view)} {heat.xray.name}")
        for place in heat.places(settings.top):
            print(f"  {place.probability:.2f} at {place.x:.0f} {place.y:.0f}")
    for sentence in done.warnings:
        print(f"note: {sentence}")
    if settings.output is not None:
        print(f"wrote {settings.output}")


command = flat(query, QueryFilesSettings)
