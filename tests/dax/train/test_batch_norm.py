"""Batch norm over two ranks is batch norm over all their images on one."""

import copy

import pytest
import torch
from support.dax_ranks import on_ranks
from torch import nn
from xraykit.dax.train.batch_norm import RanksBatchNorm, synchronise


def network(*, momentum: float | None = 0.1) -> nn.Sequential:
    generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, momentum=momentum), nn.Flatten(), nn.BatchNorm1d(36))
    with torch.no_grad():
        for p in layers.parameters():
            p.copy_(torch.randn(p.shape, generator=generator))
    return layers.double()


def images() -> torch.Tensor:
    return 3 + torch.randn(7, 2, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def trained(module: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output, gradients and state after two batches."""
    x = x.clone().requires_grad_()
    module(x + 1)
    out = module(x)
    out.pow(3).sum().backward()
    gradients = {f"gradient of {name}": p.grad for name, p in module.named_parameters()}
    return {"out": out, "x": x.grad, **gradients, **module.state_dict()}


MOMENTA = {"running": 0.1, "cumulative": None}


def _uneven(rank: int) -> dict[str, torch.Tensor]:
    mine = images()[:3] if rank == 0 else images()[3:]
    return {
        f"{kind} {name}": value
        for kind, momentum in MOMENTA.items()
        for name, value in trained(synchronise(network(momentum=momentum), "cpu"), mine).items()
    }


@pytest.mark.slow
def test_two_ranks_give_outputs_gradients_and_statistics_of_one(tmp_path):
    ranks = on_ranks(_uneven, tmp_path)
    for kind, momentum in MOMENTA.items():
        for name, value in trained(network(momentum=momentum), images()).items():
            each = [found[f"{kind} {name}"] for found in ranks]
            if name in ("out", "x"):
                found = torch.cat(each)
            elif name.startswith("gradient"):
                found = sum(each)
            else:
                found = each[0]
                torch.testing.assert_close(*each, rtol=0, atol=0)
            message = f"{name} of {kind} statistics differs"
            torch.testing.assert_close(found, value, rtol=1e-9, atol=1e-9, msg=message)


def test_one_rank_is_plain_batch_norm():
    plain = trained(network(), images())
    found = trained(synchronise(network(), "cpu"), images())
    for name, value in plain.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


def test_state_and_parameters_stay_what_they_were():
    module = network()
    before, names = dict(module.named_parameters()), list(module.state_dict())
    converted = synchronise(module, "cpu")
    assert isinstance(converted[1], RanksBatchNorm)
    assert isinstance(converted[3], RanksBatchNorm)
    assert list(converted.state_dict()) == names
    assert all(p is before[name] for name, p in converted.named_parameters())
    twin = copy.deepcopy(converted).eval()
    twin.load_state_dict(network().state_dict())
    torch.testing.assert_close(twin(images()), network().eval()(images()))


def test_a_batch_norm_by_itself_is_converted_too():
    norm = nn.BatchNorm2d(3, affine=False, eps=0.5).eval()
    found = synchronise(norm, "cpu")
    assert isinstance(found, RanksBatchNorm)
    assert (found.eps, found.weight, found.training) == (0.5, None, False)


def test_a_gpu_takes_torchs_own():
    assert isinstance(synchronise(network(), "cuda")[1], nn.SyncBatchNorm)
