# Made by tools/make_stubs.py from the table in __init__.py.
from .batches import (
    BatchSource as BatchSource,
    StoredBatches as StoredBatches,
    existing_split as existing_split,
)
from .course import Course as Course
from .devices import (
    chosen_device as chosen_device,
    chosen_precision as chosen_precision,
    is_follower as is_follower,
    wait_for_first as wait_for_first,
)
from .folder import (
    TrainingRun as TrainingRun,
    check_folder as check_folder,
    checked_run as checked_run,
    prepare_folder as prepare_folder,
)
from .held_out import hold_out_patients as hold_out_patients
from .inputs import TrainingInputs as TrainingInputs
from .parameter_groups import group_parameters as group_parameters
from .schedule import (
    Schedule as Schedule,
    warmup_cosine as warmup_cosine,
)
from .settings import (
    LengthSettings as LengthSettings,
    RunSettings as RunSettings,
    check_length as check_length,
    check_positive as check_positive,
    completed_run as completed_run,
)
from .step import (
    TrainingFailedError as TrainingFailedError,
    clip_adaptively as clip_adaptively,
)
from .task import TrainingTask as TrainingTask
from .trainer import fit as fit
from .worker_batches import (
    WorkerBatches as WorkerBatches,
    one_thread as one_thread,
)
