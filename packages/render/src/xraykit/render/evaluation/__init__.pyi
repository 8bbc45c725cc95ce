# Made by tools/make_stubs.py from the table in __init__.py.
from .calibration import (
    LogisticModel as LogisticModel,
    ReliabilityBin as ReliabilityBin,
    expected_calibration_error as expected_calibration_error,
    fit_logistic as fit_logistic,
    reliability as reliability,
)
from .discrimination import (
    auroc as auroc,
    average_precision as average_precision,
)
from .figures import (
    new_figure as new_figure,
    plot_errors as plot_errors,
    plot_reliability as plot_reliability,
    save_figure as save_figure,
)
from .intervals import (
    bootstrap_interval as bootstrap_interval,
    wilson_interval as wilson_interval,
)
from .paired import (
    PairedTest as PairedTest,
    holm as holm,
    mcnemar_test as mcnemar_test,
    paired_permutation_test as paired_permutation_test,
    sign_test as sign_test,
    wilcoxon_test as wilcoxon_test,
)
from .ranking import (
    MethodAttempt as MethodAttempt,
    MethodComparison as MethodComparison,
    MethodRanking as MethodRanking,
    compact_letters as compact_letters,
    rank_methods as rank_methods,
)
from .report import (
    EvaluationReport as EvaluationReport,
    markdown_table as markdown_table,
    report_text as report_text,
    write_evaluation as write_evaluation,
)
from .rows import (
    input_digest as input_digest,
    read_rows as read_rows,
    write_rows as write_rows,
)
from .summary import (
    Quartiles as Quartiles,
    quartiles as quartiles,
)
