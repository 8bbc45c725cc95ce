"""Requests to a page's server, as its own page would make them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from support.waiting import PATIENCE


def ask(
    server: Any, path: str, body: object = None, *, headers: Mapping[str, str] | None = None, raw: bytes | None = None
) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, content and headers of a POST to /api/... with the token, or of a GET of anything else."""
    data = None
    if path.startswith("/api/"):
        data = raw if raw is not None else json.dumps(body or {}).encode()
    named = {"X-Token": server.token, "Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(server.address + path, data=data, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)
