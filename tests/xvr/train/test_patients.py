"""Whom a training sees: everyone once a round, in an order that can be taken up anywhere."""

import pickle

import pytest
import torch
from support.training import small_patient, write_small_patient
from xraykit.render import FileError
from xraykit.xvr.train.patients import CTFolder, ManyPatients, OnePatient, Procedural, files_in
from xraykit.xvr.train.rendered_patient import prepare

ONE = prepare(small_patient(labels=False), voxel=50.0)


class Named:
    """Patients that are their number, and a count of how often they were made."""

    def __init__(self):
        self.made = []

    def __call__(self, index):
        self.made.append(index)
        return index


def many(make, count, **options):
    return ManyPatients(make, count, **{"held_out": make(count), "each": 2, "seed": 4} | options)


def test_one_patient_is_always_the_same():
    patients = OnePatient(ONE)
    assert patients.at(0) is patients.at(99) is patients.held_out


def test_everyone_comes_once_a_round_for_so_many_batches_and_is_made_once():
    make = Named()
    patients = many(make, 5)
    assert patients.held_out == 5
    seen = [patients.at(step) for step in range(20)]
    assert seen[::2] == seen[1::2]
    assert sorted(seen[:10:2]) == sorted(seen[10::2]) == list(range(5))
    assert seen[:10] != seen[10:]
    assert sorted(make.made) == list(range(6))


def test_beyond_what_memory_keeps_patients_are_made_again():
    make = Named()
    patients = many(make, 5, each=1, keep=3)
    assert [sorted(patients.at(5 * r + n) for n in range(5)) for r in range(2)] == [list(range(5))] * 2
    assert len(make.made) == 11


def test_the_order_can_be_taken_up_in_the_middle_and_is_shared_among_ranks():
    whole = [many(Named(), 7, each=1).at(0)]
    patients = many(Named(), 7, each=1)
    whole = [patients.at(step) for step in range(14)]
    later = many(Named(), 7, each=1)
    assert [later.at(step) for step in range(5, 14)] == whole[5:]
    ranks = [many(Named(), 7, each=1, rank=rank, ranks=2) for rank in range(2)]
    assert [ranks[step % 2].at(step // 2) for step in range(14)] == whole


def test_patients_who_share_a_batch_stay_for_so_many_batches_and_make_way_together():
    patients = many(Named(), 6, each=2, together=3)
    seen = [tuple(patients.at(step, place) for place in range(3)) for step in range(8)]
    assert seen[::2] == seen[1::2]
    assert [sorted(seen[n] + seen[n + 2]) for n in (0, 4)] == [list(range(6))] * 2
    later = many(Named(), 6, each=2, together=3)
    assert [tuple(later.at(step, place) for place in range(3)) for step in range(3, 8)] == seen[3:]


def test_worker_processes_make_the_same_patients(tmp_path):
    ct, _ = write_small_patient(tmp_path)
    files = (ct, ct)
    here, there = (many(CTFolder(files, 50.0), 2, held_out=None, each=1, workers=w) for w in (0, 1))
    for step in range(2):
        a, b = here.at(step), there.at(step)
        assert torch.equal(a.tissue.mu, b.tissue.mu) and a.name == b.name == "ct.nii.gz"
    assert a.tissue.mu_scale == pytest.approx(b.tissue.mu_scale)


def test_a_folder_s_cts_come_by_name_and_nothing_else_does(tmp_path):
    for name in ("b.nrrd", "a.nii.gz", ".hidden.nii", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path)] == ["a.nii.gz", "b.nrrd"]


def test_folders_without_cts_are_refused(tmp_path):
    with pytest.raises(FileError, match="must hold CTs"):
        files_in(tmp_path)
    with pytest.raises(FileError, match="needs a folder"):
        files_in(tmp_path / "none")


def test_a_procedural_patient_follows_from_its_number():
    patient = Procedural("knee", 10, 32, 20.0)(1)
    assert patient.name == "knee 11" and patient.organs is not None and len(patient.points) == 64
    without = Procedural("knee", 10, 32, 20.0, organs=False)(1)
    assert without.organs is None and torch.equal(without.tissue.mu, patient.tissue.mu)
    assert 0 < without.nbytes == without.tissue.mu.nbytes + without.bone.mu.nbytes < patient.nbytes


def test_the_next_ct_stands_for_one_that_cannot_be_read_and_its_name_is_kept(tmp_path):
    ct, _ = write_small_patient(tmp_path)
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(ct.read_bytes()[:400])
    make = CTFolder((ct, bad), 50.0)
    assert make(0).left_out == ()
    instead = pickle.loads(pickle.dumps(make(1)))  # as a worker process hands it over
    assert instead.name == "ct.nii.gz"
    ((name, sentence),) = instead.left_out
    assert name == "bad.nii.gz" and "bad.nii.gz" in sentence
    with pytest.raises(FileError, match=r"bad\.nii\.gz"):
        CTFolder((bad, bad), 50.0)(0)


def test_each_patient_is_met_once():
    met = []
    patients = many(Named(), 3, each=1, meet=met.append)
    for step in range(9):
        patients.at(step)
    assert sorted(met) == [0, 1, 2, 3]
