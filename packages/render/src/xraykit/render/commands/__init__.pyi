# Made by tools/make_stubs.py from the table in __init__.py.
from .display import (
    has_display as has_display,
    serve_until_interrupt as serve_until_interrupt,
)
from .findings import (
    say_findings as say_findings,
    say_lines as say_lines,
)
from .first_process import (
    last_scores as last_scores,
    say_end as say_end,
    tell as tell,
    training_lines as training_lines,
)
from .left_out import (
    INCOMPLETE as INCOMPLETE,
    LeftOut as LeftOut,
    say_left_out as say_left_out,
)
from .options import flat as flat
from .picture_size import check_size as check_size
from .progress import (
    Steps as Steps,
    Tally as Tally,
    duration as duration,
    stages as stages,
)
from .shared_settings import (
    CameraSettings as CameraSettings,
    ComputeSettings as ComputeSettings,
    LabelSettings as LabelSettings,
    MeshUnits as MeshUnits,
    ProjectorSettings as ProjectorSettings,
    VolumeSettings as VolumeSettings,
)
