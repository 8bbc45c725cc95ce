"""`xraykit dax embed`: features of X-rays as a table."""

from __future__ import annotations

from xraykit.render.commands import Tally, flat, say_left_out

from ..embedding.settings import EmbedSettings


def embed(settings: EmbedSettings) -> int:
    """Write the features of X-rays as a table, a row each.

    With the backbone that comes with the package, from a folder of DICOM files:

        xraykit dax embed xrays/ -o features.parquet

    With your own, into arrays for numpy; one frame of each cine:

        xraykit dax embed a.dcm cines/ -o features.npz
            --weights run/weights --frames middle

    X-rays that look alike have features of a large cosine. Columns are name,
    label_region and such where a data set or a .csv list states them, and the
    features f0, f1, ...; what was assumed of which X-ray stands in the metadata.
    Interrupted? The same command with --resume goes on where it stopped.

    Args:
        settings: The options.
    """
    from ..embedding.embed_xrays import embed as run
    from .said import say_notes

    with Tally("X-rays") as tally:
        done = run(settings, report=tally.report)
    table = done.table
    if done.resumed:
        print(f"{done.resumed} X-rays were done before")
    notes = {note: len(rows) for note, rows in table.record["notes"].items()}
    say_notes(notes, count=len(table))
    print(f"wrote {done.path}: {len(table)} X-rays, {table.features.shape[1]} features each")
    return say_left_out((name, reason) for name, reason in table.record["skipped"])


command = flat(embed, EmbedSettings)
