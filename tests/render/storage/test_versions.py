from importlib.metadata import version

from xraykit.render.storage.versions import installed_version, installed_versions


def test_version_is_that_of_the_metadata() -> None:
    assert installed_version("xraykit-render") == version("xraykit-render")


def test_missing_distribution_is_unknown_and_left_out_of_a_list() -> None:
    assert installed_version("no-such-distribution") == "unknown"
    assert installed_versions(["torch", "no-such-distribution"]) == {"torch": version("torch")}
