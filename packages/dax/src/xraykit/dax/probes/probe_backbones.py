"""From the names of backbones to their features, one backbone at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from xraykit.render import InputError
from xraykit.render.commands import LeftOut
from xraykit.render.storage import check_result_folder
from xraykit.render.training import chosen_device

from ..data.settings import PreprocessSettings
from ..data.stage_told import StageTold
from .coco_images import images_of_coco
from .feature_making import make_features
from .feature_store import FeatureStore
from .folds import check_labels, grouped_folds
from .job_images import ProbeTruth, images_of_job
from .probe_set import ProbeSet
from .report_pictures import require_pictures
from .settings import MetalProbeSettings, ProbeInputs, RegionProbeSettings, ScrewProbeSettings
from .table_images import images_of_table

WEIGHTS = "weights"  # what every training calls its folder of weights
ProbeSettings = RegionProbeSettings | MetalProbeSettings | ScrewProbeSettings


def silent(_: str, __: int, ___: int) -> None:
    """Tell nobody."""


def open_stores(
    settings: ProbeSettings,
    truth: ProbeTruth,
    *,
    report: StageTold,
    say: Callable[[str], None] | None,
    load: Callable[[str], nn.Module] | None,
    left_out: LeftOut | None,
) -> Iterator[tuple[str, FeatureStore]]:
    """What a probe's command begins with: pictures can be drawn, the folder can be written, and `stores`."""
    require_pictures()
    check_result_folder(settings.output)
    return stores(
        settings.data,
        settings.backbones,
        truth,
        settings.inputs,
        cache=settings.output / "features",
        folds=settings.folds,
        seed=settings.seed,
        report=report,
        say=say,
        load=load,
        left_out=left_out,
    )


def stores(
    data: Path,
    backbones: Sequence[str],
    truth: ProbeTruth,
    inputs: ProbeInputs,
    *,
    cache: Path,
    folds: int = 1,
    seed: int = 0,
    report: StageTold = silent,
    say: Callable[[str], None] | None = None,
    load: Callable[[str], nn.Module] | None = None,
    left_out: LeftOut | None = None,
) -> Iterator[tuple[str, FeatureStore]]:
    """Each backbone's short name and features, made when it is asked for.

    Args:
        data: A folder of a data set, a CSV file, or a COCO file.
        backbones: Sources, see `network.load_backbone`.
        truth: What the probe asks for.
        inputs: Which images.
        cache: Where features are kept, unless `inputs` says another place.
        folds: How many will be made of the patients; that they can be is seen before anything is computed. 1 is none.
        seed: Of the folds.
        report: Told of each batch.
        say: Called with how large the features of each backbone will be.
        load: A backbone with `config.preprocess` from its source; None is `network.load_backbone`.
        left_out: Takes the shards of a data set that are damaged, and the images of a list that cannot be read.

    Raises:
        InputError: No backbones, one twice, maps of inputs of several sizes, a table for a probe that needs a data set,
            or patients and labels that no folds can be made of.
        FileError: Data or weights that cannot be read.
        OutputError: The cache cannot be written to.
    """
    names, load = short_names(backbones), load or _loaded
    device, networks = chosen_device(inputs.device), [load(source) for source in backbones]
    if truth != "region":
        _check_sizes(networks, inputs)
    for place, (name, backbone) in enumerate(zip(names, networks, strict=True)):
        images = probe_images(data, truth, backbone, inputs)
        if left_out is not None:
            left_out.found += images.left_out
        if folds > 1 and place == 0 and images.cases is not None:
            patients, labels = zip(*images.cases(), strict=True)
            if truth == "region":
                check_labels(labels)
            grouped_folds(patients, labels if truth == "region" else None, folds=folds, seed=seed)
        yield (
            name,
            make_features(
                backbone,
                images,
                inputs.cache or cache,
                maps=truth != "region",
                batch=inputs.feature_batch,
                device=device,
                report=lambda done, total, name=name: report(f"features of {name}", done, total),
                say=None if say is None else lambda sentence, name=name: say(f"{name}: {sentence}"),
                left_out=left_out,
            ),
        )


def probe_images(data: Path, truth: ProbeTruth, backbone: nn.Module, inputs: ProbeInputs) -> ProbeSet:
    """The images of a data set or table, as a backbone's config wants them.

    Raises:
        InputError: A table for the screw probe, or a COCO file for another.
        FileError: Data that cannot be read.
    """
    preprocess: PreprocessSettings = backbone.config.preprocess  # type: ignore[union-attr, assignment]
    asked = {"size": inputs.size, "field": inputs.field}
    preprocess = replace(preprocess, **{name: value for name, value in asked.items() if value is not None})
    if data.suffix.lower() not in (".csv", ".json"):
        return images_of_job(data, truth, preprocess, split=inputs.split, limit=inputs.limit)
    if (data.suffix.lower() == ".json") != (truth == "screws"):
        wanted = "a COCO keypoint file (.json)" if truth == "screws" else "a table (.csv)"
        raise InputError(f"the {truth} probe needs the folder of a data set or {wanted}, got {data}.")
    if truth == "screws":
        return images_of_coco(data, preprocess, limit=inputs.limit)
    return images_of_table(data, preprocess, masks=truth == "metal", limit=inputs.limit)


def short_names(sources: Sequence[str]) -> list[str]:
    """The last part of each source, of weights of a run the run's, where that tells them apart; else all of it.

    Raises:
        InputError: No sources, or one twice.
    """
    if not sources or len(set(sources)) < len(sources):
        raise InputError(f"a probe compares one backbone or more, each once, got {', '.join(sources) or 'none'}.")
    last = [_last_part(Path(source)) or source for source in sources]
    return last if len(set(last)) == len(last) else list(sources)


def _last_part(source: Path) -> str:
    return source.parent.name or source.name if source.name == WEIGHTS else source.name


def _check_sizes(backbones: Sequence[nn.Module], inputs: ProbeInputs) -> None:
    """Raise InputError where a pixel would not mean the same to all backbones."""
    sizes = sorted({backbone.config.preprocess.size for backbone in backbones})  # type: ignore[union-attr]
    if inputs.size is None and len(sizes) > 1:
        raise InputError(
            f"backbones are compared on images of one size, got inputs of {', '.join(map(str, sizes))} px; say --size."
        )


def _loaded(source: str) -> nn.Module:
    from ..network import load_backbone

    return load_backbone(source)
