"""One class per program under test: prepare once, then forward and forward+backward on demand.

Every class gets the same float32 attenuation tensor, affine, camera and camera-to-world poses, and turns them into
its own conventions while being built, outside the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..common.entry import OPERATIONS, Entry
from ..common.scenes import SDD, Scene, View

STORAGE = {"float32": torch.float32, "float16": torch.float16, "int16": torch.int16}


class Opponent:
    """Common part: gradients flow through one weighted sum of the image, equal for all."""

    operations: tuple[str, ...] = OPERATIONS
    poses: Tensor
    mu: Tensor

    def __init__(self, view: View, *, compiled: bool) -> None:
        weights = torch.rand(view.batch, 1, view.height, view.width, generator=torch.Generator().manual_seed(0))
        self.weights = weights.to(self.mu.device)
        self.draw: Callable[[Tensor, Tensor], Tensor] = torch.compile(self.image) if compiled else self.image

    def image(self, poses: Tensor, mu: Tensor) -> Tensor:
        raise NotImplementedError

    def run(self, operation: str) -> Tensor:
        """The image, or the gradient of its weighted sum."""
        if operation == "forward":
            with torch.no_grad():
                return self.draw(self.poses, self.mu)
        leaf = (self.poses if operation.endswith("pose") else self.mu).detach().requires_grad_()
        poses, mu = (leaf, self.mu) if operation.endswith("pose") else (self.poses, leaf)
        (gradient,) = torch.autograd.grad((self.draw(poses, mu) * self.weights).sum(), leaf)
        return gradient


class Ours(Opponent):
    """xraykit.render through its public function."""

    def __init__(self, entry: Entry, scene: Scene, view: View) -> None:
        self.entry, self.view = entry, view
        self.volume = scene.volume.stored_as(STORAGE[entry.storage])
        self.camera = view.camera
        self.mu, self.poses = self.volume.mu, view.poses(scene)
        if entry.storage != "float32":
            self.operations = OPERATIONS[:2]  # a gradient in half precision or integers is nobody's use
        super().__init__(view, compiled=entry.compiled)

    def image(self, poses: Tensor, mu: Tensor) -> Tensor:
        from xraykit.render import render

        volume = self.volume if mu is self.volume.mu else self.volume.with_mu(mu)
        method, backend = self.entry.method, self.entry.backend
        return render(volume, self.camera, poses, method=method, samples=self.view.samples, backend=backend)  # type: ignore[arg-type]


class NanoDRR(Opponent):
    """nanodrr: Hartley-Zisserman like ours, so the pose is handed over as it is."""

    def __init__(self, entry: Entry, scene: Scene, view: View) -> None:
        from nanodrr.camera import make_k_inv
        from nanodrr.data import Subject

        self.entry, self.view = entry, view
        device = scene.mu.device
        self.mu, self.poses = scene.mu[None, None].contiguous(), view.poses(scene)
        self.subject = Subject(
            self.mu,
            torch.zeros_like(self.mu),
            scene.affine.float(),
            scene.affine.inverse().float(),
            Subject._make_voxel_to_grid(self.mu.shape),
            scene.volume.center.float(),
            max_label=0,
            convert_to_mu=False,
        ).to(device)
        pitch = view.pixel_spacing
        k_inv = make_k_inv(SDD, pitch, pitch, 0.0, 0.0, view.height, view.width, dtype=torch.float32, device=device)
        self.k_inv = k_inv.expand(view.batch, 3, 3).contiguous()
        self.sdd = torch.full((view.batch,), SDD, device=device)
        super().__init__(view, compiled=entry.compiled)

    def image(self, poses: Tensor, mu: Tensor) -> Tensor:
        from nanodrr.drr import render

        self.subject._image_hu = mu
        size, samples = (self.view.height, self.view.width), self.view.samples
        return render(self.subject, self.k_inv, poses, self.sdd, *size, samples, backend=self.entry.backend)


class DiffDRR(Opponent):
    """DiffDRR: its frame has y up, so E = C diag(-1, -1, 1, 1) with reverse_x_axis and no orientation matrix."""

    def __init__(self, entry: Entry, scene: Scene, view: View) -> None:
        from diffdrr.drr import DRR
        from torchio import ScalarImage, Subject

        self.entry, self.view = entry, view
        affine, data = scene.affine.numpy(), scene.mu.cpu().permute(2, 1, 0)[None].contiguous()
        image = ScalarImage(tensor=data, affine=affine)
        subject = Subject(volume=image, density=image, mask=None, orientation=None, reorient=torch.eye(4))
        size = (SDD, view.height, view.pixel_spacing)
        drr = DRR(subject, *size, renderer=entry.method, reverse_x_axis=True, voxel_shift=0.5)
        self.drr: Any = drr.to(scene.mu.device)
        self.flip = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], device=scene.mu.device))
        self.mu, self.poses = self.drr.density, view.poses(scene)
        self.options = {"n_points": view.samples} if entry.method == "trilinear" else {}
        super().__init__(view, compiled=entry.compiled)

    def image(self, poses: Tensor, mu: Tensor) -> Tensor:
        from diffdrr.pose import RigidTransform

        drr = self.drr
        source, target = drr.detector(RigidTransform(poses @ self.flip), None)
        return drr.reshape_transform(drr.render(mu, source, target, **self.options), batch_size=len(poses))


class RTK(Opponent):
    """RTK's JosephForwardProjectionImageFilter (C++); the clock sees the filter's Update alone, one call per pose."""

    operations = ("forward",)

    def __init__(self, entry: Entry, scene: Scene, view: View) -> None:
        import itk
        import numpy as np

        self.entry, self.view = entry, view
        self.mu, self.poses = scene.mu, view.poses(scene, dtype=torch.float64)
        threader: Any = itk.MultiThreaderBase  # type: ignore[attr-defined]
        threader.SetGlobalDefaultNumberOfThreads(torch.get_num_threads())
        affine, centre = scene.affine.numpy(), scene.volume.center.numpy()
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        volume = itk.image_from_array(np.ascontiguousarray(scene.mu.numpy()))
        volume.SetSpacing(spacing.tolist())
        volume.SetOrigin((affine[:3, 3] - centre).tolist())  # RTK turns about the origin
        volume.SetDirection(itk.matrix_from_array(affine[:3, :3] / spacing))
        self.filters = [self._filter(itk, volume, pose.numpy(), centre) for pose in self.poses]
        super().__init__(view, compiled=False)

    def _filter(self, itk, volume, pose, centre):
        import numpy as np

        view, pitch = self.view, self.view.pixel_spacing
        source = pose[:3, 3] - centre
        geometry = itk.RTK.ThreeDCircularProjectionGeometry.New()
        detector = source + SDD * pose[:3, 2]
        point, vector = itk.Point[itk.D, 3], itk.Vector[itk.D, 3]
        right, up = vector(pose[:3, 0].tolist()), vector((-pose[:3, 1]).tolist())  # right x up points to the source
        if not geometry.AddProjection(point(source.tolist()), point(detector.tolist()), right, up):
            raise RuntimeError("RTK refused the geometry")
        stack = itk.image_from_array(np.zeros((1, view.height, view.width), np.float32))
        stack.SetSpacing([pitch, pitch, 1.0])
        stack.SetOrigin([(0.5 - view.width / 2) * pitch, (view.height / 2 - 0.5) * pitch, 0.0])
        stack.SetDirection(itk.matrix_from_array(np.diag([1.0, -1.0, 1.0])))  # rows run down
        kind = type(volume)
        project = itk.RTK.JosephForwardProjectionImageFilter[kind, kind].New()
        project.SetInput(0, stack)
        project.SetInput(1, volume)
        project.SetGeometry(geometry)
        project.SetInPlace(False)
        project.SetNumberOfWorkUnits(torch.get_num_threads())
        return project

    def run(self, operation: str) -> Tensor:
        for project in self.filters:
            project.Modified()
            project.Update()
        return torch.empty(0)

    def picture(self) -> Tensor:
        """The images, copied out of ITK after the clock has stopped."""
        import itk

        self.run("forward")
        images = [torch.from_numpy(itk.array_from_image(project.GetOutput())) for project in self.filters]
        return torch.stack(images)


PROGRAMS: dict[str, type[Opponent]] = {"xraykit": Ours, "nanodrr": NanoDRR, "diffdrr": DiffDRR, "rtk": RTK}


def build(entry: Entry, scene: Scene, view: View) -> Opponent:
    """The opponent of a row, ready to run."""
    return PROGRAMS[entry.program](entry, scene, view)  # type: ignore[call-arg]


def entries(device: str) -> list[Entry]:
    """The rows of the table on a device, ours first."""
    ours = [Entry("xraykit", method, storage) for method in ("trilinear", "siddon", "joseph") for storage in STORAGE]
    peers = [Entry("nanodrr", "trilinear"), Entry("diffdrr", "trilinear"), Entry("diffdrr", "siddon")]
    if device == "cpu":
        return [*ours, *peers, Entry("rtk", "joseph")]
    compiled = [Entry("xraykit", "trilinear", compiled=True), Entry("nanodrr", "trilinear", compiled=True)]
    return [*ours, *peers, *compiled]
