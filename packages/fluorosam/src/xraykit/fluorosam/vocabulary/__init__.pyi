# Made by tools/make_stubs.py from the table in __init__.py.
from .annotations import (
    absent_targets as absent_targets,
    annotations_of as annotations_of,
    present_targets as present_targets,
    tool_kind as tool_kind,
)
from .fluoroseg_names import (
    FLUOROSEG_GROUPS as FLUOROSEG_GROUPS,
    FluoroSegCategory as FluoroSegCategory,
    fluoroseg_category as fluoroseg_category,
    fluoroseg_group as fluoroseg_group,
    fluoroseg_labels as fluoroseg_labels,
    real_rib_name as real_rib_name,
)
from .groups import (
    TARGET_GROUPS as TARGET_GROUPS,
    TargetGroup as TargetGroup,
)
from .mirror_images import (
    is_one_sided as is_one_sided,
    left_right as left_right,
)
from .neighbours import (
    INVERSE as INVERSE,
    Neighbour as Neighbour,
    RELATIONS as RELATIONS,
    neighbours_of as neighbours_of,
)
from .noun_phrases import (
    NounPhrase as NounPhrase,
    known_phrases as known_phrases,
    phrase as phrase,
    phrases_of as phrases_of,
    tool_phrases as tool_phrases,
)
from .recognition import (
    UnderstoodText as UnderstoodText,
    resolve as resolve,
    suggest as suggest,
    understand as understand,
)
from .reduced_classes import (
    ReducedClass as ReducedClass,
    pretraining_classes as pretraining_classes,
)
from .spelling import normalise as normalise
from .structure import AnatomicalStructure as AnatomicalStructure
from .structures import (
    STRUCTURES as STRUCTURES,
    find_structure as find_structure,
    label_structures as label_structures,
    mirrored_name as mirrored_name,
)
from .targets import (
    PromptTarget as PromptTarget,
    all_targets as all_targets,
    find_target as find_target,
)
from .text_check import check_text as check_text
from .tools import (
    TOOLS as TOOLS,
    ToolTerm as ToolTerm,
)
from .words import Word as Word
