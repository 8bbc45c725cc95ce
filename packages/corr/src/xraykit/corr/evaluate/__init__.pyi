# Made by tools/make_stubs.py from the table in __init__.py.
from .arm_scores import (
    ArmScores as ArmScores,
    PrecisionRecall as PrecisionRecall,
    patient_test as patient_test,
    scores_of_arm as scores_of_arm,
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
from .settings import (
    Table1Settings as Table1Settings,
    Table2Settings as Table2Settings,
    Table3Settings as Table3Settings,
)
from .table1 import evaluate_modules as evaluate_modules
from .table2 import evaluate_annotated as evaluate_annotated
from .table3 import evaluate_classification as evaluate_classification
