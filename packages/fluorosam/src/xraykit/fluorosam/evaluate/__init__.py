"""How well words, points and boxes find what they ask for: rows, the paper's table, baselines beside it."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "asking": "ask_method",
        "cases": "CaseSource SegmentationCase",
        "error_points": "error_point ErrorPoint tight_box",
        "evaluation": "evaluate_segmentation read_segmentation_rows segmentation_rows",
        "file_cases": "FluoroSegCases LungCases",
        "fluoro_sam_method": "FluoroSamMethod",
        "job_cases": "job_case JobCases",
        "layouts": "open_cases",
        "mask_rows": "MaskRow",
        "mask_scores": "border_distance BorderDistance mask_overlap MaskOverlap",
        "mean_mask": "MeanMask",
        "methods": "BoxFill EvaluatedMethod MaskAnswer MaskQuestion",
        "questions": "asked_targets AskedTarget QuestionTexts",
        "report_tables": "segmentation_report",
        "registered_cases": "read_views RegisteredCases RegisteredView",
        "rivals": "FleXrayMethod PointPredictor SamMethod",
        "settings": "AskKind AskSettings BaselineSettings CaseSettings SegmentationEvaluationSettings",
    },
)
