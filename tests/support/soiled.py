"""DICOM files whose every text names somebody, and what of it stands in files that were written."""

from pathlib import Path

from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset

TEXT, ROOT, DAY = "Soiled7391", "1.2.826.0.739173917", "17390713"
KINDS = {"PN": f"{TEXT}^Ann", "DA": DAY, "UI": ROOT}
KINDS |= dict.fromkeys(("LO", "SH", "ST", "LT", "UT", "UC", "AE"), TEXT)
NEEDED = ("SOPClassUID", "RescaleType", "Units", "TransferSyntaxUID")
"""What a reader must understand."""
SOILED = {
    tag: kind
    for tag, (kind, _, _, retired, keyword) in DicomDictionary.items()
    if kind in KINDS and tag >> 16 in (0x08, 0x10, 0x18, 0x20) and not retired and keyword not in NEEDED
}


def soil(dataset: Dataset, *, series: int = 1) -> Dataset:
    """Give every text, date and UID of four groups of the dictionary a value that can be found again."""
    for tag, kind in SOILED.items():
        dataset.add_new(tag, kind, KINDS[kind] + (f".{tag}.{series}" if kind == "UI" else ""))
    dataset.BodyPartExamined = TEXT.upper()
    dataset.SeriesInstanceUID = f"{ROOT}.99.{series}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.{id(dataset)}"
    return dataset


def traces(folder: Path) -> list[str]:
    """Files below a folder that hold one of those values."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if is_soiled(path.read_bytes())]


def is_soiled(content: bytes | str) -> bool:
    """Whether something that was written or sent holds one of those values."""
    content = content.encode() if isinstance(content, str) else content
    return any(text.encode() in content for text in (TEXT, TEXT.upper(), ROOT, DAY))
