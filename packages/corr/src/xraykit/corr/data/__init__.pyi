# Made by tools/make_stubs.py from the table in __init__.py.
from .annotated_batches import (
    AnnotatedBatch as AnnotatedBatch,
    AnnotatedBatches as AnnotatedBatches,
)
from .annotated_pairs import (
    AnnotatedImages as AnnotatedImages,
    AnnotatedPairs as AnnotatedPairs,
)
from .annotation_check import (
    AnnotationCheck as AnnotationCheck,
    check_annotations as check_annotations,
)
from .annotation_table import annotations_from_table as annotations_from_table
from .annotations import (
    AnnotatedPair as AnnotatedPair,
    AnnotatedPoint as AnnotatedPoint,
    AnnotatedSample as AnnotatedSample,
    AnnotatedView as AnnotatedView,
    Annotations as Annotations,
    read_annotations as read_annotations,
    write_annotations as write_annotations,
)
from .image_changes import (
    ImageChange as ImageChange,
    change_image as change_image,
    draw_changes as draw_changes,
)
from .letterbox import Letterbox as Letterbox
from .marked_entries import (
    AnnotationTargets as AnnotationTargets,
    annotation_targets as annotation_targets,
)
from .normalise import normalise_lines as normalise_lines
from .pair_batches import (
    PairBatch as PairBatch,
    PairBatches as PairBatches,
)
from .pair_choice import (
    ChosenViews as ChosenViews,
    PairChoice as PairChoice,
    relative_angles as relative_angles,
)
from .pair_preparation import (
    prepare_pairs as prepare_pairs,
    wait_for_pairs as wait_for_pairs,
)
from .pair_store import PairStore as PairStore
from .pairs_plan import (
    StoredPairSettings as StoredPairSettings,
    read_pairs_plan as read_pairs_plan,
)
from .settings import (
    ImageChangeSettings as ImageChangeSettings,
    PairSettings as PairSettings,
    XrayInputSettings as XrayInputSettings,
)
from .stored_pairs import (
    StoredPair as StoredPair,
    StoredPairs as StoredPairs,
)
from .xray_input import (
    PreparedXray as PreparedXray,
    XrayLike as XrayLike,
    prepare_xray as prepare_xray,
)
from .xray_reading import XrayReading as XrayReading
