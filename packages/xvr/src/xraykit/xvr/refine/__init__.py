"""From starts to the pose that makes X-rays and renderings most alike."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "pose_distance": "misplacement",
        "climb_settings": "RegistrationSettings",
        "registration": "RefinedCandidate RefinementStep register_structures Registration similarities",
        "settings": "RefinementSettings",
        "similarity": "gradient_ncc mncc ncc patch_ncc",
        "structure": "NamedStructures Structure structure_of Surroundings",
        "surroundings": "register_among structures_among",
    },
)
