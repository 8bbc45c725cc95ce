"""CLIP's text tower: the same as open_clip's, whatever follows the end of a text."""

import pytest
import torch
from xraykit.fluorosam.network import TextConfig, TextTower, open_clip_tower, tokenise
from xraykit.render import FileError, InputError

SIZES = {"width": 64, "layers": 2, "heads": 2}


def test_features_are_those_of_open_clip():
    from open_clip.transformer import QuickGELU, TextTransformer

    torch.manual_seed(0)
    theirs = TextTransformer(**SIZES, output_dim=32, act_layer=QuickGELU).eval()
    ours = TextTower(TextConfig(**SIZES, dimension=32))
    state = {**theirs.state_dict(), "logit_scale": torch.tensor(1.0)}
    ours.load_state_dict(state)
    texts = ["left femur", "the third lumbar vertebra, seen from the side"]
    with torch.no_grad():
        torch.testing.assert_close(ours.encode(texts), theirs(tokenise(texts)), rtol=1e-4, atol=1e-5)


def test_tokens_are_those_of_open_clip():
    from open_clip import tokenize

    texts = ["Left femur", "distal  end of the radius", "Schlüsselbein"]
    assert torch.equal(tokenise(texts), tokenize(texts))


def test_a_text_has_the_same_features_beside_a_longer_one():
    torch.manual_seed(0)
    tower = TextTower(TextConfig(**SIZES, token_width=8))
    together = tower.encode(["rib", "all ribs of the right side"])
    torch.testing.assert_close(together[:1], tower.encode(["rib"]))
    torch.testing.assert_close(together[:1], tower(tokenise(["rib"], context=20)))


def test_a_frozen_tower_learns_nothing_and_another_does():
    text = ["rib"]
    assert not TextTower(TextConfig(**SIZES)).encode(text).requires_grad
    assert TextTower(TextConfig(**SIZES, frozen=False)).encode(text).requires_grad


@pytest.mark.parametrize(
    "texts, message",
    [
        ([" "], "must say what to find, got an empty text"),
        (["rib\x00"], r"must hold printable characters, got '\\x00'"),
        (["a" * 2001], "at most 2000 characters, got 2001"),
        (["rib " * 90], "at most 75 tokens, got 90"),
        ([3], "must be text, got int"),
        ("rib", "must be a list of texts, got one text 'rib'"),
    ],
)
def test_what_is_no_prompt_is_refused(texts, message):
    with pytest.raises(InputError, match=message):
        tokenise(texts)


def test_what_is_no_tokens_is_refused():
    with pytest.raises(InputError, match=r"tokens must be \(N, L\) whole numbers with L up to 77"):
        TextTower(TextConfig(**SIZES))(torch.zeros(1, 78, dtype=torch.long))


def their_model(*, prefix="", activation=None):
    """A tower of open_clip beside an image half, and its state as their files hold it."""
    from open_clip.transformer import QuickGELU, TextTransformer

    torch.manual_seed(1)
    theirs = TextTransformer(width=128, layers=1, heads=2, output_dim=16, act_layer=activation or QuickGELU).eval()
    state = {f"{prefix}{name}": value for name, value in theirs.state_dict().items()}
    return theirs, {**state, "visual.proj": torch.zeros(3), "logit_scale": torch.tensor(4.6)}


def test_a_file_of_open_clip_gives_its_text_tower(tmp_path):
    theirs, state = their_model(prefix="module.")
    torch.save({"epoch": 1, "state_dict": state}, tmp_path / "clip.pt")
    ours = open_clip_tower(tmp_path / "clip.pt")
    with torch.no_grad():
        torch.testing.assert_close(ours.encode(["rib"]), theirs(tokenise(["rib"])), rtol=1e-4, atol=1e-5)
    assert not any(each.requires_grad for each in ours.parameters())


def test_a_folder_of_open_clip_tells_its_activation(tmp_path):
    from safetensors.torch import save_file

    theirs, state = their_model(prefix="text.", activation=torch.nn.GELU)
    save_file(state, tmp_path / "open_clip_model.safetensors")
    (tmp_path / "open_clip_config.json").write_text('{"model_cfg": {"embed_dim": 16}}', encoding="utf-8")
    ours, wrong = open_clip_tower(tmp_path), open_clip_tower(tmp_path, quick_gelu=True)
    with torch.no_grad():
        expected = theirs(tokenise(["rib"]))
        torch.testing.assert_close(ours.encode(["rib"]), expected, rtol=1e-4, atol=1e-5)
        assert float((wrong.encode(["rib"]) - expected).abs().max()) > 1e-4


def test_an_unknown_tag_of_open_clip_is_refused():
    with pytest.raises(InputError, match=r"or a model and tag of open_clip .* got 'ViT-B-32/nowhere'"):
        open_clip_tower("ViT-B-32/nowhere")


def test_a_folder_without_a_tower_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"must hold open_clip_model\.safetensors or"):
        open_clip_tower(tmp_path)


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "a.pt")
    with pytest.raises(FileError, match="must hold the text tower of a CLIP, got none of its tensors"):
        open_clip_tower(tmp_path / "a.pt")
