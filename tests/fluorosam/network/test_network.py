"""The network: prompts of any kind, alone and together, with gradients, on disk."""

from dataclasses import replace

import pytest
import torch
from xraykit.fluorosam.network import (
    ABSENT,
    PADDING,
    ConvertWeightsSettings,
    FluoroSamConfig,
    PromptBatch,
    TextConfig,
    TrunkConfig,
    cell_pixels,
    convert_published,
    draw_cells,
    load_network,
    mask_prompts,
    new_network,
    save_network,
)
from xraykit.render import FileError, InputError

SIZE, MASK = 256, 128
WHOLE = torch.long


@pytest.fixture(scope="module")
def network():
    return new_network("mini").eval()


@pytest.fixture(scope="module")
def embedding(network):
    images = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        return network.embed(images)


@pytest.fixture(scope="module")
def asked(network):
    """Two images, four prompts: text; two points; text, box and mask; one point and text."""
    generator = torch.Generator().manual_seed(2)
    points = torch.rand(2, 4, 2, 2, generator=generator) * SIZE
    labels = torch.tensor([[ABSENT, ABSENT], [1, 0], [ABSENT, ABSENT], [1, ABSENT]]).expand(2, 4, 2)
    corner = torch.rand(2, 4, 2, generator=generator) * 100
    has = torch.tensor([[True, False, True, True]] * 2)
    third = torch.tensor([[False, False, True, False]] * 2)
    masks = torch.randn(2, 4, MASK, MASK, generator=generator)
    words = [["left femur", "skull", "rib", "screw"], ["hip", "spine", "lung", "guide wire"]]
    with torch.no_grad():
        text = torch.stack([network.encode_text(each) for each in words])
    return PromptBatch(text, has, points, labels, torch.cat([corner, corner + 80], -1), third, masks, third)


def alone(asked, image, number):
    """One prompt of one image, holding nothing but what it has."""
    at = (slice(image, image + 1), slice(number, number + 1))
    given = asked.point_labels[image, number] != ABSENT
    boxed = bool(asked.has_box[image, number])
    return PromptBatch(
        text=asked.text[at] if bool(asked.has_text[image, number]) else None,
        points=asked.points[at][:, :, given] if given.any() else None,
        point_labels=asked.point_labels[at][:, :, given] if given.any() else None,
        boxes=asked.boxes[at] if boxed else None,
        masks=asked.masks[at] if boxed else None,
    )


def test_many_prompts_for_several_images_are_the_same_as_one_by_one(network, embedding, asked):
    with torch.no_grad():
        together = network.decode(embedding, asked)
        assert together.logits.shape == (2, 4, 3, SIZE, SIZE) and together.quality.shape == (2, 4, 3)
        for image in range(2):
            for number in range(4):
                one = network.decode(embedding[image : image + 1], alone(asked, image, number))
                torch.testing.assert_close(together.logits[image, number], one.logits[0, 0], rtol=1e-4, atol=1e-4)
                torch.testing.assert_close(together.quality[image, number], one.quality[0, 0], rtol=1e-4, atol=1e-4)


def test_prompts_without_masks_share_the_image_and_stay_the_same(network, embedding):
    points = torch.rand(2, 5, 3, 2, generator=torch.Generator().manual_seed(3)) * SIZE
    asked = PromptBatch(points=points, point_labels=torch.ones(2, 5, 3, dtype=WHOLE))
    with torch.no_grad():
        together = network.decode(embedding, asked)
        for number in range(5):
            one = network.decode(embedding, asked.slice(number, number + 1))
            torch.testing.assert_close(together.logits[:, number], one.logits[:, 0], rtol=1e-4, atol=1e-4)


def test_all_cells_in_any_order_are_the_whole_and_some_cells_are_some_of_it(network, embedding, asked):
    grid = network.config.grid
    order = draw_cells(2, grid, 1.0, torch.Generator().manual_seed(3))
    assert torch.equal(order.sort(1).values, torch.arange(grid**2).expand(2, -1))
    with torch.no_grad():
        whole, shuffled = network.decode(embedding, asked), network.decode(embedding, asked, cells=order)
        some = network.decode(embedding, asked, cells=order[:, :64])
    for mask in range(3):
        expected = cell_pixels(whole.logits[:, :, mask], order, grid)
        torch.testing.assert_close(shuffled.logits[:, :, mask], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(shuffled.quality, whole.quality, rtol=1e-4, atol=1e-4)
    assert some.logits.shape == (2, 4, 3, 64 * 8, 8)


def test_cells_are_those_of_the_grid_row_by_row():
    maps = torch.arange(36.0).reshape(1, 1, 6, 6)
    found = cell_pixels(maps, torch.tensor([[8, 1]]), 3)
    assert found[0, 0].tolist() == [[28, 29], [34, 35], [2, 3], [8, 9]]
    count = draw_cells(3, 8, 0.25, torch.Generator().manual_seed(0))
    assert count.shape == (3, 16) and all(len(set(row.tolist())) == 16 for row in count)


def test_points_have_a_padding_point_unless_there_is_a_box(network):
    points, labels = torch.full((1, 2, 1, 2), 9.5), torch.ones(1, 2, 1, dtype=WHOLE)
    boxes, some = torch.tensor([[[1.0, 1, 9, 9]] * 2]), torch.tensor([[True, False]])
    nothing = network.prompt_encoder.not_a_point_embed.weight[0]
    with torch.no_grad():
        bare = network.encode_prompts(PromptBatch(points=points, point_labels=labels))
        mixed = network.encode_prompts(PromptBatch(points=points, point_labels=labels, boxes=boxes, has_box=some))
        words = network.encode_prompts(PromptBatch(text=network.encode_text(["hip"])[None]))
    assert bare.tokens.shape[2] == 2 and bare.present is None
    torch.testing.assert_close(bare.tokens[0, :, 1], nothing.expand(2, -1))
    assert mixed.present.tolist() == [[[True, False, True, True], [True, True, False, False]]]
    assert words.tokens.shape[2] == 1


def test_a_point_labelled_as_padding_is_the_padding_point(network):
    points = torch.full((1, 1, 1, 2), 77.0)
    asked = PromptBatch(points=points, point_labels=torch.full((1, 1, 1), PADDING))
    with torch.no_grad():
        tokens = network.encode_prompts(asked).tokens[0, 0]
    torch.testing.assert_close(tokens[0], tokens[1])


def test_the_grid_is_encoded_as_points_at_its_cells_centres(network):
    encoder = network.prompt_encoder
    cell = SIZE / encoder.grid
    at = torch.tensor([(5 + 0.5) * cell, (3 + 0.5) * cell]) / SIZE
    torch.testing.assert_close(encoder.grid_positions()[:, 3, 5], encoder.pe_layer(at), rtol=1e-4, atol=1e-4)


def test_every_parameter_that_learns_has_a_gradient(asked):
    network = new_network("mini")
    images = torch.rand(2, 3, SIZE, SIZE)
    words = [["left femur", "skull", "rib", "screw"], ["hip", "spine", "lung", "guide wire"]]
    text = torch.stack([network.encode_text(each) for each in words])
    tokens = network.encode_prompts(replace(asked, text=text))
    embedding = network.embed(images)
    three, one = network.decode(embedding, tokens), network.decode(embedding, tokens, multimask=False)
    heard = [three.logits, three.quality, one.logits, one.quality]
    (sum(each.square().mean() for each in heard) + tokens.quantised.loss).backward()
    network.presence(embedding, text).square().mean().backward()
    learning = {name: each for name, each in network.named_parameters() if each.requires_grad}
    assert [name for name, each in learning.items() if each.grad is None or not bool(each.grad.abs().sum() > 0)] == []


@pytest.mark.slow
def test_autocast_gives_the_same_up_to_its_digits(network, asked):
    images = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        exact = network(images, asked)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = network(images, asked)
    error = (rough.logits.float() - exact.logits).square().mean() / exact.logits.var()
    assert 0 < float(error) < 0.02


def test_what_a_prompt_lacks_has_no_part_in_it(network, embedding, asked):
    with torch.no_grad():
        before = network.decode(embedding, asked).logits
        text, masks = asked.text.clone(), asked.masks.clone()
        text[:, 1], masks[:, :2] = 100.0, 50.0
        points = torch.where((asked.point_labels == ABSENT)[..., None], 3.0, asked.points)
        after = network.decode(embedding, replace(asked, text=text, masks=masks, points=points)).logits
    assert torch.equal(before, after)


def test_a_swin_of_another_size_encodes_an_image():
    trunk = TrunkConfig(width=16, depths=(1, 1, 1, 1), heads=(1, 1, 2, 2))
    text = TextConfig(width=16, layers=1, heads=2, dimension=16, token_width=4)
    config = FluoroSamConfig(224, 28, 32, 16, 1, 32, 2, trunk, text)
    network = new_network(config).eval()
    network.image_encoder.trunk.set_grad_checkpointing()
    with torch.no_grad():
        assert network.embed(torch.rand(1, 1, 224, 224)).shape == (1, 32, 28, 28)


def test_predicted_masks_become_prompts():
    logits = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert mask_prompts(logits).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]


def test_a_seed_makes_the_weights_and_leaves_the_callers_numbers_alone():
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    one, two, other = new_network(seed=3), new_network(seed=3), new_network(seed=4)
    assert torch.equal(torch.rand(1), expected)
    same = zip(one.parameters(), two.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    assert not torch.equal(one.image_encoder.neck.output.weight, other.image_encoder.neck.output.weight)


def test_weights_travel_with_their_config(network, tmp_path):
    save_network(network, tmp_path, trained_on={"images": 3})
    again = load_network(tmp_path)
    assert again.config == network.config and again.trained_on == {"images": 3} and not again.training
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_a_published_checkpoint_is_converted_and_loads_the_same(tmp_path):
    from support.fluorosam_checkpoints import SMALL, leftovers, published_tensors, write_checkpoint

    path = write_checkpoint(tmp_path / "a.ckpt", {**published_tensors(SMALL), **leftovers(SMALL)})
    done = convert_published(ConvertWeightsSettings(path, tmp_path / "weights"))
    direct, ours = load_network(path), load_network(done.path)
    assert direct.config == ours.config
    assert len(done.left_out) == 4 + sum(SMALL.depths)
    assert all(torch.equal(a, b) for a, b in zip(direct.parameters(), ours.parameters(), strict=True))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: PromptBatch(), "must have text, points, boxes or masks, got none"),
        (lambda: PromptBatch(points=torch.zeros(1, 1, 1, 2)), "points and point_labels must come together"),
        (lambda: PromptBatch(boxes=torch.zeros(1, 4)), r"3 axes for boxes, got boxes \(1, 4\)"),
        (
            lambda: PromptBatch(boxes=torch.zeros(1, 2, 4), text=torch.zeros(1, 3, 8)),
            r"got boxes \(1, 2, 4\) beside text \(1, 3, 8\)",
        ),
        (
            lambda: PromptBatch(boxes=torch.zeros(1, 2, 4), has_box=torch.zeros(1, 2)),
            "has_box must be bool and come with boxes, got torch.float32",
        ),
        (
            lambda: PromptBatch(points=torch.zeros(1, 1, 3, 2), point_labels=torch.zeros(1, 1, 2, dtype=WHOLE)),
            r"point_labels must be whole numbers .* got \(1, 1, 2\)",
        ),
        (
            lambda: PromptBatch(points=torch.zeros(1, 1, 1, 2), point_labels=torch.full((1, 1, 1), 5)),
            "point_labels must be 1, 0, -1 or -2, got 5",
        ),
        (lambda: new_network("swin-xl"), "must be one of swin-l, swin-b, swin-s, mini, got 'swin-xl'"),
        (lambda: FluoroSamConfig(image_size=450), "image_size must be a multiple of 224 for this trunk, got 450"),
        (
            lambda: FluoroSamConfig(dimension=250),
            "dimension must be a multiple of 16 and of 2 heads, got dimension=250",
        ),
        (lambda: FluoroSamConfig(grid=0), "grid must be a whole number from 1 to 256, got 0"),
        (lambda: TrunkConfig("mlp"), "trunk.kind must be one of swin, conv, got 'mlp'"),
        (lambda: TrunkConfig(heads=(5, 12, 24, 48)), "trunk.heads must divide"),
        (lambda: TextConfig(width=100, heads=8), "text.width must be a multiple of heads=8, got width=100"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    "prompts, message",
    [
        (PromptBatch(text=torch.zeros(2, 1, 7)), "must be features of length 128, got 7"),
        (PromptBatch(masks=torch.zeros(2, 1, 64, 64)), "masks must be 128x128 logits, got 64x64"),
        (PromptBatch(boxes=torch.zeros(3, 1, 4)), r"of the 3 images that prompts are for, got \(2, 640, 32, 32\)"),
    ],
)
def test_prompts_for_another_network_are_refused(network, embedding, prompts, message):
    with pytest.raises(InputError, match=message):
        network.decode(embedding, prompts)


def test_an_image_of_another_size_is_refused(network):
    with pytest.raises(InputError, match=r"images must be \(B, 3, 256, 256\) .* got \(1, 3, 255, 256\)"):
        network.embed(torch.zeros(1, 3, 255, 256))


def test_weights_with_another_config_are_refused(network, tmp_path):
    from xraykit.fluorosam.network.network_weights import NETWORK
    from xraykit.render.weights import save_weights

    save_weights(tmp_path, network.state_dict(), NETWORK, config={"grid": "x"})
    with pytest.raises(FileError, match="must carry a complete config, got one that is not"):
        load_network(tmp_path)
