"""The local matcher finds a picture in itself, patch by patch, whatever its weights."""

from __future__ import annotations

import pytest
import torch
from xraykit.corr.evaluate.local_matcher import LocalMatcher
from xraykit.render import FileError

pytestmark = pytest.mark.peer
pytest.importorskip("kornia", reason="needs the peers group: uv sync --group peers")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    from kornia.feature import ALIKED

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "aliked-t16.pth"
    torch.save(ALIKED("aliked-t16").state_dict(), path)
    return path


def test_mutual_matches_of_an_image_with_itself_lie_on_the_diagonal(weights):
    image = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(1))
    mutual, every = LocalMatcher(weights).matrices(torch.stack([image, image]), 4)
    assert mutual.shape == every.shape == (16, 16)
    assert float(mutual.diagonal().max()) == pytest.approx(1.0, abs=1e-4)
    assert float((mutual - torch.diag(mutual.diagonal())).max()) < 1e-4
    assert bool((every >= mutual).all())
    assert 0 <= float(every.min())
    assert float(every.max()) <= 1


def test_images_without_keypoints_match_nowhere(weights):
    mutual, every = LocalMatcher(weights).matrices(torch.zeros(2, 1, 64, 64), 4)
    assert float(every.max()) == float(mutual.max()) == 0 or bool(torch.isfinite(every).all())


def test_files_with_other_weights_are_refused(weights, tmp_path):
    torch.save({"block1.conv1.weight": torch.zeros(1)}, tmp_path / "aliked-t16.pth")
    with pytest.raises(FileError, match="must hold weights of aliked-t16, got others"):
        LocalMatcher(tmp_path / "aliked-t16.pth")
    torch.save({"a": torch.zeros(1)}, tmp_path / "aliked-n16.pth")
    with pytest.raises(FileError, match="must hold all weights of aliked-n16, got none for"):
        LocalMatcher(tmp_path / "aliked-n16.pth")
