# Made by tools/make_stubs.py from the table in __init__.py.
from .averaged import AveragedNetwork as AveragedNetwork
from .classifier_start import start_classifier as start_classifier
from .classify_settings import (
    ClassifyDataSettings as ClassifyDataSettings,
    ClassifyGridSettings as ClassifyGridSettings,
    ClassifyLengthSettings as ClassifyLengthSettings,
    ClassifyNetworkSettings as ClassifyNetworkSettings,
    ClassifyObjectiveSettings as ClassifyObjectiveSettings,
    ClassifySettings as ClassifySettings,
)
from .classify_task import (
    ClassifyTask as ClassifyTask,
    predict_studies as predict_studies,
)
from .fixed_pairs import (
    FixedPairs as FixedPairs,
    network_scores as network_scores,
    prior_predictions as prior_predictions,
    prior_scores as prior_scores,
)
from .matcher_task import MatcherTask as MatcherTask
from .presets import PRESETS as PRESETS
from .settings import (
    MatchObjectiveSettings as MatchObjectiveSettings,
    MatcherDataSettings as MatcherDataSettings,
    MatcherLengthSettings as MatcherLengthSettings,
    MatcherNetworkSettings as MatcherNetworkSettings,
    MatcherSettings as MatcherSettings,
)
from .study_arm import (
    GuidanceKind as GuidanceKind,
    StudyArm as StudyArm,
    StudyStart as StudyStart,
    all_arms as all_arms,
)
from .study_guidance import StudyGuidance as StudyGuidance
from .training_pairs import (
    TrainingPairs as TrainingPairs,
    load_training_pairs as load_training_pairs,
)
