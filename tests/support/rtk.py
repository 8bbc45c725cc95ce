"""Loading ITK and RTK in a test run where warnings are errors.

Their SWIG modules raise DeprecationWarnings from C while they load, and an exception there ends the interpreter with
a segmentation fault. So everything lazy is loaded here, once, with warnings off.
"""

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def load_rtk() -> tuple[Any, Any]:
    """The modules itk and itk.RTK; skips the calling test module where they are absent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        itk: ModuleType = pytest.importorskip("itk", reason="needs the peers group: uv sync --group peers")
        if not hasattr(itk, "RTK"):
            pytest.skip("needs itk-rtk of the peers group: uv sync --group peers", allow_module_level=True)
        itk.RTK.JosephForwardProjectionImageFilter  # noqa: B018
        geometry = itk.RTK.ThreeDCircularProjectionGeometry.New()
        geometry.AddProjection(1.0, 2.0, 0.0)
        itk.array_from_matrix(geometry.GetMatrix(0))
        itk.matrix_from_array(np.eye(3))
        itk.array_from_image(itk.image_from_array(np.zeros((2, 2, 2), dtype=np.float32)))
    return itk, itk.RTK
