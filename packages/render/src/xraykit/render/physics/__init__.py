"""From area densities to the detector's image: spectrum, transmission, scatter, noise, detector."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "area_density": "area_densities MaterialVolume",
        "beam": "heel_effect illumination",
        "beer_lambert": "transmission",
        "detector": "blur_image detected_quanta Detector",
        "noise": "add_quantum_noise add_readout_noise quanta_behind",
        "scatter": "estimate_scatter ScatterKernel",
        "spectrum": "half_value_layer mean_energy MonochromaticSpectrum photons_per_pixel Spectrum",
        "tissue": "TissueLaw",
    },
)
