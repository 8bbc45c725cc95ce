"""Words of a line: plurals, registers, and those held out."""

from xraykit.fluorosam.vocabulary import Word
from xraykit.fluorosam.vocabulary.words import parse_words


def test_plurals_follow_a_slash_or_the_rule():
    femur, thigh = parse_words("femur/femora/femurs; thigh bone")
    assert femur == Word("femur", ("femora", "femurs")) and thigh.plurals == ("thigh bones",)


def test_the_noun_takes_the_s_and_not_what_follows_it():
    assert parse_words("screw with a tulip head")[0].plurals == ("screws with a tulip head",)


def test_a_star_holds_out_and_an_equals_sign_is_a_plural():
    word = parse_words("*ossa carpi/=", "latin")[0]
    assert word.held_out and word.is_plural and word.register == "latin"
