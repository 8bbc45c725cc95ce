# Made by tools/make_stubs.py from the table in __init__.py.
from .label_names import (
    find_labels as find_labels,
)
from .label_names import (
    label_table as label_table,
)
from .landmarks import (
    Landmarks as Landmarks,
)
from .landmarks import (
    label_centroids as label_centroids,
)
from .landmarks import (
    project_landmarks as project_landmarks,
)
from .phantom import (
    Box as Box,
)
from .phantom import (
    Cylinder as Cylinder,
)
from .phantom import (
    Ellipsoid as Ellipsoid,
)
from .phantom import (
    line_integrals as line_integrals,
)
from .phantom import (
    voxelise as voxelise,
)
from .volume import Volume as Volume
