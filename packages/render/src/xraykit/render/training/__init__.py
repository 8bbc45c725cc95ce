"""Training of a network: a method says what one step is, the rest is here. Needs the extra xraykit-render[train]."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "batches": "BatchSource existing_split StoredBatches",
        "course": "Course",
        "devices": "chosen_device chosen_precision is_follower wait_for_first",
        "folder": "check_folder checked_run prepare_folder TrainingRun",
        "held_out": "hold_out_patients",
        "inputs": "TrainingInputs",
        "parameter_groups": "group_parameters",
        "schedule": "Schedule warmup_cosine",
        "settings": "check_length check_positive completed_run LengthSettings RunSettings",
        "step": "clip_adaptively TrainingFailedError",
        "task": "TrainingTask",
        "trainer": "fit",
        "worker_batches": "one_thread WorkerBatches",
    },
)
