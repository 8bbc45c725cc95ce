# Made by tools/make_stubs.py from the table in __init__.py.
from .data.annotations import (
    Annotations as Annotations,
    read_annotations as read_annotations,
    write_annotations as write_annotations,
)
from .data.settings import (
    ImageChangeSettings as ImageChangeSettings,
    PairSettings as PairSettings,
    XrayInputSettings as XrayInputSettings,
)
from .finetuning import (
    FinetuneResult as FinetuneResult,
    finetune_matcher as finetune_matcher,
)
from .ground_truth.pair_matrices import (
    correspondence as correspondence,
    correspondences as correspondences,
)
from .ground_truth.projection import image_projection as image_projection
from .ground_truth.support import Support as Support
from .ground_truth.support_cells import volume_support as volume_support
from .matching import train_matcher as train_matcher
from .network.build import new_matcher as new_matcher
from .network.matcher import MatchNetwork as MatchNetwork
from .network.matcher_config import MatcherConfig as MatcherConfig
from .network.matcher_weights import (
    load_matcher as load_matcher,
    save_matcher as save_matcher,
)
from .pairs_job import make_pairs as make_pairs
from .predictor.matcher import Matcher as Matcher
from .predictor.matches import Matches as Matches
from .train.finetune_settings import FinetuneSettings as FinetuneSettings
from .train.settings import MatcherSettings as MatcherSettings
