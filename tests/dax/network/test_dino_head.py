"""The head has the published layers, names and variants."""

import copy

import pytest
import torch
from torch import nn
from xraykit.dax.network.dino_head import DinoHead
from xraykit.render import InputError

G, V = "last_layer.parametrizations.weight.original0", "last_layer.parametrizations.weight.original1"


def small(**options) -> DinoHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DinoHead(8, 20, **{"hidden": 16, "bottleneck": 6, **options})


def shapes(head: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in head.state_dict().items()}


def test_names_and_shapes_are_the_published_ones():
    assert shapes(DinoHead(384, 100)) == {
        "mlp.0.weight": (2048, 384), "mlp.0.bias": (2048,), "mlp.2.weight": (2048, 2048), "mlp.2.bias": (2048,),
        "mlp.4.weight": (256, 2048), "mlp.4.bias": (256,), G: (100, 1), V: (100, 256),
    }  # fmt: skip


def test_with_batch_norm_the_layers_move_as_published():
    found = shapes(small(batch_norm=True))
    layers = {name.rsplit(".", 1)[0]: shape for name, shape in found.items() if name.endswith("weight")}
    assert {name: len(shape) for name, shape in layers.items()} == {
        "mlp.0": 2, "mlp.1": 1, "mlp.3": 2, "mlp.4": 1, "mlp.6": 2,
    }  # fmt: skip


def test_the_flat_head_is_that_of_the_published_imagenet_checkpoint():
    found = shapes(DinoHead(2048, 100, hidden=4096, layers=2, batch_norm=True, flat=True))
    assert found["last_layer.weight"] == (100, 256)
    assert {name.split(".")[1] for name in found if name.startswith("mlp")} == {"0", "1", "3"}


def test_one_layer_is_a_single_linear_map():
    assert shapes(small(layers=1)) == {"mlp.weight": (6, 8), "mlp.bias": (6,), G: (20, 1), V: (20, 6)}


def test_logits_are_cosines_until_the_lengths_are_learned():
    head, features = small(), torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    x, w = head.mlp(features), head.get_parameter(V)
    expected = nn.functional.cosine_similarity(x[:, None], w[None], dim=-1)
    torch.testing.assert_close(head(features), expected)


def test_the_flat_head_projects_on_the_sphere_and_keeps_its_weights_as_they_are():
    head, features = small(flat=True), torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    x = head.mlp(features)
    torch.testing.assert_close(head(features), x / x.norm(dim=1, keepdim=True) @ head.last_layer.weight.T)


@pytest.mark.parametrize("norm", [True, False])
def test_the_lengths_of_the_last_layer_learn_only_if_they_may(norm):
    head = small(norm_last_layer=norm)
    head(torch.ones(2, 8)).square().sum().backward()
    assert (head.get_parameter(G).grad is None) == norm
    assert head.get_parameter(V).grad is not None


def test_it_begins_with_small_weights_no_biases_and_lengths_of_one():
    state = small(hidden=400).state_dict()
    assert state["mlp.2.weight"].std().item() == pytest.approx(0.02, rel=0.02)
    assert all((state[f"mlp.{n}.bias"] == 0).all() for n in (0, 2, 4))
    assert (state[G] == 1).all()
    assert state[V].abs().max().item() <= 6**-0.5  # torch's own for a linear layer


def test_a_copy_is_a_head_of_its_own():
    head = small()
    twin = copy.deepcopy(head)
    features = torch.ones(2, 8)
    torch.testing.assert_close(twin(features), head(features))
    with torch.no_grad():
        twin.get_parameter(V).add_(torch.arange(6.0))
    assert not torch.allclose(twin(features), head(features))


def test_the_older_names_of_the_last_layer_load():
    head, other = small(), small()
    state = head.state_dict()
    state["last_layer.weight_g"], state["last_layer.weight_v"] = state.pop(G) * 2, state.pop(V) + 1
    other.load_state_dict(state, strict=True)
    torch.testing.assert_close(other.get_parameter(G), 2 * head.get_parameter(G))
    torch.testing.assert_close(other.get_parameter(V), head.get_parameter(V) + 1)


def test_short_vectors_keep_their_direction_in_half_precision():
    head = small(layers=1).half()
    with torch.no_grad():
        head.mlp.weight.mul_(1e-3)
    features = torch.randn(5, 8, generator=torch.Generator().manual_seed(1)).half()
    found, exact = head(features), copy.deepcopy(head).double()(features.double())
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.double(), exact, atol=5e-3, rtol=0)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_lightlys_head_gives_the_same_logits():
    heads = pytest.importorskip("lightly.models.modules.heads")
    peer, ours = heads.DINOProjectionHead(8, 16, 6, 20), small()
    ours.load_state_dict({name.replace("layers", "mlp"): value for name, value in peer.state_dict().items()})
    features = torch.randn(7, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(features), peer(features))


@pytest.mark.parametrize("name", ["out_dim", "hidden", "bottleneck", "layers"])
def test_sizes_below_one_are_refused(name):
    with pytest.raises(InputError, match=f"{name} of a head must be at least 1, got 0"):
        DinoHead(4, **{"out_dim": 3, name: 0})
