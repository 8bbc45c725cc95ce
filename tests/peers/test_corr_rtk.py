"""Mode `paper` against the literal computation: each voxel alone through RTK's Joseph filter.

RTK weighs the first and the last slice of a ray within the grid by the part that the ray fills there; so two outermost
layers of the grid are empty.
"""

import pytest
import torch
from support.corr_truth import F64, camera, oblique_affine, poses
from support.rtk import later_rtk, load_rtk
from xraykit.corr.ground_truth import Support, correspondences, image_projection

from benchmarks.common.corr_literal import OneCellProjector, literal_paper_matrix

later_rtk()

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SIZE = 9


@pytest.mark.parametrize("affine", [oblique_affine(SIZE, 9.0), oblique_affine(SIZE, 9.0) @ torch.diag(
    torch.tensor([1.0, 0.8, 1.3, 1.0], dtype=F64))], ids=["cubes", "bricks"])  # fmt: skip
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_paper_mode_equals_the_literal_computation_with_rtk(affine, seed):
    load_rtk()
    inner = torch.cartesian_prod(*[torch.arange(2, SIZE - 2)] * 3)
    weights = torch.rand(len(inner), generator=torch.Generator().manual_seed(seed))
    support, pose = Support(inner, affine, (SIZE,) * 3, weights), poses(seed=seed)
    projector = OneCellProjector((SIZE,) * 3, affine, camera(), pose, grid=16)
    literal = literal_paper_matrix(projector, inner, weights)
    ours = correspondences(support, image_projection(camera(), pose), mode="paper")[0]
    assert float(literal.max()) > 0.5
    assert int((literal > 0).sum()) > 500
    torch.testing.assert_close(ours, literal, atol=1e-5, rtol=0)
