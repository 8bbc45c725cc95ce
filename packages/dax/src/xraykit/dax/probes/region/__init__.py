"""Which region of the body an image shows, told from the features of a frozen backbone."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "knn": "knn_shares",
        "linear": "LinearClassifier choose_strength fit_linear",
        "published": "PublishedProtocol fit_published",
        "region_probe": "RegionRow region_rows",
        "settings": "REGION_HEADS RegionHead",
        "scores": "ClassScores class_scores confusion_matrix",
    },
)
