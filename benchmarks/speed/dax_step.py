"""A whole training step of ViT-T/16 with 2 + 6 crops: ours against the published order of operations, same weights.

python -m benchmarks.speed.dax_step                # 65,536 prototypes, 8 images at a time, fp32 and bf16
python -m benchmarks.speed.dax_step --quick        # small, to see that it runs
python -m benchmarks.speed.dax_step --device cuda  # the paper's architectures in images per second as well

Both start from the same weights and see the same crops; the losses of the first steps stand in the same row.
"""

from __future__ import annotations

import argparse
import time
from copy import deepcopy
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from xraykit.dax.data import MultiCropSettings, PreprocessSettings
from xraykit.dax.loss import Center, dino_loss, view_statistics
from xraykit.dax.network import BackboneConfig, new_backbone
from xraykit.dax.network.dino_head import DinoHead
from xraykit.dax.train.branch import Branch
from xraykit.dax.train.optimizers import clip_each, make_optimizer
from xraykit.dax.train.teacher import start_teacher, update_teacher

from ..common.dax_plain import PlainBranch, PlainLoss, materialise_attention, plain_step
from ..common.progress import say
from ..common.result import RESULTS, Start, save

LOCALS, TEMPERATURE, CLIP, MOMENTUM, RATE, DECAY = 6, 0.04, 3.0, 0.996, 5e-4, 0.04


class OurStep:
    """The step as `DinoTask` makes it, without the trainer around it."""

    def __init__(self, architecture: str, outputs: int, device: str, precision: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        settings = PreprocessSettings(size=224)
        backbone = new_backbone(BackboneConfig(architecture, preprocess=settings), seed=seed)
        head = DinoHead(backbone.dimension, outputs)
        self.student = Branch(backbone, head).to(device).train()
        self.teacher = deepcopy(self.student)
        start_teacher(self.teacher, self.student)
        self.center = Center(outputs).to(device)
        self.optimizer = make_optimizer("adamw", self.student, rate=RATE, weight_decay=DECAY)
        self.device, self.low = torch.device(device), precision == "bf16"

    def __call__(self, crops: list[Tensor]) -> float:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.low):
            with torch.no_grad():
                taught = self.teacher(crops[:2])
            told = self.student(crops)
            targets = self.center.probabilities(taught.logits.chunk(2), TEMPERATURE)
            loss = dino_loss(told.logits, targets)
            self.center.update(taught.logits)
            views = told.logits.unflatten(0, (-1, len(crops[0])))[:, :8]
            view_statistics(views, [view[:8] for view in targets])
        self.optimizer.zero_grad()
        loss.backward()
        clip_each(self.student.parameters(), CLIP)
        self.optimizer.step()
        update_teacher(self.teacher, self.student, MOMENTUM)
        return float(loss.detach())


class PlainStep:
    """The published order, from the weights of one of ours."""

    def __init__(self, ours: OurStep, architecture: str, outputs: int) -> None:
        config = BackboneConfig(architecture, channels=3, preprocess=PreprocessSettings(size=224))
        branches = []
        for own in (ours.student, ours.teacher):
            backbone = new_backbone(config, seed=0)
            state = dict(own.backbone.network.state_dict())
            name = "patch_embed.proj.weight" if "patch_embed.proj.weight" in state else "conv1.weight"
            state[name] = state[name].expand(-1, 3, -1, -1) / 3
            backbone.network.load_state_dict(state)
            if architecture.startswith("vit"):
                materialise_attention(backbone.network)
            branches.append(PlainBranch(backbone, deepcopy(own.head)).to(ours.device).train())
        self.student, self.teacher = branches
        self.loss = PlainLoss(outputs, 2 + LOCALS).to(ours.device)
        self.optimizer = make_optimizer("adamw", self.student, rate=RATE, weight_decay=DECAY)
        for group in self.optimizer.param_groups:
            group["foreach"] = False

    def __call__(self, crops: list[Tensor]) -> float:
        return plain_step(
            self.student, self.teacher, self.loss, self.optimizer, crops,
            temperature=TEMPERATURE, clip=CLIP, momentum=MOMENTUM,
        )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.dax_step", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--outputs", type=int, default=65_536)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    if asked.quick:
        asked.outputs, asked.batch, asked.rounds = 1024, 2, 1
    start = Start.now()
    rows = pair_rows("vit_tiny16", asked)
    ratios = [
        {"what": f"training step, ViT-T/16, {row['precision']}", "ours": row["precision"], "other": "published order",
         "ratio": round(rows[0]["ms"] / row["ms"], 3)}
        for row in rows[1:]
    ]  # fmt: skip
    say("\n".join(str({key: value for key, value in row.items() if key != "all_ms"}) for row in rows))
    say("\n".join(str(ratio) for ratio in ratios))
    scene = {"name": f"{asked.batch} images, 2 x 224 + {LOCALS} x 96 px, {asked.outputs} prototypes"}
    output = asked.output or RESULTS / f"dax_step--{asked.device}.json"
    mode = "quick" if asked.quick else "full"
    save(start.result("dax_step", rows, device=asked.device, mode=mode, threads={"torch": asked.threads}, scene=scene,
                      ratios=ratios), output)  # fmt: skip
    say(f"wrote {output}")


def pair_rows(architecture: str, asked: argparse.Namespace) -> list[dict]:
    """Published order, ours in fp32, ours in bf16: a step of each in turn, on the same crops."""
    ours = OurStep(architecture, asked.outputs, asked.device, "fp32")
    steps = {
        "published order, fp32": PlainStep(ours, architecture, asked.outputs),
        "ours, fp32": ours,
        "ours, bf16": OurStep(architecture, asked.outputs, asked.device, "bf16"),
    }
    settings = MultiCropSettings(local_crops=LOCALS)
    times: dict[str, list[float]] = {name: [] for name in steps}
    losses: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(asked.rounds + 1):
        crops = random_crops(settings, asked.batch, number, asked.device)
        for name, step in steps.items():
            begun = time.perf_counter()
            losses[name].append(step(crops))
            if number:
                times[name].append((time.perf_counter() - begun) * 1e3)
    first = losses["published order, fp32"]
    return [
        {
            "architecture": architecture, "work": name, "precision": name.rpartition(" ")[2], "batch": asked.batch,
            "outputs": asked.outputs, "ms": round(median(times[name]), 2),
            "images_per_s": round(asked.batch * 1e3 / median(times[name]), 3),
            "all_ms": [round(ms, 2) for ms in times[name]], "losses": [round(loss, 6) for loss in losses[name]],
            "largest_loss_difference": max(abs(a - b) for a, b in zip(losses[name], first, strict=True)),
        }
        for name in steps
    ]  # fmt: skip


def random_crops(settings: MultiCropSettings, batch: int, seed: int, device: str) -> list[Tensor]:
    """Smooth noise in [0, 1]: what the crops show has no say in the time."""
    draw = torch.Generator().manual_seed(seed)
    sizes = [settings.global_size] * 2 + [settings.local_size] * settings.local_crops
    coarse = [torch.rand(batch, 1, 12, 12, generator=draw) for _ in sizes]
    return [
        torch.nn.functional.interpolate(image, size=(size, size), mode="bilinear").to(device)
        for image, size in zip(coarse, sizes, strict=True)
    ]


if __name__ == "__main__":
    main()
