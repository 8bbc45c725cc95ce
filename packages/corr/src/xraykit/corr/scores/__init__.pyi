# Made by tools/make_stubs.py from the table in __init__.py.
from .epipolar import (
    epipolar_band as epipolar_band,
    fundamental_matrix as fundamental_matrix,
)
from .histogram import (
    PooledPrecision as PooledPrecision,
    ScoreHistogram as ScoreHistogram,
)
from .match_scores import (
    MatchScores as MatchScores,
    MatchTally as MatchTally,
    PairScores as PairScores,
)
from .precision_recall import (
    counts_above as counts_above,
    overlap_score as overlap_score,
    pair_average_precision as pair_average_precision,
)
from .priors import (
    MeanCorrespondence as MeanCorrespondence,
    patch_means as patch_means,
    thinner_patch as thinner_patch,
)
from .study_comparison import (
    StudyComparison as StudyComparison,
    compare_studies as compare_studies,
    mean_area_interval as mean_area_interval,
)
from .study_measures import (
    StudyScores as StudyScores,
    best_threshold as best_threshold,
    study_intervals as study_intervals,
    study_scores as study_scores,
)
from .study_report import (
    arm_report as arm_report,
    grid_report as grid_report,
)
from .study_rows import StudyRow as StudyRow
