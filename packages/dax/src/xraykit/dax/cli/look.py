"""`xraykit dax look`: pictures of what a backbone sees in X-rays."""

from __future__ import annotations

from xraykit.render.commands import Tally, flat, say_left_out

from ..pictures.settings import LookSettings


def look(settings: LookSettings) -> int:
    """Draw what a backbone sees in X-rays.

    A sheet for each X-ray, and one picture of all by their features:

        xraykit dax look xrays/ -o pictures/

    A training of yours beside the same network untrained, coloured by what the
    data set says the X-rays show:

        xraykit dax look dataset/ -o pictures/ --weights run/weights
            --before untrained --projection umap
            --labels region --labels view

    DIR then holds a .png for each X-ray: the network's input, where it looks, and
    what it takes for alike, in colours that mean the same in all sheets; and, of
    two X-rays or more, embedding.png.

    Args:
        settings: The options.
    """
    from ..pictures.look_at_xrays import look as run
    from .said import say_notes

    with Tally("X-rays") as tally:
        done = run(settings, report=tally.report)
    say_notes(done.notes, count=len(done.sheets))
    also = f" and {done.plane.name}" if done.plane is not None else ""
    print(f"wrote {len(done.sheets)} sheets{also} in {settings.output}")
    return say_left_out(done.skipped)


command = flat(look, LookSettings)
