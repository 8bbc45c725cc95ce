"""Small trainings of fluorosam's encoders; run as a script it trains on texts and can kill itself."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from xraykit.fluorosam.network.config import FluoroSamConfig, QuantiserConfig, TextConfig, TrunkConfig
from xraykit.fluorosam.network.network import new_network
from xraykit.fluorosam.network.network_weights import save_network
from xraykit.fluorosam.train.encoder_settings import (
    EncoderDataSettings,
    EncoderLengthSettings,
    EncoderNetworkSettings,
    EncoderPretrainSettings,
)
from xraykit.fluorosam.train.words_settings import (
    TextCorpusSettings,
    TextLengthSettings,
    TextNetworkSettings,
    TextPretrainSettings,
)
from xraykit.render.training import RunSettings

TINY = FluoroSamConfig(
    image_size=64,
    grid=16,
    dimension=32,
    neck_width=16,
    neck_blocks=1,
    decoder_width=32,
    heads=2,
    trunk=TrunkConfig("conv", width=8, depths=(1, 1, 1, 1)),
    text=TextConfig(width=32, layers=1, heads=2, dimension=32, token_width=8, context=48, frozen=False),
    quantiser=QuantiserConfig(codes=16),
)


def tiny_start(folder: Path) -> str:
    """Weights of a network of a few thousand numbers, beside its vocabulary."""
    save_network(new_network(TINY, seed=1), folder)
    return str(folder)


def quick_words(out: Path, start: str, *, steps: int = 6, resume: bool = False) -> TextPretrainSettings:
    """A text encoder's training of seconds."""
    return TextPretrainSettings(
        corpus=TextCorpusSettings(short=4, long=2, view_texts=0, held_out=1),
        network=TextNetworkSettings(start=start),
        length=TextLengthSettings(steps=steps, batch=32, validate_every=3, warmup=1),
        run=RunSettings(out, device="cpu", precision="32-true", workers=0, resume=resume),
    )


def quick_encoder(
    out: Path, job: Path, start: Path, *, steps: int = 6, changed: bool = True
) -> EncoderPretrainSettings:
    """An image encoder's training of seconds; `start` is of a tiny network."""
    return EncoderPretrainSettings(
        data=EncoderDataSettings((str(job),), held_out_share=0.1, held_out_images=4, changed=changed),
        network=EncoderNetworkSettings(start=str(start)),
        length=EncoderLengthSettings(steps=steps, batch=4, validate_every=3, warmup=1),
        run=RunSettings(out, device="cpu", precision="32-true", workers=0),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("start")
    parser.add_argument("--kill", type=int)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    from xraykit.fluorosam.train.words_training import pretrain_text

    def report(done: int, total: int) -> None:
        if done == args.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    pretrain_text(quick_words(args.out, args.start, resume=args.resume), report=report)


if __name__ == "__main__":
    main()
