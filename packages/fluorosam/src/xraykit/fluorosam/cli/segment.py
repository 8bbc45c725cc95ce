"""`xraykit fluorosam segment`: words and clicks in, masks of X-rays out."""

from __future__ import annotations

from xraykit.render.commands import Tally, flat, say_left_out, say_lines

from ..outputs.settings import SegmentFilesSettings

MOST_LINES = 40


def segment(settings: SegmentFilesSettings) -> int:
    """Find what words, points or a box ask for in X-rays.

    Several things in one X-ray, with the network that comes with the package:

        xraykit fluorosam segment pelvis.dcm -o masks/
            --prompt "left femur" --prompt "all ribs"

    One thing, with clicks inside and outside of it:

        xraykit fluorosam segment knee.png -o masks/ --prompt "kneecap"
            --point 512,300,+ --point 80,95,-

    DIR then holds, for each X-ray, NAME_overlay.png (colours and a legend with the
    confidence), NAME_labels.png (an indexed picture), NAME_seg.dcm (a DICOM
    segmentation, where the X-ray is DICOM), and for all of them annotations.json
    (COCO), results.json and settings.json. What words ask for may be answered as
    not visible. Not for diagnosis. Of several X-rays, one that cannot be read is
    left out, named at the end, and the exit status is 3.

    Args:
        settings: The options.
    """
    from ..outputs.segmented_files import segment_xrays

    with Tally("X-rays") as tally:
        done = segment_xrays(settings, report=tally.report)
    lines = []
    for row in done.results:
        found = (
            f"{one['name']} {one['confidence']:.2f}" if one["visible"] else f"{one['name']} not visible"
            for one in row["masks"]
        )
        lines.append(f"{row['file']}: {', '.join(found)}")
    print("\n".join(lines[:MOST_LINES]))
    if len(lines) > MOST_LINES:
        print(f"and {len(lines) - MOST_LINES} more, see results.json")
    say_lines(notes=done.notes[:MOST_LINES], warnings=done.doubts[:MOST_LINES])
    print(f"wrote {done.folder}")
    return say_left_out(done.left_out)


command = flat(segment, SegmentFilesSettings)
