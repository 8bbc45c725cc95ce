# Made by tools/make_stubs.py from the table in __init__.py.
from .arm_scores import (
    ArmScores as ArmScores,
    PrecisionRecall as PrecisionRecall,
    patient_test as patient_test,
    scores_of_arm as scores_of_arm,
)
from .local_matcher import (
    LocalMatcher as LocalMatcher,
    local_matcher_is_missing as local_matcher_is_missing,
)
from .module_arms import (
    MatcherArm as MatcherArm,
    matcher_arms as matcher_arms,
)
from .pair_rows import (
    ArmRows as ArmRows,
    PairRow as PairRow,
    read_arm as read_arm,
    score_pairs as score_pairs,
    write_arm as write_arm,
)
from .real_pairs import (
    RealPair as RealPair,
    RealPairRow as RealPairRow,
    pinhole_projection as pinhole_projection,
    prior_matrices as prior_matrices,
    real_pair_rows as real_pair_rows,
)
from .settings import (
    Table1Settings as Table1Settings,
    Table2Settings as Table2Settings,
    Table3Settings as Table3Settings,
)
from .table1 import evaluate_modules as evaluate_modules
from .table2 import evaluate_annotated as evaluate_annotated
from .table3 import evaluate_classification as evaluate_classification
