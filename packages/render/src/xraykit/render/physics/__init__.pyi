# Made by tools/make_stubs.py from the table in __init__.py.
from .area_density import (
    MaterialVolume as MaterialVolume,
)
from .area_density import (
    area_densities as area_densities,
)
from .beam import (
    CircularShutter as CircularShutter,
)
from .beam import (
    PolygonalShutter as PolygonalShutter,
)
from .beam import (
    RectangularShutter as RectangularShutter,
)
from .beam import (
    heel_effect as heel_effect,
)
from .beam import (
    illumination as illumination,
)
from .beam import (
    shutter_mask as shutter_mask,
)
from .beer_lambert import transmission as transmission
from .detector import (
    Detector as Detector,
)
from .detector import (
    blur_image as blur_image,
)
from .detector import (
    detected_quanta as detected_quanta,
)
from .noise import (
    add_quantum_noise as add_quantum_noise,
)
from .noise import (
    add_readout_noise as add_readout_noise,
)
from .noise import (
    quanta_behind as quanta_behind,
)
from .scatter import (
    ScatterKernel as ScatterKernel,
)
from .scatter import (
    estimate_scatter as estimate_scatter,
)
from .spectrum import (
    MonochromaticSpectrum as MonochromaticSpectrum,
)
from .spectrum import (
    Spectrum as Spectrum,
)
from .spectrum import (
    half_value_layer as half_value_layer,
)
from .spectrum import (
    mean_energy as mean_energy,
)
from .spectrum import (
    photons_per_pixel as photons_per_pixel,
)
from .tissue import TissueLaw as TissueLaw
