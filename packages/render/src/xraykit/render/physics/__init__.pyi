# Made by tools/make_stubs.py from the table in __init__.py.
from .area_density import (
    MaterialVolume as MaterialVolume,
    area_densities as area_densities,
)
from .beam import (
    heel_effect as heel_effect,
    illumination as illumination,
)
from .beer_lambert import transmission as transmission
from .detector import (
    Detector as Detector,
    blur_image as blur_image,
    detected_quanta as detected_quanta,
)
from .noise import (
    add_quantum_noise as add_quantum_noise,
    add_readout_noise as add_readout_noise,
    quanta_behind as quanta_behind,
)
from .scatter import (
    ScatterKernel as ScatterKernel,
    estimate_scatter as estimate_scatter,
)
from .spectrum import (
    MonochromaticSpectrum as MonochromaticSpectrum,
    Spectrum as Spectrum,
    half_value_layer as half_value_layer,
    mean_energy as mean_energy,
    photons_per_pixel as photons_per_pixel,
)
from .tissue import TissueLaw as TissueLaw
