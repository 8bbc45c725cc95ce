"""Voxels and what is read off them."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "label_names": "find_labels label_table match_names",
        "landmarks": "label_centroids Landmarks project_landmarks",
        "phantom": "Box Cylinder Ellipsoid line_integrals voxelise",
        "volume": "Volume",
    },
)
