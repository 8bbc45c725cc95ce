"""Which patch of one X-ray matches which patches of another, and fractures seen in several views.

The names of a first page; each folder (`xraykit.corr.ground_truth`, `.network`, ...) exports the rest of its own. All
load on first use, so that `import xraykit.corr` stays free of torch.
"""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "data.annotations": "Annotations read_annotations write_annotations",
        "data.settings": "ImageChangeSettings PairSettings XrayInputSettings",
        "finetuning": "FinetuneResult finetune_matcher",
        "ground_truth.pair_matrices": "correspondence correspondences",
        "ground_truth.projection": "image_projection",
        "ground_truth.support": "Support",
        "ground_truth.support_cells": "volume_support",
        "matching": "train_matcher",
        "network.build": "new_matcher",
        "network.matcher": "MatchNetwork",
        "network.matcher_config": "MatcherConfig",
        "network.matcher_weights": "load_matcher save_matcher",
        "pairs_job": "make_pairs",
        "predictor.matcher": "Matcher",
        "predictor.matches": "Matches",
        "train.finetune_settings": "FinetuneSettings",
        "train.settings": "MatcherSettings",
    },
)
