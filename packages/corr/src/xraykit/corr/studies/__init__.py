"""Studies of several X-rays of a patient with a label: manifests, adapters of data sets, fracture studies, batches."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "decoys": "draw_decoy",
        "fracatlas": "fracatlas_studies",
        "fracture_studies": "FractureStudies make_fracture_studies",
        "grazpedwri": "grazpedwri_studies",
        "leak_report": "fracture_report write_fracture_report",
        "leaks": "leak_checks LeakCheck StudyFacts",
        "manifest": "check_studies check_trainable MOST_LISTED read_studies write_studies",
        "mura": "MURA_REGIONS mura_studies",
        "settings": "FractureStudySettings StudyChangeSettings",
        "split_patients": "carve_patients",
        "study": "LabelledStudy StudyImage",
        "study_batches": "StudyBatch StudyBatches",
        "study_changes": "change_study draw_study_change StudyChange",
        "study_store": "prepare_studies StudyStore",
        "study_truth": "read_truth TRUTH write_truth",
        "twins": "twin_check TwinDifference",
    },
)
