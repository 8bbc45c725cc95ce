"""What can be asked for, and how it is called: structures, groups, tools, their neighbours, and names for them."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "annotations": "absent_targets annotations_of present_targets tool_kind",
        "fluoroseg_names": "FLUOROSEG_GROUPS FluoroSegCategory fluoroseg_category fluoroseg_group "
        "fluoroseg_labels real_rib_name",
        "groups": "TARGET_GROUPS TargetGroup",
        "mirror_images": "is_one_sided left_right",
        "neighbours": "INVERSE RELATIONS Neighbour neighbours_of",
        "noun_phrases": "NounPhrase known_phrases phrase phrases_of tool_phrases",
        "reduced_classes": "pretraining_classes ReducedClass",
        "recognition": "resolve suggest understand UnderstoodText",
        "structure": "AnatomicalStructure",
        "structures": "STRUCTURES find_structure label_structures mirrored_name",
        "targets": "PromptTarget all_targets find_target",
        "text_check": "check_text",
        "tools": "TOOLS ToolTerm",
        "spelling": "normalise",
        "words": "Word",
    },
)
