"""A port of this machine that no other machine reaches: the one asked for or none."""

from __future__ import annotations

import os
import socket

from ..errors import InputError

HOST = "127.0.0.1"


def local_socket(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1.

    Args:
        port: TCP port, 0 to 65535; 0 lets the system choose.

    Raises:
        InputError: The port is busy, forbidden or no port number.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be 0 to 65535, got {port}.")
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that is merely cooling down is free
    try:
        own.bind((HOST, port))
        own.listen()
    except OSError as error:
        own.close()
        raise InputError(
            f"--port must be free on {HOST}, got {port}: {error.strerror or error}; choose another with --port."
        ) from error
    return own


def check_port(port: int) -> None:
    """Raise InputError unless a server can listen at this port of 127.0.0.1; call it before the long work."""
    local_socket(port).close()
