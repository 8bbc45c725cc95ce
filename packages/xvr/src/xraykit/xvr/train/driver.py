"""How Lightning drives a training: thin hooks that hand its events to the training and its journal.

Lightning loads much else, so it is imported where it is used, and the classes that need it are made there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .journal import Journal
from .module import PoseTraining
from .settings import TrainSettings

if TYPE_CHECKING:
    import lightning as L


class Endless:
    """Batch numbers for Lightning's loop; the batches themselves are made in the training step."""

    def __iter__(self) -> Iterator[int]:
        return count()


def fit(training: PoseTraining, journal: Journal, settings: TrainSettings, *, checkpoint: Path | None) -> None:
    """Run the training until the journal stops it.

    Args:
        training: What is trained.
        journal: What is written meanwhile.
        settings: Machine and precision; complete ones.
        checkpoint: Where to go on from; None begins.
    """
    import lightning as L
    from lightning.pytorch.loggers import TensorBoardLogger

    trainer = L.Trainer(
        accelerator="gpu" if settings.device == "cuda" else "cpu",
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=settings.strategy,
        precision=settings.precision,  # type: ignore[arg-type]
        accumulate_grad_batches=settings.accumulate,
        max_epochs=1,  # an epoch without end
        limit_val_batches=0,
        logger=TensorBoardLogger(settings.output, name="", version="tensorboard"),
        callbacks=[_callback(training, journal)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    with warnings.catch_warnings():
        # Lightning makes a leaf of torch's own trees by a class that torch has renamed since.
        warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
        trainer.fit(_module(training), train_dataloaders=Endless(), ckpt_path=checkpoint, weights_only=True)


def _module(training: PoseTraining) -> L.LightningModule:
    import lightning as L

    class Taught(L.LightningModule):
        """The training as Lightning sees it."""

        def __init__(self) -> None:
            super().__init__()
            self.pose_training = training

        def setup(self, stage: str) -> None:
            training.open_source(self.global_rank, self.trainer.world_size)

        def training_step(self, batch: object, batch_idx: int) -> Tensor:
            return training.step()

        def configure_optimizers(self) -> Any:
            return training.optimizer()

        def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
            training.clip_gradients()

        def on_before_optimizer_step(self, optimizer: Any) -> None:
            for group in optimizer.param_groups:
                group["lr"] = training.rate(self.global_step)

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["xraykit"] = training.position()

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            training.go_on_at(checkpoint["xraykit"])

    return Taught()


def _callback(training: PoseTraining, journal: Journal) -> L.Callback:
    import lightning as L

    class Told(L.Callback):
        """The journal as Lightning sees it."""

        def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            journal.begin(trainer, training)

        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            journal.after_batch(trainer, training)

        def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            journal.end(trainer, training)

        def state_dict(self) -> dict[str, Any]:
            return journal.state_dict()

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            journal.load_state_dict(state_dict)

    return Told()
