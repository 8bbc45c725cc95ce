"""A series is chosen by its UID or by the digest of it, and a digest tells one UID from another."""

from xraykit.render.commands import VolumeSettings
from xraykit.render.files.series_digest import is_series, kept_series

UID = "1.2.826.0.1.7391.5"


def test_numbers_and_digests_stay_and_a_uid_does_not():
    assert kept_series("3") == "3" and VolumeSettings().series is None
    digest = kept_series(UID)
    assert UID not in digest and digest.startswith("sha256:") and kept_series(digest) == digest
    assert kept_series(UID + "1") != digest


def test_either_names_the_series():
    assert is_series(UID, UID) and is_series(UID, kept_series(UID))
    assert not is_series(UID, kept_series(UID + "1")) and not is_series(UID, "1")


def test_settings_hold_what_may_be_kept():
    assert VolumeSettings(series=UID).reading["series"] == kept_series(UID)
