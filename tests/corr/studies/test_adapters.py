"""Manifests of public data sets, from folders in exactly their layouts."""

import pytest
from support.corr_studies import write_pictures
from xraykit.corr.studies import (
    carve_patients,
    fracatlas_studies,
    grazpedwri_studies,
    mura_studies,
    read_studies,
    write_studies,
)
from xraykit.render import FileError, InputError

MURA = [
    "train/XR_WRIST/patient00001/study1_positive/image1.png",
    "train/XR_WRIST/patient00001/study1_positive/image2.png",
    "train/XR_WRIST/patient00001/study1_positive/image10.png",
    "train/XR_WRIST/patient00002/study1_negative/image1.png",
    "train/XR_WRIST/patient00002/study1_negative/image2.png",
    "train/XR_HAND/patient00002/study1_negative/image1.png",
    "train/XR_HAND/patient00003/study2_positive/image1.png",
    "valid/XR_WRIST/patient11185/study1_positive/image1.png",
    "valid/XR_WRIST/patient11185/study1_positive/image2.png",
]


@pytest.fixture
def mura(tmp_path):
    folder = tmp_path / "MURA-v1.1"
    write_pictures(folder, MURA)
    (folder / "train/XR_WRIST/patient00001/study1_positive/._image1.png").write_bytes(b"\0")
    return folder


@pytest.mark.parametrize("listing", ["none", "plain", "header"])
def test_mura_is_read_with_lists_of_either_kind_or_none(mura, listing):
    if listing != "none":
        for part in ("train", "valid"):
            lines = [f"MURA-v1.1/{name}" for name in MURA if name.startswith(part)]
            lines += ["MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/._image1.png"] if part == "train" else []
            lines = lines if listing == "plain" else ["Img_Path,Label", *(f"{line},1" for line in lines)]
            (mura / f"{part}_image_paths.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    studies = {study.name: study for study in mura_studies(mura, val_share=0.3)}
    assert len(studies) == 5
    broken = studies["train_XR_WRIST_patient00001_study1_positive".replace("XR_", "")]
    assert broken.label == 1 and [image.path.name for image in broken.images] == [
        "image1.png",
        "image2.png",
        "image10.png",
    ]
    assert studies["valid_WRIST_patient11185_study1_positive"].split == "test"
    assert studies["train_WRIST_patient00002_study1_negative"].label == 0
    splits = {study.patient: study.split for study in studies.values()}
    assert sorted(splits.values()) == ["test", "train", "train", "val"]
    assert read_studies(write_studies(list(studies.values()), mura / "mura.csv"))[0].name in studies


def test_mura_keeps_regions_and_studies_with_enough_images(mura):
    wrists = mura_studies(mura, regions=["WRIST"], min_images=3, val_share=0)
    assert [study.name for study in wrists] == ["train_WRIST_patient00001_study1_positive"]
    with pytest.raises(InputError, match=r"regions must be some of ELBOW.*got FOOT"):
        mura_studies(mura, regions=["FOOT"])
    with pytest.raises(InputError, match="studies with 9 or more X-rays, got none"):
        mura_studies(mura, min_images=9)


def test_a_folder_that_is_no_mura_and_a_list_of_other_files_are_refused(mura, tmp_path):
    with pytest.raises(FileError, match=r"must be MURA-v1.1 as it is unpacked"):
        mura_studies(tmp_path)
    listing = mura / "train_image_paths.csv"
    listing.write_text("MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/image7.png\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"line 1: .*image7.png must be there, got none"):
        mura_studies(mura)
    listing.write_text("Img\nsomewhere/else.png\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"line 2: a path of a study's image is needed, got 'somewhere/else.png'"):
        mura_studies(mura)


def write_graz(folder, rows):
    head = "filestem,patient_id,study_number,timehash,gender,age,laterality,projection,fracture_visible\n"
    (folder / "dataset.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


def test_grazpedwri_pairs_the_projections_of_one_wrist(tmp_path):
    rows = []
    for patient in range(1, 7):
        stem = f"{patient:04d}_0001_01_WRI"
        broken = "1" if patient % 2 else ""
        rows += [f"{stem}-L2_M008,{patient},1,x,M,8,L,2,{broken}", f"{stem}-L1_M008,{patient},1,x,M,8,L,1,"]
    rows.append("0007_0001_01_WRI-R1_F011,7,1,x,F,11,R,1,1")
    write_pictures(tmp_path / "images", [row.split(",")[0] + ".png" for row in rows])
    (tmp_path / "images" / "._0001_0001_01_WRI-L2_M008.png").write_bytes(b"\0")
    write_graz(tmp_path, rows)
    studies = grazpedwri_studies(tmp_path, val_share=0.2, test_share=0.3)
    assert len(studies) == 6 and {len(study.images) for study in studies} == {2}
    first = next(study for study in studies if study.patient == "1")
    assert first.name == "1_1_L" and first.label == 1
    assert [image.projection for image in first.images] == ["PA", "lateral"]
    assert {study.split for study in studies} == {"train", "val", "test"}
    assert len(grazpedwri_studies(tmp_path, min_images=1)) == 7
    write_graz(tmp_path, [*rows, "gone,9,1,x,F,11,R,1,1"])
    with pytest.raises(FileError, match=r"must hold the X-rays of dataset.csv, got 1 missing: gone"):
        grazpedwri_studies(tmp_path)


def test_fracatlas_has_one_image_a_study_and_says_so(tmp_path):
    head = "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique"
    rows = []
    for number in range(8):
        folder = "Fractured" if number % 2 else "Non_fractured"
        write_pictures(tmp_path / "images" / folder, [f"IMG{number:07d}.jpg"])
        rows.append(f"IMG{number:07d}.jpg,1,0,0,0,0,0,{number % 2},{number % 2},{number % 2},1,{number % 2},0")
    (tmp_path / "dataset.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    studies = fracatlas_studies(tmp_path, val_share=0.2, test_share=0.3)
    assert [study.label for study in studies] == [0, 1] * 4
    assert studies[1].images[0].projection == "frontal+lateral" and studies[0].images[0].projection == "frontal"
    assert {study.split for study in studies} == {"train", "val", "test"}
    with pytest.raises(InputError, match="FracAtlas have one X-ray, as its table names no patients"):
        fracatlas_studies(tmp_path, min_images=2)
    wrong = rows[0].replace(",0,0,0,1,0,0", ",0,1,1,1,0,0")
    (tmp_path / "dataset.csv").write_text("\n".join([head, wrong, *rows[1:]]) + "\n", encoding="utf-8")
    with pytest.raises(FileError, match="must lie in the folder of its label, got fractured = 1"):
        fracatlas_studies(tmp_path)


def test_a_table_without_a_column_is_refused(tmp_path):
    (tmp_path / "dataset.csv").write_text("image_id,fractured\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"must have the columns image_id.*got none called frontal"):
        fracatlas_studies(tmp_path)
    with pytest.raises(FileError, match="must be the table that comes with the data set"):
        grazpedwri_studies(tmp_path / "nowhere")


def test_held_out_patients_are_the_asked_share_and_hardly_change_with_one_more():
    names = [f"p{n}" for n in range(40)]
    held = carve_patients(names, 0.25, seed=3)
    assert len(held) == 10 and held == carve_patients(reversed(names), 0.25, seed=3)
    assert held != carve_patients(names, 0.25, seed=4)
    assert len(held & carve_patients([*names, "new"], 0.25, seed=3)) >= 9
    assert carve_patients(names, 0) == frozenset() and len(carve_patients(["a", "b"], 0.01)) == 1
    with pytest.raises(InputError, match="must be 0 to below 1, got 1"):
        carve_patients(names, 1.0)
