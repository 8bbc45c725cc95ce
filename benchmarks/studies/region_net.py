"""A small network that tells parts of the body apart, and how it is trained."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH, RATE, DECAY = 32, 3e-3, 0.02


def region_net(classes: int) -> nn.Sequential:
    """Seven convolutions, global average, one linear layer: (B, 1, H, W) to (B, classes), 0.24 million weights."""
    layers: list[nn.Module] = []
    widths = [(1, 16, 2), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 2), (96, 128, 2)]
    for before, after, stride in widths:
        convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, classes))


def normalised(images: Tensor) -> Tensor:
    """Each image with mean 0 and variance 1: neither dose nor contrast as a whole tells the part."""
    mean, spread = images.mean((1, 2, 3), keepdim=True), images.std((1, 2, 3), keepdim=True)
    return (images - mean) / spread.clamp_min(1e-3)


def augmented(images: Tensor, dice: torch.Generator) -> Tensor:
    """Other X-rays like these (B, 1, H, W) of -ln(intensity): bone stays bright and the head stays up.

    Zoomed by 0.75 to 1.35, turned by up to 12 degrees, shifted by up to a tenth of the field, half of them mirrored
    (the other limb, or the patient from behind), with a gamma of 0.65 to 1.5, some unsharp, some grainy.
    """
    count = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=dice)

    angle, zoom = uniform(-12, 12) * math.pi / 180, (uniform(math.log(0.75), math.log(1.35))).exp()
    side = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    rows = [
        torch.stack([side * cos, -sin, uniform(-0.2, 0.2)], 1),
        torch.stack([side * sin, cos, uniform(-0.2, 0.2)], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, align_corners=False).clamp_min(0.0)
    soft = functional.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    moved = torch.where(_each(uniform(0, 1) < 0.4), soft, moved)
    highest = moved.amax((1, 2, 3), keepdim=True).clamp_min(1e-3)
    moved = highest * (moved / highest) ** _each(uniform(0.65, 1.5))
    return moved + _each(uniform(0, 0.15)) * torch.randn(moved.shape, generator=dice)


def train(
    images: Tensor, truth: Tensor, classes: int, *, epochs: int, seed: int, report: Callable[[str], None] = print
) -> nn.Sequential:
    """A network trained on images (N, 1, H, W) of -ln(intensity) and their classes (N,); rare classes weigh more."""
    torch.manual_seed(seed)
    dice = torch.Generator().manual_seed(seed)
    net = region_net(classes)
    weights = 1.0 / torch.bincount(truth, minlength=classes).clamp_min(1).float()
    steps = epochs * math.ceil(len(images) / BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.15)
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(images), generator=dice).split(BATCH):
            scores = net(normalised(augmented(images[chosen], dice)))
            loss = functional.cross_entropy(scores, truth[chosen], weight=weights, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        if epoch % 5 == 4 or epoch == epochs - 1:
            report(f"network {seed}, epoch {epoch + 1}/{epochs}: loss {total / len(images):.3f}")
    return net.eval()


@torch.inference_mode()
def probabilities(nets: list[nn.Sequential], images: Tensor) -> Tensor:
    """What each network believes, (networks, N, classes)."""
    batches = [normalised(batch) for batch in images.split(128)]
    return torch.stack([torch.cat([net(batch) for batch in batches]).softmax(dim=1) for net in nets])


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]
