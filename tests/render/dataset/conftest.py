"""What the tests of data set jobs share: one small data set."""

import pytest
from support.dataset_jobs import in_this_process, write_job


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """The configuration file of a small data set of four shards."""
    return write_job(tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="session")
def config(job):
    """What it says."""
    from xraykit.render.dataset.plan.config_file import read_dataset_config

    return read_dataset_config(job)


@pytest.fixture(scope="session")
def whole(config, tmp_path_factory):
    """The data set, made in this process, and what was reported meanwhile."""
    from xraykit.render.dataset.make.job import make_dataset

    reports = []
    folder = tmp_path_factory.mktemp("whole") / "made"
    with in_this_process():
        return make_dataset(config, folder, workers=1, report=lambda *done: reports.append(done)), reports
