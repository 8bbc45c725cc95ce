"""Our polychromatic images of a phantom against those of gVirtualXray, an independent simulator.

The image in tests/peers/data was made by `python -m benchmarks.oracles.gvxr --write-oracle` (docs/physics_oracle.md).
Errors are percent of the oracle's intensity in the pixels behind the phantom.
"""

import numpy as np
import pytest
import torch

from benchmarks.oracles.gvxr import ORACLE, percent_error
from benchmarks.oracles.gvxr_apart import GvxrUnavailableError, Picture, gvxr_picture
from benchmarks.oracles.phantom import FORMS, SPECTRUM, inserts, our_image, regions

GRAZED = 0.001  # share of the outline pixels: a ray along an edge hits it in one program and misses it in the other


@pytest.fixture(scope="module")
def oracle() -> Picture:
    with np.load(ORACLE, allow_pickle=False) as found:
        return Picture(found["image"], str(found["version"]), str(found["renderer"]))


@pytest.fixture(scope="module")
def where() -> dict[str, torch.Tensor]:
    return regions()


@pytest.fixture(scope="module", params=FORMS)
def ours(request) -> torch.Tensor:
    return our_image(FORMS[request.param]())


def test_oracle_was_made_with_this_spectrum():
    with np.load(ORACLE, allow_pickle=False) as found:
        np.testing.assert_allclose(found["photons"], SPECTRUM.photons, rtol=1e-6)


def test_intensity_is_gvirtualxrays_within_two_hundredths_of_a_percent(ours, oracle, where):
    error = percent_error(ours, oracle.image)
    assert error[~where["air"]].mean() < 0.02


@pytest.mark.parametrize("name", ["water", *inserts()])
def test_every_material_attenuates_as_in_gvirtualxray(name, ours, oracle, where):
    here = where[name]
    assert here.sum() > 50
    assert percent_error(ours, oracle.image)[here].mean() < 0.03


def test_outlines_are_where_gvirtualxray_sees_them(ours, oracle, where):
    error = percent_error(ours, oracle.image)[where["outlines"]]
    assert (error > 1).sum() <= GRAZED * len(error)


def test_phantom_would_reveal_a_flip_and_a_shift_of_a_pixel(ours, oracle, where):
    behind = ~where["air"]
    moved = [ours.flip(0), ours.flip(1), ours.rot90(2), ours.T, ours.roll(1, 0), ours.roll(1, 1)]
    assert min(float(percent_error(image, oracle.image)[behind].mean()) for image in moved) > 0.3


@pytest.mark.peer
def test_committed_image_is_what_gvirtualxray_makes_today(oracle):
    try:
        today = gvxr_picture(len(oracle.image))
    except GvxrUnavailableError as reason:
        pytest.skip(str(reason))
    error = percent_error(torch.from_numpy(today.image), oracle.image)
    assert error.mean() < 1e-3
    assert (error > 0.1).sum() < 20


@pytest.mark.peer
def test_scintillator_is_within_three_percent_of_gvirtualxrays_own_model(where):
    try:
        theirs = gvxr_picture(of="caesium_iodide")
    except GvxrUnavailableError as reason:
        pytest.skip(str(reason))
    panel = our_image(FORMS["meshes"](), of="caesium_iodide")
    assert percent_error(panel, theirs.image)[~where["air"]].mean() < 3
