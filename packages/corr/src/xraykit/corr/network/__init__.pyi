# Made by tools/make_stubs.py from the table in __init__.py.
from .build import new_matcher as new_matcher
from .calibration import calibrate_head as calibrate_head
from .classifier import (
    AttentionKind as AttentionKind,
    StudyClassifier as StudyClassifier,
    new_classifier as new_classifier,
)
from .classifier_config import (
    StudyClassifierConfig as StudyClassifierConfig,
    StudyFusion as StudyFusion,
)
from .classifier_weights import (
    load_classifier as load_classifier,
    save_classifier as save_classifier,
)
from .guided_encoder import (
    GuidedEncoder as GuidedEncoder,
    guidance as guidance,
)
from .matcher import (
    MatchNetwork as MatchNetwork,
    MatchOutput as MatchOutput,
)
from .matcher_config import (
    MatchHead as MatchHead,
    MatchModule as MatchModule,
    MatcherConfig as MatcherConfig,
    NAMED as NAMED,
    TrunkNorm as TrunkNorm,
)
from .matcher_weights import (
    load_matcher as load_matcher,
    save_matcher as save_matcher,
)
from .network_cost import (
    MatcherCost as MatcherCost,
    matcher_cost as matcher_cost,
)
from .optimizer_groups import parameter_groups as parameter_groups
from .trunk_weights import fill_trunk as fill_trunk
