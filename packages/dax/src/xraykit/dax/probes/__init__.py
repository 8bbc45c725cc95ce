"""Three probes that tell what a frozen backbone knows: regions, metal and screws, over folds of patients."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "comparison": "BackboneDifference ScoredBackbone ScoredCases differences scored",
        "feature_making": "make_features",
        "feature_store": "FeatureStore StoredMap feature_digest open_features",
        "folds": "check_folds grouped_folds",
        "probe_set": "ProbeImage ProbeSet",
    },
)
