"""Scores of methods: one row a case, then rates with intervals, paired tests, rankings, calibration and a report.

Numbers need nothing more than the core; rankings and figures need the extra `evaluate`.
"""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "calibration": "expected_calibration_error fit_logistic LogisticModel reliability ReliabilityBin",
        "discrimination": "auroc average_precision",
        "figures": "new_figure plot_errors plot_reliability save_figure",
        "intervals": "bootstrap_interval wilson_interval",
        "paired": "holm mcnemar_test paired_permutation_test PairedTest sign_test wilcoxon_test",
        "ranking": "compact_letters MethodAttempt MethodComparison MethodRanking rank_methods",
        "report": "EvaluationReport markdown_table report_text write_evaluation",
        "rows": "input_digest read_rows write_rows",
        "summary": "Quartiles quartiles",
    },
)
