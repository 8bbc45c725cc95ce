"""What a page that registers and one that only looks ask and answer alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from xraykit.render import InputError
from xraykit.render.web import Answer, RequestBody

from .pictures import encoded
from .placement import XrayView


def xray_answer(view: XrayView) -> Answer:
    """The picture of an X-ray."""
    return Answer(encoded(view.picture.grey, "png"), "image/png")


def rendering_answer(picture: tuple[bytes, str] | None, state: Mapping[str, Any]) -> Answer:
    """A rendering, nothing where a newer request overtook it, with its view's state in a header."""
    return Answer(*(picture or (b"", "")), {"X-View": json.dumps(state)})


def chosen_names(body: RequestBody) -> list[Any]:
    """The `names` of a request.

    Raises:
        InputError: They are no list.
    """
    names = body.get("names")
    if not isinstance(names, list):
        raise InputError(f"names must be a list, got {names!r}.")
    return names
