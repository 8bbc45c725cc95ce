"""The errors a caller can expect: one sentence that says what was expected, what came, and what to do."""

LONGEST = 4000
"""Characters of a message; more of it is left out in the middle."""


class XraykitError(Exception):
    """Base of every error raised on purpose by xraykit; the command line prints it and exits with 2.

    Its text is one bounded line of printable characters, whatever the file holds that it quotes: others are spelled
    out, as on the terminal.
    """

    def __str__(self) -> str:
        line = super().__str__().replace("\n", " ").replace("\t", " ")
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


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
