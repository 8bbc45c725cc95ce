"""Texts that ask for something in an X-ray: a grammar that writes them, files that hold them, other sources."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "grammar": "write_texts",
        "merging": "PromptSource merge_prompts prompts_from",
        "prompt_files": "read_prompts write_prompts",
        "prompt_job": "DatasetTargets PromptJobSettings dataset_targets make_prompts",
        "settings": "GrammarSettings",
        "text_prompt": "TextPrompt",
        "view_names": "is_frontal view_words",
    },
)
