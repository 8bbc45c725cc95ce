"""X-rays in, a folder of masks out, as pictures, label files, COCO and DICOM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.commands import LeftOut
from xraykit.render.files import write_coco
from xraykit.render.pictures import save_png
from xraykit.render.storage import atomic_folder, check_result_folder, held_folder, read_json_object, write_settings

from ..predictor.fluoro_sam import FluoroSam
from ..predictor.prompt import Prompt
from ..predictor.segmentation import Segmentation
from ..predictor.xray_input import OpenedXray, open_xray
from .asked_prompts import asked_prompts
from .coco_annotations import AnnotatedXray, annotations_record
from .dicom_segmentation import save_dicom_segmentation
from .label_files import label_table, save_label_image
from .listed_xrays import ListedXray, list_xrays
from .mask_picture import draw_answers
from .named_mask import NamedMask
from .settings import SegmentFilesSettings

RESULTS, COCO, SETTINGS = "results.json", "annotations.json", "settings.json"
OVERLAY, LABELS, SEGMENTATION = "{}_overlay.png", "{}_labels.png", "{}_seg.dcm"
SCHEMA = "xraykit.fluorosam.results/1"
MOST_BYTES = 1 << 28
Report = Callable[[int, int], object]


@dataclass(frozen=True)
class SegmentedXrays:
    """What `segment_xrays` found and wrote.

    Args:
        folder: Where it lies.
        results: A row for each X-ray: file, size, and a row for each prompt, as in results.json.
        notes: What was assumed of which X-ray, and what could not be written.
        doubts: What is hardly true of which X-ray's file, or was lost.
        left_out: (name, sentence) of each X-ray that could not be read.
    """

    folder: Path
    results: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def segment_xrays(
    settings: SegmentFilesSettings, *, sam: FluoroSam | None = None, report: Report | None = None
) -> SegmentedXrays:
    """Segment X-rays and write, for each, NAME_overlay.png, NAME_labels.png and, of DICOM files, NAME_seg.dcm.

    Beside them lie annotations.json (COCO), results.json (what was asked, found and how sure) and settings.json. All
    appear at once, or nothing does; those of an earlier run are replaced. Each X-ray is encoded once. Of several files
    one that is no X-ray that can be read is left out.

    Args:
        settings: All there is to say.
        sam: In place of the network that the settings name.
        report: Called with how many X-rays are done and how many there are, where there are several.

    Raises:
        InputError: Nothing or something impossible asked, words that nobody knows, or an X-ray that shows nothing.
        FileError: An X-ray or the weights cannot be read, or a folder has none.
        OutputError: The folder cannot be written, or is in use by another process.
    """
    prompts = asked_prompts(settings)
    check_result_folder(settings.output)
    listed = list_xrays(settings.xrays)
    if len(listed) > 1 and not all(prompt.words_alone for prompt in prompts.values()):
        raise InputError(f"points and a box belong to one X-ray, got {len(listed)}; ask one by one.")
    with held_folder(settings.output):
        return _segmented(settings, prompts, listed, sam, report)


def named_masks(answers: Mapping[str, Segmentation]) -> list[NamedMask]:
    """Answers by name, as files hold them."""
    return [
        NamedMask(name, one.mask.numpy(), one.target, one.confidence, not one.prompt.words_alone)
        for name, one in answers.items()
    ]


def _segmented(
    settings: SegmentFilesSettings,
    prompts: Mapping[str, Prompt],
    listed: Sequence[ListedXray],
    sam: FluoroSam | None,
    report: Report | None,
) -> SegmentedXrays:
    used = settings.network
    sam = sam or FluoroSam.from_pretrained(
        used.weights, device=used.device, any_words=used.any_words, memory=1, cache=used.cache
    )
    notes = [note for prompt in prompts.values() if prompt.text is not None and (note := sam.note_on(prompt.text))]
    tell = report if report is not None and len(listed) > 1 else _silent
    rows: list[dict[str, Any]] = []
    annotated: list[AnnotatedXray] = []
    doubts: list[str] = []
    left_out = LeftOut(none=len(listed) == 1 and not listed[0].found)
    with atomic_folder(settings.output, owned=_earlier_files(settings.output)) as folder:
        for number, one in enumerate(listed):
            tell(number, len(listed))
            with left_out.going_on(str(one.path)):
                xray = open_xray(one.path, settings.reading)
                answers = sam.predict_many(list(prompts.values()), image=sam.embed(xray), multimask=not settings.single)
                found = dict(zip(prompts, answers, strict=True))
                row, masks = _written(folder, one, xray, found, notes, identified=settings.identified)
                rows.append(row)
                doubts += [f"{one.path.name}: {doubt}" for doubt in xray.doubts]
                annotated.append(AnnotatedXray(str(one.path), xray.size, masks, xray.frame))
        if not rows:
            raise FileError(
                f"none of {len(listed)} files is an X-ray that can be read; the first: {left_out.found[0][1]}"
            )
        write_coco(folder / COCO, annotations_record(annotated))
        table = {"schema": SCHEMA, "weights": used.weights, "xrays": rows}
        table["left_out"] = [{"file": name, "reason": reason} for name, reason in left_out.found]
        write_coco(folder / RESULTS, table)
        write_settings(folder / SETTINGS, settings, command="fluorosam segment", distribution="xraykit-fluorosam")
    tell(len(listed), len(listed))
    return SegmentedXrays(
        settings.output, tuple(rows), tuple(dict.fromkeys(notes)), tuple(doubts), tuple(left_out.found)
    )


def _written(
    folder: Path,
    one: ListedXray,
    xray: OpenedXray,
    answers: Mapping[str, Segmentation],
    notes: list[str],
    *,
    identified: bool,
) -> tuple[dict[str, Any], Sequence[NamedMask]]:
    """The row of an X-ray and its masks, after its files are written."""
    masks = named_masks(answers)
    files = [OVERLAY.format(one.name), LABELS.format(one.name)]
    save_png(folder / files[0], draw_answers(xray, list(answers), list(answers.values())))
    save_label_image(folder / files[1], masks, xray.size)
    notes += [f"{one.path.name}: {note}" for note in xray.notes]
    if _is_dicom(one.path) and any(mask.area for mask in masks):
        name = SEGMENTATION.format(one.name)
        try:
            save_dicom_segmentation(folder / name, masks, one.path, frame=xray.frame, identified=identified)
            files.append(name)
        except FileError as error:
            notes.append(f"{one.path.name} has no DICOM segmentation: {error}")
    found = [
        {
            **entry,
            "visible": answer.visible,
            "confidence": round(answer.confidence, 4),
            **({} if answer.presence is None else {"presence": round(answer.presence, 4)}),
            "area": mask.area,
            "bbox": list(mask.box),
            **_pointed(answer.prompt),
        }
        for entry, mask, answer in zip(label_table(masks), masks, answers.values(), strict=True)
    ]
    height, width = xray.size
    row = {"file": str(one.path), "height": height, "width": width, "frame": xray.frame, "files": files}
    return {**row, "notes": list(xray.notes), "doubts": list(xray.doubts), "masks": found}, masks


def _pointed(prompt: Prompt) -> dict[str, Any]:
    points: Any = prompt.points
    labels: Any = prompt.labels
    found: dict[str, Any] = {}
    if points is not None:
        found["points"] = [[x, y, label] for (x, y), label in zip(points, labels, strict=True)]
    if prompt.box is not None:
        found["box"] = list(prompt.box)  # type: ignore[arg-type]
    return found


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _earlier_files(folder: Path) -> set[str]:
    """Names of what an earlier run left here, by its results.json; none where it left no such table."""
    try:
        table = read_json_object(folder / RESULTS, most_bytes=MOST_BYTES) if (folder / RESULTS).is_file() else {}
    except FileError:
        return set()
    rows = table.get("xrays")
    if table.get("schema") != SCHEMA or not isinstance(rows, list):
        return set()
    listed = [name for row in rows if isinstance(row, dict) for name in _listed(row.get("files"))]
    ends = tuple(pattern.format("") for pattern in (OVERLAY, LABELS, SEGMENTATION))
    return {RESULTS, COCO, SETTINGS, *(name for name in listed if name.endswith(ends) and Path(name).name == name)}


def _silent(done: int, total: int) -> None:
    del done, total


def _listed(names: object) -> list[str]:
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
