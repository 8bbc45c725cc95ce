"""How X-rays are to be read, from the options that `register` and `app` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..xray.xray_input import XraySettings
    from .app import AppConfig
    from .register_options import RegisterConfig


def xray_settings(config: RegisterConfig | AppConfig) -> XraySettings:
    """The settings of `read_shot`."""
    from ..xray.xray_input import XraySettings

    return XraySettings(
        sdd=config.sdd,
        pixel_spacing=config.pixel_spacing,
        principal_point=config.principal_point,
        polarity=config.polarity,
        frame=config.frame,
        reduce=config.reduce,
        crop=config.crop,
        mirror=config.mirror,
        subtract_background=config.subtract_background,
        field=config.field_of_view,
        colour=config.colour,
    )
