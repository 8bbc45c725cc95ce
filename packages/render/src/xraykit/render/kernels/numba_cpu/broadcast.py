"""Reading arrays that are constant along some dimensions, without writing them out."""

from .compile import kernel


@kernel
def at(array, k, j, i):
    """The value for voxel (k, j, i) of an array of (d or 1, h or 1, w or 1)."""
    depth, height, width = array.shape
    return array[k if depth > 1 else 0, j if height > 1 else 0, i if width > 1 else 0]
