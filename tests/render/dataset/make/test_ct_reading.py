"""CTs of a data set are read as any command reads them: which series, what the voxels are, uneven slices."""

import numpy as np
import pytest
from PIL import Image
from support.dicom import write_series
from xraykit.render import FileError, InputError
from xraykit.render.dataset.make.patients import make_subject
from xraykit.render.dataset.plan.config_file import read_dataset_config
from xraykit.render.dataset.plan.plan import make_plan

TISSUE = np.full((6, 16, 16), 1064, dtype=np.int16)  # 40 HU
PLAN = "patients: {{ct: {{folder: cts, volumes: 'p*'{options}}}}}\nviews: {{random: 0, ranges: {{femur: 1}}}}\n"


def subject(tmp_path, options=""):
    (tmp_path / "plan.yaml").write_text(PLAN.format(options=options))
    config = read_dataset_config(tmp_path / "plan.yaml")
    (patient,) = [one for shard in make_plan(config).shards for one in shard.patients]
    return make_subject(patient, config)


def test_uneven_slices_are_interpolated_where_the_plan_says_so(tmp_path):
    def edit(n, dataset):
        dataset.ImagePositionPatient = [-10, -20, 30 + 2.5 * n + 2.5 * (n > 3)]

    write_series(tmp_path / "cts/p1", TISSUE, edit=edit)
    with pytest.raises(FileError, match=r"evenly spaced .*resample_slices"):
        subject(tmp_path)
    assert subject(tmp_path, ", resample_slices: true").volume.shape == (7, 16, 16)


def test_one_of_several_series_is_taken_by_its_number(tmp_path):
    def other(n, dataset):
        dataset.SeriesInstanceUID += ".2"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{dataset.SeriesInstanceUID}.{n}"
        dataset.SeriesNumber = 9

    write_series(tmp_path / "cts/p1", TISSUE)
    for path in (tmp_path / "cts/p1").iterdir():
        path.rename(path.with_name("first_" + path.name))
    write_series(tmp_path / "cts/p1", TISSUE[:5], edit=other)
    with pytest.raises(FileError, match="choose one by its number"):
        subject(tmp_path)
    found = {number: subject(tmp_path, f", series: {number}").volume.shape[0] for number in (1, 2)}
    assert sorted(found.values()) == [5, 6]


def tiff_stack(path):
    path.parent.mkdir(exist_ok=True)
    pages = [Image.fromarray(page.astype(np.uint16)) for page in TISSUE]
    pages[0].save(path, save_all=True, append_images=pages[1:])


def test_tiff_stacks_take_their_spacing_from_the_plan(tmp_path):
    tiff_stack(tmp_path / "cts/p1.tif")
    with pytest.raises(FileError, match="voxel_spacing"):
        subject(tmp_path)
    spacing = (2.0, 2.5, 3.0)
    found = subject(tmp_path, f", voxel_spacing: {list(spacing)}").volume
    assert found.spacing.tolist() == pytest.approx(spacing)
    assert float(found.hu.max()) == pytest.approx(40)


def test_the_label_map_of_a_tiff_stack_is_found_by_its_name_without_suffix(tmp_path):
    tiff_stack(tmp_path / "cts/p1.tif")
    options = ", labels: 'm/{name}.nii.gz'"
    (tmp_path / "plan.yaml").write_text(PLAN.format(options=options))
    (shard, *_) = make_plan(read_dataset_config(tmp_path / "plan.yaml")).shards
    assert [one.labels.name for one in shard.patients] == ["p1.nii.gz"]


@pytest.mark.parametrize("spacing", ["[1, 1]", "[1, 1, 0]", "[1, 1, .nan]", "1.0", "[a, b, c]"])
def test_a_voxel_spacing_that_is_none_is_refused_with_the_plan(tmp_path, spacing):
    with pytest.raises(InputError, match="voxel_spacing"):
        subject(tmp_path, f", voxel_spacing: {spacing}")


def test_a_plan_that_leaves_the_new_keys_alone_has_the_digest_that_it_had(tmp_path):
    write_series(tmp_path / "cts/p1", TISSUE)
    (tmp_path / "plan.yaml").write_text(PLAN.format(options=""))
    config = read_dataset_config(tmp_path / "plan.yaml")
    (tmp_path / "plan.yaml").write_text(PLAN.format(options=", series: 1"))
    chosen = read_dataset_config(tmp_path / "plan.yaml")
    assert config.patients.ct.reading == {
        "series": None,
        "modality": None,
        "resample_slices": False,
        "voxel_spacing": None,
    }
    assert make_plan(config).config_sha256 != make_plan(chosen).config_sha256
