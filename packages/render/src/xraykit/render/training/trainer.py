"""Train with Lightning: devices, precision, accumulation, exact resume and a budget of wall time for any task.

Lightning loads much else, so `fit` imports it, and the class that needs it is made there.
"""

from __future__ import annotations

import logging
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import torch
from torch import Tensor

from ..extras import require
from ..storage.folder_lock import hold_folder, release_folder
from .checkpoint import CHECKPOINT, WEIGHTS, checkpoint_io
from .course import Course
from .curve import write_report
from .devices import is_follower
from .folder import EVENTS, TrainingRun
from .inputs import TrainingInputs
from .journal import Journal
from .settings import LengthSettings, RunSettings, check_length, completed_run
from .step import TrainingFailedError, seeded
from .task import TrainingTask


class BatchNumbers:
    """Batch numbers for Lightning's loop; the batches themselves are made in the training step."""

    def __iter__(self) -> Iterator[int]:
        return count()


def fit(
    task: TrainingTask,
    run: RunSettings,
    length: LengthSettings,
    *,
    report: Callable[[int, int], None] | None = None,
    begun: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    inputs: TrainingInputs | None = None,
) -> TrainingRun:
    """Train until the last batch or the end of the time, and leave curve, checkpoint, weights and report in the folder.

    A training that was interrupted, killed even, goes on from its last checkpoint bit for bit as if nothing had been,
    on one type of CPU or GPU, if `run.resume` says so.

    Args:
        task: What is trained.
        run: Machine and folder; see `prepare_folder`, which makes it.
        length: How long, and when to validate and save.
        report: Called with (batches done, batches in all) after each batch.
        begun: Reading of `clock` when the budget of wall time began; None is now.
        clock: Seconds.
        inputs: What was assumed of the inputs and what is left out; more may come while it trains.

    Raises:
        InputError: Settings outside their range.
        BackendUnavailableError: lightning or tensorboard is not installed.
        TrainingFailedError: The loss is not finite.
        OutputError: The folder cannot be written.
    """
    require("tensorboard", extra="train")
    require("lightning", extra="train")
    import lightning

    check_length(length)
    run = completed_run(run)
    seconds = None if length.minutes is None else 60 * length.minutes
    course = Course(steps=length.steps, seconds=seconds, begun=begun, clock=clock)
    inputs = inputs or TrainingInputs()
    if run.resume:
        inputs.read(run.output)
    journal = Journal(task, run, length, course, report=report, inputs=inputs)
    checkpoint = run.output / CHECKPOINT if run.resume else None
    if not is_follower():
        hold_folder(run.output)
    try:
        with _quiet_lightning():
            trainer = _trainer(lightning, run, length)
            adapter = _adapter(lightning, task, journal, run)
            with _interrupts_as_such():
                trainer.fit(adapter, train_dataloaders=BatchNumbers(), ckpt_path=checkpoint, weights_only=True)
    finally:
        release_folder(run.output)
    rows, left_out = tuple(journal.rows), tuple(inputs.left_out)
    done = TrainingRun(run.output, run.output / WEIGHTS, rows, journal.done, course.elapsed, left_out)
    if trainer.is_global_zero:
        said = [*inputs.lines, *(f"{name} was left out: {reason}" for name, reason in left_out)]
        write_report(run.output, rows, batches=done.batches, seconds=done.seconds, inputs=said)
    return done


@contextmanager
def _interrupts_as_such() -> Iterator[None]:
    """Lightning answers Ctrl-C with SystemExit, and with deafness from then on."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _trainer(lightning: Any, run: RunSettings, length: LengthSettings) -> Any:
    trainer = lightning.Trainer(
        accelerator="gpu" if run.device == "cuda" else "cpu",
        devices=run.devices,
        num_nodes=run.nodes,
        strategy=run.strategy,
        precision=run.precision,
        accumulate_grad_batches=length.accumulate,
        max_epochs=-1,  # the journal stops it
        limit_val_batches=0,
        logger=lightning.pytorch.loggers.TensorBoardLogger(run.output, name="", version=EVENTS),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    with suppress(NotImplementedError):  # of strategies that write checkpoints themselves
        trainer.strategy.checkpoint_io = checkpoint_io(lightning)
    return trainer


def _adapter(lightning: Any, task: TrainingTask, journal: Journal, run: RunSettings) -> Any:
    class TaskModule(lightning.LightningModule):
        """The task as Lightning sees it."""

        def __init__(self) -> None:
            super().__init__()
            self.module = task.module

        def setup(self, stage: str) -> None:
            task.open(self.global_rank, self.trainer.world_size, self.trainer.strategy.root_device)

        def on_train_start(self) -> None:
            journal.begin(self.trainer)

        def training_step(self, batch: object, batch_idx: int) -> Tensor:
            with seeded(run.seed, self.global_rank, journal.done, self.device):
                loss = task.step(journal.done, journal.progress)
            journal.after_loss({**task.terms, "loss": loss})
            if not bool(torch.isfinite(loss)):
                raise TrainingFailedError.of("loss", f"{float(loss.detach())}", journal.done, task.batch_names())
            return loss

        def configure_optimizers(self) -> Any:
            return task.optimizer()

        def on_before_optimizer_step(self, optimizer: Any) -> None:
            rate = task.rate(journal.progress, self.global_step)
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("rate_scale", 1.0)

        def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
            task.before_step(optimizer, journal.progress, self.global_step)

        def optimizer_step(self, *arguments: Any, **named: Any) -> None:
            super().optimizer_step(*arguments, **named)
            task.after_step(journal.progress)

        def on_train_batch_end(self, *_: Any) -> None:
            journal.after_batch(self.trainer)

        def on_train_end(self) -> None:
            journal.end(self.trainer)

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["xraykit"] = {"journal": journal.state_dict(), "task": task.state_dict()}

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            journal.load_state_dict(checkpoint["xraykit"]["journal"])
            task.load_state_dict(checkpoint["xraykit"]["task"])

    return TaskModule()


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Its hints and adverts are no business of whoever trains; warnings stay."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning makes a leaf of torch's own trees by a class that torch has renamed since.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            # A task that keeps a part of its network as it is does so on purpose.
            warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode at the start of training")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
