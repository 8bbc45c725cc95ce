"""Which process of a training this is."""

from xraykit.render.training import is_follower


def test_processes_after_the_first_are_followers(monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    assert not is_follower()
    monkeypatch.setenv("RANK", "0")
    assert not is_follower()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert is_follower()
