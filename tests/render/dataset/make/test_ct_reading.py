"""CTs of a data set are read as any command reads them: which series, what the voxels are, uneven slices."""

import numpy as np
import pytest
from support.dicom import write_series
from xraykit.render import FileError
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


def test_a_plan_that_leaves_the_new_keys_alone_has_the_digest_that_it_had(tmp_path):
    write_series(tmp_path / "cts/p1", TISSUE)
    (tmp_path / "plan.yaml").write_text(PLAN.format(options=""))
    config = read_dataset_config(tmp_path / "plan.yaml")
    (tmp_path / "plan.yaml").write_text(PLAN.format(options=", series: 1"))
    chosen = read_dataset_config(tmp_path / "plan.yaml")
    assert config.patients.ct.reading == {"series": None, "modality": None, "resample_slices": False}
    assert make_plan(config).config_sha256 != make_plan(chosen).config_sha256
