"""What a prompt may be."""

import pytest
from xraykit.fluorosam.vocabulary import check_text
from xraykit.render import InputError


def test_white_space_becomes_one_space():
    assert check_text("  left\n femur ") == "left femur"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must say in words what to find, got ''"),
        (" \n ", "must say in words"),
        ("?!", "must say in words"),
        ("left\x00 femur", "got control characters"),
        ("left \u202efemur", "got control characters"),
        ("<b>femur</b>", "got the markup '<'"),
        ("femur {x}", "got the markup '{'"),
        ("femur &amp; tibia", "got the markup '&amp;'"),
        ("левая бедренная кость", "must be in English, got the letter 'л'"),
        ("左大腿骨", "must be in English"),
        ("femur " * 46, "at most, got 46 and"),
        ("f" * 251, "at most, got 1 and 251"),
        (None, "must be text, got NoneType"),
    ],
)
def test_a_bad_prompt_is_refused_in_one_sentence(text, said):
    with pytest.raises(InputError, match=r"^a prompt must ") as caught:
        check_text(text)
    assert said in str(caught.value)
