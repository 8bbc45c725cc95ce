"""A bare installation imports the shared packages, and nothing optional comes with them."""

from support.repo import modules_loaded_by

OPTIONAL = {"safetensors", "huggingface_hub", "pandas", "statsmodels", "scipy", "matplotlib"}


def test_the_folders_load_no_torch_before_a_name_is_used():
    loaded = modules_loaded_by("import xraykit.render.weights, xraykit.render.evaluation")
    assert not {"torch", "numpy", *OPTIONAL} & loaded
