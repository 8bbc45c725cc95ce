"""X-rays for the network: three windows, one square, and the way back."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "fluoroseg": "FluoroSegData FluoroSegSample RibNames",
        "fluoroseg_case": "FluoroSegImage",
        "fluoroseg_check": "check_fluoroseg FluoroSegCheck",
        "fluoroseg_masks": "decode_fluoroseg_mask fluoroseg_segmentation FluoroSegMask",
        "fluoroseg_writer": "FluoroSegExport write_fluoroseg",
        "lung_sets": "LungLayout LungSet LungXray",
        "network_input": "BoneTone NetworkInput prepare_windows",
        "padded_square": "PaddedSquare",
        "rib_geometry": "check_rib_names likely_rib_names RibCheck",
        "windows": "three_windows two_means",
    },
)
