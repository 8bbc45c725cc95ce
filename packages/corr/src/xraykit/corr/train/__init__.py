"""Training of matchers: settings, task, and validation with priors."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "averaged": "AveragedNetwork",
        "classifier_start": "start_classifier",
        "classify_settings": (
            "ClassifyDataSettings ClassifyGridSettings ClassifyLengthSettings ClassifyNetworkSettings "
            "ClassifyObjectiveSettings ClassifySettings"
        ),
        "classify_task": "ClassifyTask predict_studies",
        "fixed_pairs": "FixedPairs network_scores prior_predictions prior_scores",
        "matcher_task": "MatcherTask",
        "presets": "PRESETS",
        "settings": (
            "MatcherDataSettings MatcherLengthSettings MatcherNetworkSettings MatcherSettings MatchObjectiveSettings"
        ),
        "study_arm": "all_arms GuidanceKind StudyArm StudyStart",
        "study_guidance": "StudyGuidance",
        "training_pairs": "load_training_pairs TrainingPairs",
    },
)
