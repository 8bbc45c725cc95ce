"""X-rays for matching: how they are read and prepared, pairs of them for training, and what people marked in them."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "annotated_batches": "AnnotatedBatch AnnotatedBatches",
        "annotated_pairs": "AnnotatedImages AnnotatedPairs",
        "annotation_check": "AnnotationCheck check_annotations",
        "annotation_table": "annotations_from_table",
        "marked_entries": "AnnotationTargets annotation_targets",
        "annotations": "AnnotatedPair AnnotatedPoint AnnotatedSample AnnotatedView Annotations read_annotations "
        "write_annotations",
        "image_changes": "ImageChange change_image draw_changes",
        "letterbox": "Letterbox",
        "normalise": "normalise_lines",
        "pair_batches": "PairBatch PairBatches",
        "pair_choice": "ChosenViews PairChoice relative_angles",
        "pair_preparation": "prepare_pairs wait_for_pairs",
        "pair_store": "PairStore",
        "pairs_plan": "StoredPairSettings read_pairs_plan",
        "settings": "ImageChangeSettings PairSettings XrayInputSettings",
        "stored_pairs": "StoredPair StoredPairs",
        "xray_input": "XrayLike PreparedXray prepare_xray",
        "xray_reading": "XrayReading",
    },
)
