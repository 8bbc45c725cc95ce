"""A port of this machine alone: the one asked for or a sentence."""

from contextlib import closing

import pytest
from xraykit.render import InputError
from xraykit.render.web import check_port, local_socket


def test_socket_listens_on_this_machine_at_a_free_port():
    with closing(local_socket(0)) as own:
        host, port = own.getsockname()
        assert host == "127.0.0.1" and port > 0


def test_busy_port_is_refused_and_not_replaced_by_another():
    with closing(local_socket(0)) as own:
        port = own.getsockname()[1]
        with pytest.raises(InputError, match=rf"--port must be free on 127.0.0.1, got {port}: .*; choose another"):
            check_port(port)
    check_port(port)


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_number_that_is_no_port_is_refused(port):
    with pytest.raises(InputError, match=f"--port must be 0 to 65535, got {port}"):
        check_port(port)
    with pytest.raises(InputError, match=f"--port must be 0 to 65535, got {port}"):
        local_socket(port)
