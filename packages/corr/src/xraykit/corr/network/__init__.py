"""Networks: which patches of several X-rays match, and whether a study of several X-rays shows a lesion."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "build": "new_matcher",
        "calibration": "calibrate_head",
        "classifier": "AttentionKind StudyClassifier new_classifier",
        "classifier_config": "StudyClassifierConfig StudyFusion",
        "classifier_weights": "load_classifier save_classifier",
        "guided_encoder": "GuidedEncoder guidance",
        "matcher": "MatchNetwork MatchOutput",
        "matcher_config": "MatchHead MatchModule MatcherConfig NAMED TrunkNorm",
        "matcher_weights": "load_matcher save_matcher",
        "network_cost": "MatcherCost matcher_cost",
        "optimizer_groups": "parameter_groups",
        "trunk_weights": "fill_trunk",
    },
)
