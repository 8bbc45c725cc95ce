"""X-rays in, a table of features out: in batches, and after an interruption from where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from xraykit.render import InputError, OutputError
from xraykit.render.storage import check_result_folder, held_folder, installed_version
from xraykit.render.training import check_positive

from ..data.xrays import XrayCollection, find_xrays
from ..network.backbone import Backbone
from ..predictor import XrayEmbedder
from .identity import backbone_digest
from .network_inputs import input_batches
from .partial_table import PartialTable, part_folder
from .settings import BackboneRunSettings, EmbedSettings, XraySourceSettings
from .table import Embeddings, check_table_path, write_embeddings

FORMAT = 1  # a new number where the same inputs give other features


@dataclass(frozen=True, eq=False)
class EmbeddedXrays:
    """What `embed` did: the table, where it lies, and how many X-rays an earlier run had done."""

    table: Embeddings
    path: Path
    resumed: int


def embed(settings: EmbedSettings, *, report: Callable[[int, int], None] | None = None) -> EmbeddedXrays:
    """Write the features of all X-rays that the sources name as a table.

    Until it is whole, its rows lie in the folder OUTPUT.part; a run that was killed goes on there with `resume` and
    gives the table that an undisturbed one on the same machine gives. No row is written before the first batch is
    done.

    Args:
        settings: All there is to say.
        report: Called with (X-rays done, X-rays in all) before the first and after each batch.

    Raises:
        InputError: No X-rays, an option outside its range, or a resume with other weights or inputs.
        FileError: Weights or an X-ray that cannot be read. OutputError: The table cannot be written, or another
            process is writing it.
        BackendUnavailableError: pyarrow is needed and not installed.
    """
    output = check_table_path(settings.output)
    check_positive(settings.run, ("batch",))
    if output.is_dir():
        raise OutputError(f"{output} must be a table to write, got a folder; add a file name.")
    check_result_folder(output.parent)
    embedder = open_embedder(settings.run)
    backbone = embedder.backbone
    xrays = open_xrays(settings.xrays, backbone)
    digest = backbone_digest(backbone)
    identity = {
        "format": FORMAT,
        "backbone": digest,
        "inputs": xrays.digest(),
        "batch": settings.run.batch,
        "on_error": settings.xrays.on_error,
    }
    record = {
        "format": FORMAT,
        "backbone": digest,
        "weights": settings.run.weights,
        "config": asdict(backbone.config),
        "version": installed_version("xraykit-dax"),
    }
    with held_folder(part_folder(output)):
        partial = PartialTable(output, identity, backbone.dimension, resume=settings.resume)
        resumed = partial.done
        _compute(xrays, embedder, partial, settings.run.batch, report or (lambda done, total: None))
        table = partial.table(record)
        if len(table):
            write_embeddings(output, table)
        partial.remove()
    if not len(table):
        raise InputError(f"at least one X-ray must be readable, got {len(xrays)} damaged ones; nothing was written.")
    return EmbeddedXrays(table, output, resumed)


def open_embedder(settings: BackboneRunSettings, backbone: Backbone | str | None = None) -> XrayEmbedder:
    """The backbone that settings name, or another one, on their device and for the field that they ask for.

    Raises:
        FileError: No such weights. InputError: No such device.
    """
    embedder = XrayEmbedder(settings.weights if backbone is None else backbone, device=settings.device)
    if settings.field is not None:
        config = embedder.backbone.config
        embedder.backbone.config = replace(config, preprocess=replace(config.preprocess, field=settings.field))
    return embedder


def open_xrays(settings: XraySourceSettings, backbone: Backbone) -> XrayCollection:
    """The X-rays that settings name, with their exposed field if the backbone's preprocessing looks at it.

    Raises:
        InputError: No X-rays. FileError: A source that is not there.
    """
    return find_xrays(
        settings.sources,
        frames=settings.frames,
        polarity=settings.polarity,
        field=backbone.config.preprocess.field == "exposed",
        skip_damaged=settings.on_error == "skip",
    )


def _compute(
    xrays: XrayCollection, embedder: XrayEmbedder, partial: PartialTable, batch: int, report: Callable[[int, int], None]
) -> None:
    report(partial.done, len(xrays))
    for one in input_batches(xrays, embedder.backbone.config.preprocess, batch=batch, start=partial.done):
        features = torch.empty(0, embedder.backbone.dimension)
        if one.facts:
            features = embedder.features(one.inputs).pooled.cpu()
        if not bool(features.isfinite().all()):
            bad = one.facts[int((~features.isfinite().all(1)).nonzero()[0])].name
            raise InputError(f"the backbone must give finite features, got others for {bad}; was its training stable?")
        partial.append(one, features.numpy())
        report(one.end, len(xrays))
