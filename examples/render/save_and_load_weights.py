"""Save a network's weights with what builds it, and load them from a folder, a file or a hub.

What is learned: weights travel with their config, another kind is refused with a sentence, float16 halves the file, and
a foreign checkpoint is read without running anything in it.

    python examples/render/save_and_load_weights.py        # writes out/net/model.safetensors and config.json
"""

from pathlib import Path

import torch
from torch import nn
from xraykit.render import FileError
from xraykit.render.weights import WeightsKind, fill_module, load_weights, read_pickle, rename_keys, save_weights

OURS = WeightsKind("body region network", "xraykit-render")


def build(*, channels: int, regions: int) -> nn.Sequential:
    """The network that a config describes."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, regions)
    )


def load(source: str | Path) -> nn.Sequential:
    """From a folder, a .safetensors file, or `org/name[@revision]` on the hub."""
    saved = load_weights(source, OURS)
    return fill_module(build(**saved.config), saved.state, source=str(source), wanted="a body region network").eval()


@torch.no_grad()
def main(out: Path, quick: bool = False) -> None:
    config = {"channels": 8 if quick else 64, "regions": 12}
    net = build(**config).eval()
    learned = {"data": "procedural patients", "images": 20_000, "accuracy": 0.93}
    path = save_weights(out / "net", net.state_dict(), OURS, config=config, trained_on=learned)
    image = torch.rand(1, 1, 32, 32)
    assert torch.equal(load(path.parent)(image), net(image))  # bit by bit

    half = save_weights(out / "half", net.state_dict(), OURS, config=config, trained_on=learned, half=True)
    print(f"float32 {path.stat().st_size} bytes, float16 {half.stat().st_size} bytes")
    print("largest difference", float((load(half)(image) - net(image)).abs().max()))

    torch.save({"epoch": 3, "model": {f"module.{k}": v for k, v in net.state_dict().items()}}, out / "foreign.pth")
    foreign = read_pickle(out / "foreign.pth")["model"]  # never runs what is in the file
    state = rename_keys(foreign, {"module.": ""}, source="foreign.pth")
    assert torch.equal(fill_module(build(**config), state, source="foreign.pth", wanted="the same")(image), net(image))

    try:
        load_weights(path, WeightsKind("pose network", "xraykit-xvr"))
    except FileError as error:
        print(error)


if __name__ == "__main__":
    main(Path("out"))
