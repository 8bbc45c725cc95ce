import torch
from xraykit.render import Camera
from xraykit.render.geometry import back_project, pixel_centers
from xraykit.render.geometry.detector_plane import detector_axes, pixel_axes


def test_centres_lie_at_half_integers() -> None:
    u, v = pixel_axes(2, 3, dtype=torch.float64, device="cpu")
    assert u.tolist() == [0.5, 1.5, 2.5]
    assert v.tolist() == [0.5, 1.5]


def test_axes_are_the_back_projected_centres() -> None:
    sdd = torch.tensor([900.0, 950.0], dtype=torch.float64)
    camera = Camera(sdd=sdd, height=3, width=5, pixel_spacing=(0.7, 0.4), principal_point=(1.2, 2.9))
    x, y, z = detector_axes(camera, dtype=torch.float64, device="cpu")
    plane = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None], z[:, None, None]), dim=-1)
    centres = pixel_centers(camera, dtype=torch.float64).reshape(-1, 2)
    expected = back_project(centres, camera, torch.eye(4, dtype=torch.float64)[None]).reshape(2, 3, 5, 3)
    torch.testing.assert_close(plane, expected, rtol=0, atol=1e-10)
    assert [len(axis) for axis in (x, y, z)] == [1, 1, 2]


def test_gradients_reach_the_intrinsics() -> None:
    names = {"sdd": 900.0, "pixel_spacing": (0.7, 0.4), "principal_point": (1.2, 2.9)}
    fields = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in names.items()}
    x, y, z = detector_axes(Camera(height=3, width=5, **fields), dtype=torch.float64, device="cpu")
    (x.sum() + y.sum() + z.sum()).backward()
    for name, field in fields.items():
        assert field.grad is not None and bool(field.grad.all()), name
