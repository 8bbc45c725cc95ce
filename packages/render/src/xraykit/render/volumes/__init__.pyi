# Made by tools/make_stubs.py from the table in __init__.py.
from .label_names import (
    find_labels as find_labels,
    label_table as label_table,
    match_names as match_names,
)
from .landmarks import (
    Landmarks as Landmarks,
    label_centroids as label_centroids,
    project_landmarks as project_landmarks,
)
from .phantom import (
    Box as Box,
    Cylinder as Cylinder,
    Ellipsoid as Ellipsoid,
    line_integrals as line_integrals,
    voxelise as voxelise,
)
from .volume import Volume as Volume
