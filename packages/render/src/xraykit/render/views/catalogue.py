"""Every standard view by name; the rows are in trunk_views.py and limb_views.py."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .definition import StandardView
from .limb_views import limb_views
from .trunk_views import trunk_views

STANDARD_VIEWS: Mapping[str, StandardView] = MappingProxyType(
    {view.name: view for view in (*trunk_views(), *limb_views())}
)
"""The standard views by name; docs/views.md lists them."""
