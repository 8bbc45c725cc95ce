"""Texts of other sources: asked for, checked, and put with the rest."""

import pytest
from xraykit.fluorosam.prompts import TextPrompt, merge_prompts, prompts_from, write_texts
from xraykit.render import InputError


def test_any_callable_is_a_source_of_texts():
    seen = []

    def model(target, examples):
        seen.append((target, examples))
        return [f"kindly find {examples[0]}", "  show   me the liver as well as you can, please "]

    made = prompts_from(model, {"liver": ["the liver"]}, name="a model")
    assert seen == [("liver", ("the liver",))]
    assert [(one.text, one.kind, one.source) for one in made] == [
        ("kindly find the liver", "short", "a model"),
        ("show me the liver as well as you can, please", "long", "a model"),
    ]


def test_a_bad_text_of_a_callable_is_named():
    with pytest.raises(InputError, match="a model, target liver: a prompt must be plain text, got the markup"):
        prompts_from(lambda target, examples: ["<liver>"], {"liver": ()}, name="a model")


def test_equal_texts_are_kept_once_and_the_first_stays():
    ours = write_texts("liver", 10)
    again = [TextPrompt("liver", one.text.upper() + "!", source="mine") for one in ours]
    assert merge_prompts(ours, again) == ours


def test_a_text_for_two_things_is_refused():
    pair = [TextPrompt("femur_left", "the big bone"), TextPrompt("tibia_left", "the big bone.", source="mine.csv")]
    with pytest.raises(InputError, match=r"must ask for one thing, got 'the big bone\.' for femur_left"):
        merge_prompts(pair)


def test_a_held_out_text_is_never_trained_on():
    held_out = write_texts("liver", 1, split="held_out")
    with pytest.raises(InputError, match="held-out text must not be trained on"):
        merge_prompts(held_out, [TextPrompt("liver", held_out[0].text)])


def test_other_names_of_one_set_agree():
    assert len(merge_prompts([TextPrompt("kidneys", "renal pair")], [TextPrompt("kidney", "Renal pair")])) == 1
