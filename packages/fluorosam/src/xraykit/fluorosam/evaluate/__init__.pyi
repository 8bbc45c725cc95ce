# Made by tools/make_stubs.py from the table in __init__.py.
from .asking import ask_method as ask_method
from .cases import (
    CaseSource as CaseSource,
    SegmentationCase as SegmentationCase,
)
from .error_points import (
    ErrorPoint as ErrorPoint,
    error_point as error_point,
    tight_box as tight_box,
)
from .evaluation import (
    evaluate_segmentation as evaluate_segmentation,
    read_segmentation_rows as read_segmentation_rows,
    segmentation_rows as segmentation_rows,
)
from .file_cases import (
    FluoroSegCases as FluoroSegCases,
    LungCases as LungCases,
)
from .fluoro_sam_method import FluoroSamMethod as FluoroSamMethod
from .job_cases import (
    JobCases as JobCases,
    job_case as job_case,
)
from .layouts import open_cases as open_cases
from .mask_rows import MaskRow as MaskRow
from .mask_scores import (
    BorderDistance as BorderDistance,
    MaskOverlap as MaskOverlap,
    border_distance as border_distance,
    mask_overlap as mask_overlap,
)
from .mean_mask import MeanMask as MeanMask
from .methods import (
    BoxFill as BoxFill,
    EvaluatedMethod as EvaluatedMethod,
    MaskAnswer as MaskAnswer,
    MaskQuestion as MaskQuestion,
)
from .questions import (
    AskedTarget as AskedTarget,
    QuestionTexts as QuestionTexts,
    asked_targets as asked_targets,
)
from .registered_cases import (
    RegisteredCases as RegisteredCases,
    RegisteredView as RegisteredView,
    read_views as read_views,
)
from .report_tables import segmentation_report as segmentation_report
from .rivals import (
    FleXrayMethod as FleXrayMethod,
    PointPredictor as PointPredictor,
    SamMethod as SamMethod,
)
from .settings import (
    AskKind as AskKind,
    AskSettings as AskSettings,
    BaselineSettings as BaselineSettings,
    CaseSettings as CaseSettings,
    SegmentationEvaluationSettings as SegmentationEvaluationSettings,
)
