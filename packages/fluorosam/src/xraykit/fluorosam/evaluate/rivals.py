"""Other people's models in the same table, where the user has their packages and weights: SAM, MedSAM, FleXray."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import BackendUnavailableError, FileError

from ..vocabulary.targets import all_targets
from .cases import SegmentationCase
from .methods import MaskAnswer, MaskQuestion
from .settings import AskKind

SamKind = Literal["sam", "medsam"]
_SAM_KINDS: dict[SamKind, frozenset[AskKind]] = {"sam": frozenset({"box", "points"}), "medsam": frozenset({"box"})}
_SHAPES = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}  # by the channels of its patches
MEDSAM_EDGE = 1024
_FLEXRAY_NAMES = {
    "humeri": "humerus", "radii": "radius", "ulnae": "ulna", "tibiae": "tibia", "femurs": "femur",
    "patellae": "patella", "fibulae": "fibula",
    "carpals": "carpal", "metacarpals": "metacarpal", "phalanges": "phalanges_hand",
    "tarsals": "tarsal", "metatarsals": "metatarsal", "toes": "phalanges_feet", "hips": "hip", "kidneys": "kidney",
    "scapulae": "scapula", "clavicles": "clavicula",
}  # fmt: skip


class PointPredictor(Protocol):
    """What `segment_anything.SamPredictor` is: an image, then masks for points and boxes, in the image's pixels."""

    def set_image(self, image: NDArray[np.uint8]) -> None:
        """(H, W, 3)."""
        ...

    def predict(
        self,
        point_coords: NDArray[Any] | None = None,
        point_labels: NDArray[Any] | None = None,
        box: NDArray[Any] | None = None,
        mask_input: NDArray[Any] | None = None,
        multimask_output: bool = True,
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Masks (C, H, W), their quality (C,), logits (C, 256, 256)."""
        ...


class SamMethod:
    """Segment Anything or MedSAM: the X-ray bone bright as 8-bit grey, its 0.5th to 99.5th percentile.

    SAM gets points with its logits of the answer before, and boxes, and gives the best of three masks for one point or
    a box, one mask for more. MedSAM gets boxes alone, as it was trained, on the image squashed to 1024 x 1024 between
    its extremes.

    Args:
        predictor: See `PointPredictor`.
        kind: "sam" or "medsam".

    Source: Kirillov et al., ICCV 2023; Ma et al., Nature Communications 2024.
    """

    def __init__(self, predictor: PointPredictor, *, kind: SamKind = "sam") -> None:
        self.predictor, self.kind = predictor, kind
        self.name = {"sam": "SAM", "medsam": "MedSAM"}[kind]
        self.kinds: frozenset[AskKind] = _SAM_KINDS[kind]
        self._size = (0, 0)

    def look(self, case: SegmentationCase) -> None:
        """Encode the image."""
        self._size = (case.image.shape[0], case.image.shape[1])
        grey = grey_picture(case)
        if self.kind == "medsam":
            whole = (MEDSAM_EDGE, MEDSAM_EDGE)
            grey = F.interpolate(grey[None, None], whole, mode="bicubic", antialias=True)[0, 0].clamp(0, 1)
            grey = (grey - grey.min()) / (grey.max() - grey.min()).clamp(min=1e-8)
        codes = (grey * 255).round().to(torch.uint8).numpy()
        self.predictor.set_image(np.repeat(codes[..., None], 3, axis=2))

    def answer(self, questions: Sequence[MaskQuestion]) -> list[MaskAnswer]:
        """One after another, as these predictors do."""
        return [self._answer(one) for one in questions]

    def _answer(self, question: MaskQuestion) -> MaskAnswer:
        before = None if question.before is None else question.before.state
        several = self.kind == "sam" and before is None
        scale = np.ones(4)
        if self.kind == "medsam":
            height, width = self._size
            scale = np.array([MEDSAM_EDGE / width, MEDSAM_EDGE / height] * 2)
        masks, quality, logits = self.predictor.predict(
            point_coords=None if question.points is None else question.points.numpy(),
            point_labels=None if question.labels is None else question.labels.numpy(),
            box=None if question.box is None else question.box.numpy() * scale,
            mask_input=before,
            multimask_output=several,
        )
        best = int(np.argmax(quality))
        mask = torch.from_numpy(np.asarray(masks[best]) > 0)
        if self.kind == "medsam":
            mask = F.interpolate(mask[None, None].float(), self._size, mode="bilinear")[0, 0] > 0.5
        return MaskAnswer(mask, float(np.clip(quality[best], 0, 1)), state=logits[best : best + 1])


class FleXrayMethod:
    """FleXray: 60 classes without sides, asked for by their names; other targets are left out of its rows.

    Args:
        segmenter: `fxr.inference.FleXraySegmenter`.

    Source: Butoi et al., "FleXray: Universal Clinical X-ray Segmentation".
    """

    name = "FleXray"
    kinds: frozenset[AskKind] = frozenset({"text"})

    def __init__(self, segmenter: Any) -> None:
        self.segmenter = segmenter
        names = tuple(segmenter.label_names or ())
        self._channels = {target: n for n, name in enumerate(names) if (target := flexray_target(name))}
        self._probabilities, self._size = torch.empty(0), (0, 0)

    def look(self, case: SegmentationCase) -> None:
        """Segment every class; the image is put in the middle of a square, as its preprocessing does."""
        height, width = self._size = (case.image.shape[0], case.image.shape[1])
        side = max(height, width)
        square = torch.zeros(side, side)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = grey_picture(case)
        found = self.segmenter.predict((square * 255).round().to(torch.uint8).numpy()).probabilities
        whole = F.interpolate(found.float().cpu(), (side, side), mode="bilinear")[0]
        self._probabilities = whole[:, top : top + height, left : left + width]

    def answer(self, questions: Sequence[MaskQuestion]) -> list[MaskAnswer | None]:
        """Pixels of probability 0.5 and more; None for what is no class."""
        return [self._answer(one.target) for one in questions]

    def _answer(self, target: str) -> MaskAnswer | None:
        if target not in self._channels:
            return None
        mask = self._probabilities[self._channels[target]] >= 0.5
        return MaskAnswer(mask, visible=bool(mask.any()))


def flexray_target(name: str) -> str | None:
    """Our target of a class of FleXray; None where we have none."""
    if name.startswith("vertebra_"):
        name = f"vertebrae_{name.removeprefix('vertebra_').upper()}"
    name = _FLEXRAY_NAMES.get(name, name)
    return name if name in all_targets() else None


def load_sam(path: str | Path, *, kind: SamKind, device: str = "cpu") -> SamMethod:
    """Segment Anything or MedSAM from a checkpoint, which is read without running anything in it.

    Raises:
        FileError: No checkpoint of one of the three sizes. BackendUnavailableError: segment-anything is not installed.
    """
    sam = _package("segment_anything", "segment-anything", f"--{kind}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = _SHAPES[state["image_encoder.pos_embed"].shape[-1]]
        network = sam.sam_model_registry[model]()
        network.load_state_dict(state)
    except Exception as error:
        raise FileError(f"{path} must be a checkpoint of Segment Anything, got another ({_brief(error)}).") from error
    return SamMethod(sam.SamPredictor(network.to(device).eval()), kind=kind)


def load_flexray(path: str | Path, *, device: str = "cpu") -> FleXrayMethod:
    """FleXray from a folder of its weights.

    Raises:
        FileError: No such weights. BackendUnavailableError: flexray is not installed.
    """
    package = _package("fxr.inference", "flexray", "--flexray")
    try:
        return FleXrayMethod(package.FleXraySegmenter.from_pretrained(str(path), device=device))
    except Exception as error:
        raise FileError(f"{path} must be a folder of FleXray's weights, got another ({_brief(error)}).") from error


def grey_picture(case: SegmentationCase) -> Tensor:
    """The X-ray as a picture (H, W) in [0, 1], bone bright: its 0.5th to 99.5th percentile."""
    image = case.image.float().cpu() if case.bone == "bright" else -case.image.float().cpu()
    sampled = image.flatten()[:: max(1, image.numel() // 1_000_000)]
    low, high = torch.quantile(sampled, torch.tensor([0.005, 0.995])).tolist()
    return ((image - low) / max(high - low, 1e-8)).clamp(0, 1)


def _package(module: str, distribution: str, what: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise BackendUnavailableError(
            f"{what} needs {distribution}, which is not installed; run: pip install {distribution}."
        ) from error


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
