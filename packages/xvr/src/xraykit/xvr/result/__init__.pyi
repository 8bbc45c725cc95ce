# Made by tools/make_stubs.py from the table in __init__.py.
from .animation import (
    convergence_frames as convergence_frames,
    write_animation as write_animation,
)
from .folder import save_result as save_result
from .pictures import (
    registration_pictures as registration_pictures,
    write_pictures as write_pictures,
)
from .reading import read_result as read_result
from .record import (
    ResultRecord as ResultRecord,
    record_result as record_result,
    write_result as write_result,
)
from .transforms import (
    ct_motion as ct_motion,
    write_transforms as write_transforms,
)
