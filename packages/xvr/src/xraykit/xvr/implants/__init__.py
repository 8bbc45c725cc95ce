"""Implants and tools found in X-rays by the outline and shadow of their meshes, each with a pose of its own."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "answers": "ImplantAnswer ImplantRegistration",
        "fit": "ImplantFit",
        "implant": "Implant",
        "record": "ImplantRecord read_implants write_implants",
        "registration": "register_implants",
        "search": "OrientationSearch",
        "settings": "ImplantSettings",
        "symmetry": "likely_symmetries lookalikes",
    },
)
