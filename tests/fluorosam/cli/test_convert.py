"""`xraykit fluorosam convert`: weights that load, and one sentence for what is none."""

import torch
from support.fluorosam_checkpoints import SMALL, leftovers, published_tensors, write_checkpoint
from xraykit.fluorosam import load_network
from xraykit.render.cli.umbrella import run


def test_a_published_checkpoint_becomes_a_folder_of_weights(tmp_path, capsys):
    path = write_checkpoint(tmp_path / "last.ckpt", {**published_tensors(SMALL), **leftovers(SMALL)})
    assert run(["fluorosam", "convert", str(path), "-o", str(tmp_path / "weights"), "--half"]) == 0
    said = capsys.readouterr().out
    assert "12 tensors that the network does not use were left out" in said and "M parameters" in said
    assert load_network(tmp_path / "weights").config.trunk.width == SMALL.width


def test_what_is_no_checkpoint_ends_with_a_sentence_and_writes_nothing(tmp_path, capsys):
    torch.save({"model": 3}, tmp_path / "a.pth")
    assert run(["fluorosam", "convert", str(tmp_path / "a.pth"), "-o", str(tmp_path / "weights")]) == 2
    assert "must be a checkpoint with a state_dict of tensors" in capsys.readouterr().err
    assert not (tmp_path / "weights").exists()
