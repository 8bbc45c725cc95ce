# Made by tools/make_stubs.py from the table in __init__.py.
from .backends import explain_backend as explain_backend
from .devices import usable_device as usable_device
from .jacobian import (
    ImageJacobian as ImageJacobian,
    render_jacobian as render_jacobian,
)
from .masks import (
    MaskSet as MaskSet,
    path_lengths as path_lengths,
    scene_masks as scene_masks,
)
from .options import (
    Backend as Backend,
    Method as Method,
)
from .rendering import (
    label_bits as label_bits,
    label_masks as label_masks,
    render as render,
)
