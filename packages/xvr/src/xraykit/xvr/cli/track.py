"""`xraykit xvr track`: bodies followed through the frames of a cine run, from files to a folder of results."""

from __future__ import annotations

from xraykit.render.commands import INCOMPLETE, Tally, flat, say_lines

from ..tracking.settings import TrackSettings

MOST_NAMED = 12


def track(settings: TrackSettings) -> int:
    """Follow bones of a CT, or implants, through a cine run; say where they are lost.

    Implants in two calibrated views, whose folders hold one numbered image a frame:

        xraykit xvr track cam1/ cam2/ -o out --camera cam1.txt cam2.txt
            --polarity intensity --mesh femoral.stl --mesh tibial.stl

    In a search of the first frame an implant may be taken for another: register
    that frame first, look at it, and start from there:

        xraykit xvr register cam1/000.png cam2/000.png -o first --joint ...
        xraykit xvr track cam1/ cam2/ -o out --result first/joint ...

    Two bones of a CT in one view, from a DICOM run of several frames:

        xraykit xvr track ct.nii.gz run.dcm -o out
            --labels seg.nii.gz --structures "femur_left;tibia_left"

    Bones with a CT of their own each, from an earlier result of the first frame:

        xraykit xvr track cam1/ cam2/ -o out --camera cam1.txt cam2.txt
            --bone radius.nii.gz --bone ulna.nii.gz --result first/joint

    OUT then holds poses.csv (time, mm, degrees and a verdict for each body and
    frame), the motion of every two bodies against each other (the joint
    coordinates of Grood and Suntay for a knee, finite screws otherwise), plots,
    video.gif, and a picture of each frame. Each frame starts from the motion so
    far. A body that is lost has no pose in that frame, and is looked for more
    widely in the next ones; frames with a lost body are named, and the exit
    status is 3. An interrupted run goes on with --resume.

    Args:
        settings: The options.
    """
    from ..tracking.file_tracking import track_files

    with Tally("frames") as tally:
        done = track_files(settings, report=tally.report)
    found = done.track
    for k, body in enumerate(found.bodies):
        again = sum(frame.verdicts[k] == "found again" for frame in found.frames)
        good = len(found.frames) - len(found.lost(k))
        print(f"{body}: {good} of {len(found.frames)} frames" + (f", found again in {again}" if again else ""))
    print(f"-> {done.folder}")
    lost = {body: found.lost(k) for k, body in enumerate(found.bodies) if found.lost(k)}
    doubts = done.doubts[:MOST_NAMED]
    more = [f"{len(done.doubts) - MOST_NAMED} doubts more, see frames.jsonl"] if len(done.doubts) > MOST_NAMED else []
    say_lines(notes=done.notes, warnings=[*doubts, *more, *(_said(body, labels) for body, labels in lost.items())])
    return INCOMPLETE if lost else 0


def _said(body: str, labels: tuple[str, ...]) -> str:
    more = "" if len(labels) <= MOST_NAMED else f" and {len(labels) - MOST_NAMED} more"
    return (
        f"{body} is lost in {len(labels)} frames: {', '.join(labels[:MOST_NAMED])}{more}; see reasons in frames.jsonl."
    )


command = flat(track, TrackSettings)
