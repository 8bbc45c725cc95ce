"""`xraykit fluorosam convert`: a published checkpoint as a folder of weights."""

from __future__ import annotations

from xraykit.render.commands import flat

from ..network.settings import ConvertWeightsSettings


def convert(settings: ConvertWeightsSettings) -> None:
    """Turn a published checkpoint into weights that load quickly and hold nothing else.

    Nothing in the checkpoint is run, and every tensor in it is accounted for:

        xraykit fluorosam convert fluorosam.ckpt -o weights/

    DIR then holds model.safetensors and config.json. The published weights are
    CC BY-NC-SA 4.0, and so is what is made of them.

    Args:
        settings: The options.
    """
    from ..network.convert import convert_published

    done = convert_published(settings)
    if done.left_out:
        few = ", ".join(done.left_out[:3]) + (", ..." if len(done.left_out) > 3 else "")
        print(f"note: {len(done.left_out)} tensors that the network does not use were left out ({few})")
    print(f"wrote {done.path}: {done.parameters / 1e6:.1f} M parameters")


command = flat(convert, ConvertWeightsSettings)
