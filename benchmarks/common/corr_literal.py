"""Correspondence as it is written down: every cell alone in a volume, projected by RTK, outer product, maximum.

Facts: Self-Supervised Multiview Xray Matching (MICCAI 2025), whose program projects each coarse voxel with RTK's Joseph
filter onto as many pixels as there are patches; every line is our own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from xraykit.render import Camera


class OneCellProjector:
    """RTK's Joseph projections of a volume in which one cell is 1 and all others are 0, in several views."""

    def __init__(
        self, shape: tuple[int, int, int], affine: Tensor, camera: Camera, poses: Tensor, *, grid: int
    ) -> None:
        """Prepare.

        Args:
            shape: Cells along i, j, k.
            affine: Index to world [mm], without shear.
            camera: Its image is divided into grid x grid pixels.
            poses: Camera to world (V, 4, 4).
            grid: Patches along each side.
        """
        import itk

        self.grid = grid
        centre = (affine[:3, :3] @ (torch.tensor(shape, dtype=torch.float64) - 1) / 2 + affine[:3, 3]).numpy()
        spacing = affine[:3, :3].norm(dim=0).numpy()
        self.volume = itk.image_from_array(np.zeros(shape[::-1], np.float32))
        self.volume.SetSpacing(spacing.tolist())
        self.volume.SetOrigin((affine[:3, 3].numpy() - centre).tolist())
        self.volume.SetDirection(itk.matrix_from_array(affine[:3, :3].numpy() / spacing))
        self.filters = [self._filter(itk, camera, pose.double().numpy(), centre) for pose in poses]

    def _filter(self, itk: Any, camera: Camera, pose: np.ndarray, centre: np.ndarray) -> Any:
        sdd, spacing, principal = (t[0] for t in camera.tensors(dtype=torch.float64, device="cpu"))
        row, column = (spacing * torch.tensor([camera.height, camera.width]) / self.grid).tolist()
        x, y = (principal / torch.tensor([camera.width, camera.height]) * self.grid).tolist()
        point, vector = itk.Point[itk.D, 3], itk.Vector[itk.D, 3]
        source = pose[:3, 3] - centre
        detector = source + float(sdd) * pose[:3, 2]
        geometry = itk.RTK.ThreeDCircularProjectionGeometry.New()
        right, up = vector(pose[:3, 0].tolist()), vector((-pose[:3, 1]).tolist())  # right x up points to the source
        if not geometry.AddProjection(point(source.tolist()), point(detector.tolist()), right, up):
            raise RuntimeError("RTK refused the geometry")
        stack = itk.image_from_array(np.zeros((1, self.grid, self.grid), np.float32))
        stack.SetSpacing([column, row, 1.0])
        stack.SetOrigin([(0.5 - x) * column, (y - 0.5) * row, 0.0])
        stack.SetDirection(itk.matrix_from_array(np.diag([1.0, -1.0, 1.0])))  # rows run down
        kind = type(self.volume)
        project = itk.RTK.JosephForwardProjectionImageFilter[kind, kind].New()
        project.SetInput(0, stack)
        project.SetInput(1, self.volume)
        project.SetGeometry(geometry)
        project.SetInPlace(False)
        project.SetNumberOfWorkUnits(1)
        return project

    def footprints(self, cell: tuple[int, int, int]) -> list[Tensor]:
        """The projections (L,) [mm] of one cell in each view."""
        import itk

        self.volume.SetPixel(list(cell), 1.0)
        self.volume.Modified()
        found = []
        for project in self.filters:
            project.Modified()
            project.Update()
            found.append(torch.from_numpy(itk.array_from_image(project.GetOutput())).flatten())
        self.volume.SetPixel(list(cell), 0.0)
        return found


def literal_paper_matrix(projector: OneCellProjector, cells: Tensor, weights: Tensor) -> Tensor:
    """C of the first two views in the sense of mode `paper`, (L, L), over some cells (N, 3) with their weights (N,)."""
    patches = projector.grid**2
    result = torch.zeros(patches, patches)
    for cell, weight in zip(cells.tolist(), weights.tolist(), strict=True):
        first, second = (stretched(each) for each in projector.footprints(tuple(cell)))
        result = torch.maximum(result, weight * torch.outer(first, second))
    return result


def stretched(footprint: Tensor) -> Tensor:
    """From least .. largest to 0 .. 1; a level one is 0."""
    least, span = footprint.min(), footprint.max() - footprint.min()
    return (footprint - least) / span if span > 0 else torch.zeros_like(footprint)
