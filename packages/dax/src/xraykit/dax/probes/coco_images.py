"""The images of a user's own COCO keypoint file for the screw probe."""

from __future__ import annotations

from pathlib import Path

from xraykit.render import InputError
from xraykit.render.evaluation import input_digest

from ..data import PreprocessSettings, find_xrays
from .job_images import prepared
from .probe_set import ProbeImage, ProbeSet, digest_of_files, images_of_files, spread
from .screws.data import KeypointImage, read_coco_keypoints, square_keypoints


def images_of_coco(path: str | Path, settings: PreprocessSettings, *, limit: int | None = None) -> ProbeSet:
    """The X-rays of a COCO keypoint file with their screws; see `read_coco_keypoints`.

    File names count from the folder of the file. Each X-ray is read as `find_xrays` reads it; of a cine the middle
    frame.

    Args:
        path: The JSON file.
        settings: The backbone's preprocessing.
        limit: At most so many, evenly from all.

    Raises:
        FileError: No COCO keypoint file, or, when the images are gone through, an X-ray that cannot be read.
        InputError: A keypoint outside its image, or, when the images are gone through, an X-ray of another size than
            the file says.
    """
    path = Path(path)
    entries = read_coco_keypoints(path)
    entries = [entries[n] for n in spread(len(entries), limit)]
    names = [entry.file_name for entry in entries]
    return images_of_files(
        entries,
        lambda entry: _of_entry(entry, path.parent / entry.file_name, settings),
        name=lambda entry: entry.file_name,
        case=lambda entry: (entry.patient, ""),
        identity=digest_of_files(("coco", settings, names, input_digest(path)), [path.parent / name for name in names]),
    )


def _of_entry(entry: KeypointImage, file: Path, settings: PreprocessSettings) -> ProbeImage:
    frame = find_xrays([file], frames="middle", field=settings.field == "exposed")[0]
    size = (int(frame.intensity.shape[-2]), int(frame.intensity.shape[-1]))
    if size != tuple(entry.truth.size):
        wanted, came = (" x ".join(map(str, each)) for each in (entry.truth.size, size))
        raise InputError(f"{file} must have the {wanted} pixels that its COCO file says, got {came}; correct the file.")
    image, mapping = prepared(frame.intensity, settings, frame.field)
    return ProbeImage(entry.file_name, entry.patient, image, keypoints=square_keypoints(entry.truth, mapping))
