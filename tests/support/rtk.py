"""Loading ITK and RTK in a test run where warnings are errors.

Their SWIG modules raise DeprecationWarnings from C while they load, and an exception there ends the interpreter with
a segmentation fault. So everything lazy is loaded here, once, with warnings off.
"""

import warnings
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pytest
from support.later import Later

REASON = "needs the peers group: uv sync --group peers"


def later_rtk() -> tuple[Any, Any]:
    """The modules itk and itk.RTK, loaded when a test uses them (15 s); skips the calling module without them."""
    try:
        version("itk-rtk")
    except PackageNotFoundError:
        pytest.skip(REASON, allow_module_level=True)
    return Later(load_rtk), Later(lambda: load_rtk().RTK)


@cache
def load_rtk() -> Any:
    """The module itk, with all that the tests use of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        itk = import_module("itk")
        itk.RTK.JosephForwardProjectionImageFilter  # noqa: B018
        geometry = itk.RTK.ThreeDCircularProjectionGeometry.New()
        geometry.AddProjection(1.0, 2.0, 0.0)
        itk.array_from_matrix(geometry.GetMatrix(0))
        itk.matrix_from_array(np.eye(3))
        itk.array_from_image(itk.image_from_array(np.zeros((2, 2, 2), dtype=np.float32)))
    return itk
