"""The errors a caller can expect: one sentence that says what was expected, what came, and what to do."""


class XraykitError(Exception):
    """Base of every error raised on purpose by xraykit; the command line prints it and exits with 2."""


class InputError(XraykitError, ValueError):
    """A value outside its legal range or of the wrong shape."""


class GeometryError(InputError):
    """A camera, pose or affine that describes no X-ray set-up."""


class FileError(InputError):
    """A file or folder that is missing, damaged, inconsistent or not what its name says."""


class OutputError(XraykitError, OSError):
    """A result that could not be written."""


class BackendUnavailableError(XraykitError, ImportError):
    """A backend that this machine or these inputs cannot use."""
