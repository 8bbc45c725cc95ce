# Made by tools/make_stubs.py from the table in __init__.py.
from .backends import explain_backend as explain_backend
from .jacobian import (
    ImageJacobian as ImageJacobian,
)
from .jacobian import (
    render_jacobian as render_jacobian,
)
from .masks import (
    MaskSet as MaskSet,
)
from .masks import (
    path_lengths as path_lengths,
)
from .masks import (
    scene_masks as scene_masks,
)
from .rendering import (
    label_bits as label_bits,
)
from .rendering import (
    label_masks as label_masks,
)
from .rendering import (
    render as render,
)
