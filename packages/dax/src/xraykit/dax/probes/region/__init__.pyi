# Made by tools/make_stubs.py from the table in __init__.py.
from .knn import knn_shares as knn_shares
from .linear import (
    LinearClassifier as LinearClassifier,
    choose_strength as choose_strength,
    fit_linear as fit_linear,
)
from .published import (
    PublishedProtocol as PublishedProtocol,
    fit_published as fit_published,
)
from .region_probe import (
    RegionRow as RegionRow,
    region_rows as region_rows,
)
from .scores import (
    ClassScores as ClassScores,
    class_scores as class_scores,
    confusion_matrix as confusion_matrix,
)
from .settings import (
    REGION_HEADS as REGION_HEADS,
    RegionHead as RegionHead,
)
