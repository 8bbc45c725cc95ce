# Made by tools/make_stubs.py from the table in __init__.py.
from .grammar import write_texts as write_texts
from .merging import (
    PromptSource as PromptSource,
    merge_prompts as merge_prompts,
    prompts_from as prompts_from,
)
from .prompt_files import (
    read_prompts as read_prompts,
    write_prompts as write_prompts,
)
from .prompt_job import (
    DatasetTargets as DatasetTargets,
    PromptJobSettings as PromptJobSettings,
    dataset_targets as dataset_targets,
    make_prompts as make_prompts,
)
from .settings import GrammarSettings as GrammarSettings
from .text_prompt import TextPrompt as TextPrompt
from .view_names import (
    is_frontal as is_frontal,
    view_words as view_words,
)
