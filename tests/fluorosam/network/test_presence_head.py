"""What is visible: the words look at the cells that matter, masks stay as they are, and the head learns."""

from dataclasses import replace

import torch
from support.fluorosam_training import TINY
from torch.nn import functional as F
from xraykit.fluorosam.network import PresenceHead, load_network, new_network, presence_network, save_network


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_head_is_its_equation_and_texts_do_not_hear_each_other():
    head, cells, text = PresenceHead(8, 6, 16).eval(), drawn(2, 8, 3, 3), drawn(2, 4, 6, seed=1)
    with torch.no_grad():
        found = head(cells, text)
        for b in range(2):
            c, t = F.layer_norm(cells[b].flatten(1).T, (8,)), F.layer_norm(text[b, 3], (6,))
            looks = ((c @ head.key.weight.T + head.key.bias) @ (head.query.weight @ t + head.query.bias) / 8).softmax(0)
            x = torch.cat([F.layer_norm(looks @ c, (8,)), t])
            for layer in (*head.layers, head.output):
                x = layer.weight @ x + layer.bias
                x = x if layer is head.output else x.relu()
            torch.testing.assert_close(found[b, 3], x[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(head(cells, text[:, 1:2])[:, 0], found[:, 1], rtol=1e-4, atol=1e-5)
    assert found.shape == (2, 4)


def test_the_head_learns_to_find_one_cell_that_the_words_name():
    """Four patterns, of which an image has two in one cell each among 64."""
    torch.manual_seed(0)
    patterns, words = F.normalize(drawn(4, 16), dim=1) * 6, drawn(4, 8, seed=1)
    head = PresenceHead(16, 8, 32)
    optimizer = torch.optim.Adam(head.parameters(), lr=5e-3)
    draw = torch.Generator().manual_seed(2)

    def batch(count):
        cells = 0.5 * torch.randn(count, 16, 64, generator=draw)
        there = torch.zeros(count, 4)
        for row in range(count):
            for which in torch.randperm(4, generator=draw)[:2].tolist():
                there[row, which] = 1
                cells[row, :, int(torch.randint(64, (), generator=draw))] += patterns[which]
        return cells.unflatten(2, (8, 8)), words.expand(count, -1, -1), there

    for _ in range(250):
        cells, text, there = batch(32)
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(head(cells, text), there).backward()
        optimizer.step()
    cells, text, there = batch(200)
    assert float(((head(cells, text) > 0) == there.bool()).float().mean()) > 0.85


def test_a_new_head_changes_no_mask_and_sends_nothing_back(tmp_path):
    before = new_network(TINY, seed=1)
    after = presence_network(before, seed=2)
    assert presence_network(after) is after and before.presence_head is None
    assert after.config.text == replace(TINY.text, presence=128)
    own = after.state_dict()
    assert all(torch.equal(own[name], value) for name, value in before.state_dict().items())
    embedding = after.embed(drawn(2, 3, 64, 64))
    told = after.presence(embedding, after.encode_text(["left femur", "skull"]).expand(2, -1, -1))
    told.sum().backward()
    heard = {name for name, value in after.named_parameters() if value.grad is not None}
    assert heard == {name for name in own if name.startswith("presence_head.")}
    assert before.presence(embedding, told) is None
    save_network(after, tmp_path)
    again = load_network(tmp_path)
    assert again.config == after.config and torch.equal(
        again.presence_head.output.weight, own["presence_head.output.weight"]
    )
