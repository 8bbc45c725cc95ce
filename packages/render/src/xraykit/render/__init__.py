"""Differentiable X-ray rendering and simulation from CT.

Public names load on first use, so that `import xraykit.render` (and with it `xraykit --help`) stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .attenuation import Attenuation as Attenuation
    from .camera import Camera as Camera
    from .carm import carm_pose as carm_pose
    from .errors import BackendUnavailableError as BackendUnavailableError
    from .errors import FileError as FileError
    from .errors import GeometryError as GeometryError
    from .errors import InputError as InputError
    from .errors import OutputError as OutputError
    from .errors import XraykitError as XraykitError
    from .volume import Volume as Volume

_HOME = {
    "Attenuation": "attenuation",
    "BackendUnavailableError": "errors",
    "Camera": "camera",
    "FileError": "errors",
    "GeometryError": "errors",
    "InputError": "errors",
    "OutputError": "errors",
    "Volume": "volume",
    "XraykitError": "errors",
    "carm_pose": "carm",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
