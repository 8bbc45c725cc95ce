"""Scores of predicted correspondence, and the predictions of priors to hold beside them."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "epipolar": "epipolar_band fundamental_matrix",
        "histogram": "PooledPrecision ScoreHistogram",
        "match_scores": "MatchScores MatchTally PairScores",
        "precision_recall": "counts_above overlap_score pair_average_precision",
        "priors": "MeanCorrespondence patch_means thinner_patch",
        "study_comparison": "compare_studies mean_area_interval StudyComparison",
        "study_measures": "best_threshold study_intervals study_scores StudyScores",
        "study_report": "arm_report grid_report",
        "study_rows": "StudyRow",
    },
)
