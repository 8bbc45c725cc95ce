"""What is kept of a sentence about an input names nobody."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support.dicom import write_series
from xraykit.render.files.header_texts import without_header_texts


def soil(number, dataset):
    dataset.PatientName, dataset.PatientID = "Miller^Ann", "A.7 (b)"
    dataset.StudyDescription, dataset.BodyPartExamined = "Knee\n of  Ann", "KNEE"
    dataset.OtherPatientNames = ["First^Name", "Second^Name"]
    inner = Dataset()
    inner.OperatorsName = "Nurse^Joy"
    dataset.RequestAttributesSequence = Sequence([inner])
    dataset.AccessionNumber = ""


@pytest.fixture
def folder(tmp_path):
    folder = write_series(tmp_path / "ct", np.zeros((2, 4, 5), np.int16), edit=soil)
    (folder / "notes.txt").write_text("no DICOM", encoding="utf-8")
    (folder / "damaged.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "Miller^Ann", "A.7 (b)", "Knee of Ann", "KNEE", "First^Name", "Second^Name", "Nurse^Joy",
        "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.1.2", "2.25.1234.5678.9.10",
    ],
)  # fmt: skip
def test_texts_and_identifiers_of_the_header_are_withheld(folder, text):
    sentence = "{} must hold one series, got '{}', and {}; None of 12 CT slices in 0.5 mm fits, version 1.2.3."
    path = str(folder / "a.dcm")
    kept = without_header_texts(sentence.format(path, text, text), folder)
    assert kept == sentence.format(path, "[withheld]", "[withheld]")


def test_sentences_about_other_files_stay(tmp_path):
    (tmp_path / "ct.nii").write_bytes(b"123")
    assert without_header_texts("ct.nii must be NIfTI, got 3 bytes.", tmp_path / "ct.nii") == (
        "ct.nii must be NIfTI, got 3 bytes."
    )
