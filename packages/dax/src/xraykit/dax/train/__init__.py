"""Self-distillation of a backbone: settings, task, teacher, optimisers, and what tells a collapse."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "collapse": "collapse_kind CollapseWatch",
        "dino_task": "DinoTask",
        "neighbours": "neighbour_accuracy neighbour_votes",
        "presets": "PRESETS",
        "settings": (
            "HeadSettings ObjectiveSettings OptimizerSettings PretrainedNetworkSettings PretrainingDataSettings "
            "PretrainingLengthSettings PretrainSettings"
        ),
    },
)
