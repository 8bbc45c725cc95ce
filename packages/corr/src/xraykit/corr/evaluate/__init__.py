"""The paper's tables at the size that a machine allows, and matchers on real pairs: rows first, scores from rows."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "arm_scores": "ArmScores PrecisionRecall patient_test scores_of_arm",
        "local_matcher": "LocalMatcher local_matcher_is_missing",
        "module_arms": "MatcherArm matcher_arms",
        "pair_rows": "ArmRows PairRow read_arm score_pairs write_arm",
        "real_pairs": "pinhole_projection prior_matrices real_pair_rows RealPair RealPairRow",
        "settings": "Table1Settings Table2Settings Table3Settings",
        "table1": "evaluate_modules",
        "table2": "evaluate_annotated",
        "table3": "evaluate_classification",
    },
)
