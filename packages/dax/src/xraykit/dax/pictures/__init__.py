"""Pictures of what a backbone sees: attention, colours of patches, and a map of many X-rays."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "attention": "attention_maps heat_overlay most_attended",
        "look_at_xrays": "look",
        "patches": "PatchColours patch_colours",
        "projection": "PrincipalAxes plane_of principal_axes",
        "scatter": "plot_planes",
        "settings": "LookSettings",
        "sheet": "xray_sheet",
    },
)
