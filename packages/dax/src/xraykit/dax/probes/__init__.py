"""Three probes that tell what a frozen backbone knows: regions, metal and screws, over folds of patients."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "comparison": "BackboneDifference ScoredBackbone ScoredCases differences scored",
        "feature_making": "make_features",
        "feature_store": "FeatureStore StoredMap feature_digest open_features",
        "folds": "check_folds grouped_folds",
        "job_images": "ProbeTruth images_of_job",
        "probe_set": "ProbeImage ProbeSet",
        "report": "ProbeReport write_probe_report",
        "run_metal": "probe_metal",
        "run_region": "probe_regions",
        "run_screws": "probe_screws",
        "settings": "MetalProbeSettings ProbeInputs RegionProbeSettings ScrewProbeSettings",
        "table_images": "images_of_table",
    },
)
