"""A bare installation imports the shared packages, and nothing optional comes with them."""

from support.repo import modules_loaded_by

OPTIONAL = {"safetensors", "huggingface_hub", "pandas", "statsmodels", "scipy", "matplotlib"}


def test_the_folders_load_no_torch_before_a_name_is_used():
    loaded = modules_loaded_by("import xraykit.render.weights, xraykit.render.evaluation")
    assert not {"torch", "numpy", *OPTIONAL} & loaded


def test_using_every_name_loads_nothing_optional():
    code = (
        "import xraykit.render.weights as w, xraykit.render.evaluation as e\n"
        "[getattr(m, name) for m in (w, e) for name in m.__all__]"
    )
    assert not OPTIONAL & modules_loaded_by(code)
