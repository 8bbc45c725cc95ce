"""What Pillow raises on the bytes of a damaged picture, as fuzzing shows: it documents none of it."""

import struct
import zlib

PICTURE_DAMAGE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, OverflowError),
    *(struct.error, zlib.error),
)
