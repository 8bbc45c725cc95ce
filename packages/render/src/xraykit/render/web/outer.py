"""The address at which a proxy shows a page of this machine to a browser elsewhere: JupyterHub, Codespaces."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import InputError
from ..storage.brief import brief

PORT = "{port}"


@dataclass(frozen=True)
class OuterAddress:
    """Where a browser finds the page, and what it then says of itself.

    Args:
        url: Ends with a slash.
        origin: Scheme and host, as browsers send them in Origin.
        host: Host and port, as they send them in Host.
    """

    url: str
    origin: str
    host: str


def outer_address(text: str | None, *, port: int) -> OuterAddress | None:
    """The address that a user states; None where there is none.

    Args:
        text: http:// or https:// and what follows; {port} stands for the page's port.
        port: Of the page on this machine.

    Raises:
        InputError: It is no such address.
    """
    if text is None:
        return None
    url = text.replace(PORT, str(port))
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
        plain = bool(plain) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        plain = False
    if not plain or any(not sign.isprintable() or sign.isspace() for sign in url):
        raise InputError(
            "--outer must be the address that the browser shows for the page, such as "
            f"https://hub.example.org/user/me/proxy/{PORT}/, got {brief(text, limit=200)!r}."
        )
    host = parts.netloc.lower()
    return OuterAddress(url if url.endswith("/") else f"{url}/", f"{parts.scheme}://{host}", host)
