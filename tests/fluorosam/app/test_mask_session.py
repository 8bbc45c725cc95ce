"""Masks of X-rays: what is asked, corrected, taken back, accepted; each X-ray is encoded once."""

import pytest
import torch
from support.fluorosam_app import known_sam, opened, write_xrays
from xraykit.fluorosam.app import MaskSession
from xraykit.fluorosam.app import mask_session as sessions
from xraykit.render import InputError


@pytest.fixture
def folder(tmp_path):
    write_xrays(tmp_path)
    return tmp_path


def chosen(session):
    return session.history.now.find(session.history.now.chosen)


def test_each_text_becomes_a_mask_in_one_pass_and_the_last_is_chosen(folder):
    session = opened(folder)
    assert session.ask(["left femur", " all  ribs "]) == ""
    first, second = session.history.now.masks
    assert (first.name, first.answer.target, second.name) == ("left femur", "femur_left", "all ribs")
    assert session.history.now.chosen == 2 and session.sam.network.decoded == 1


def test_words_that_were_passed_over_are_said(folder):
    session = opened(folder)
    assert session.ask(["neck of the left femur"]).endswith("is taken as 'left femur'; the vocabulary has no 'neck'.")


def test_clicks_correct_the_chosen_mask_and_begin_another_where_none_is(folder):
    session = opened(folder)
    session.ask(["left femur"])
    session.point((3.5, 30.5), inside=True)
    session.point((35.5, 50.5), inside=False)
    (mask,) = session.history.now.masks
    assert mask.points == ((3.5, 30.5), (35.5, 50.5)) and mask.labels == (1, 0)
    assert bool(mask.answer.mask[30, 3]), "the network is told of both"
    session.choose(None)
    session.point((20.5, 10.5), inside=True)
    assert [mask.number for mask in session.history.now.masks] == [1, 2] and chosen(session).name == "structure 2"


def test_an_answer_begins_with_the_one_before(folder):
    """The network of this test keeps what an earlier answer had, so a spot that was found stays found."""
    session = opened(folder)
    session.point((8.5, 10.5), inside=True)
    session.point((30.5, 50.5), inside=True)
    assert bool(chosen(session).answer.mask[10, 8]) and bool(chosen(session).answer.mask[50, 30])
    assert session.sam.network.decoded == 2


def test_a_box_replaces_the_box_before(folder):
    session = opened(folder)
    session.draw_box((2.0, 4.0, 20.0, 30.0))
    session.draw_box((22.0, 34.0, 38.0, 56.0))
    (mask,) = session.history.now.masks
    assert mask.box == (22.0, 34.0, 38.0, 56.0)
    assert bool(mask.answer.mask[45, 30]) and not bool(mask.answer.mask[15, 10])


def test_every_change_is_taken_back_and_made_again(folder):
    session = opened(folder)
    changes = [
        lambda: session.ask(["left femur"]),
        lambda: session.point((3.5, 30.5), inside=True),
        lambda: session.draw_box((2.0, 4.0, 20.0, 30.0)),
        lambda: session.take_candidate(2),
        lambda: session.rename(1, "thigh bone"),
        lambda: session.point((3.5, 30.5), inside=True),
        lambda: session.accept(1, accepted=True),
        lambda: session.delete(1),
    ]
    states = [session.history.now]
    for change in changes:
        change()
        states.append(session.history.now)
    asked = session.sam.network.decoded
    for state in reversed(states[:-1]):
        session.undo()
        assert session.history.now is state
    session.undo()
    for state in states[1:]:
        session.redo()
        assert session.history.now is state
    session.redo()
    assert session.sam.network.decoded == asked, "answers are kept"
    session.undo()
    session.rename(1, "femur")
    assert session.history.steps[1] == 0, "a new change ends what could be made again"


def test_numbers_are_never_given_again(folder):
    session = opened(folder)
    session.point((3.5, 30.5), inside=True)
    session.delete(1)
    session.point((3.5, 30.5), inside=True)
    assert session.history.now.masks[0].number == 2


def test_a_candidate_that_a_person_takes_is_the_answer_that_goes_on(folder):
    session = opened(folder)
    session.ask(["left femur"])
    session.take_candidate(2)
    assert chosen(session).answer.best == 2 and chosen(session).answer.confidence == pytest.approx(0.5)
    with pytest.raises(InputError, match="the candidate must be 1 to 3, got 4"):
        session.take_candidate(3)


def test_what_is_not_visible_is_said_and_cannot_be_accepted(folder):
    session = opened(folder)
    session.ask(["spleen"])
    assert not chosen(session).answer.visible
    with pytest.raises(InputError, match="must show something to be accepted, got none of 'spleen'; click on it"):
        session.accept(1, accepted=True)
    session.point((30.5, 30.5), inside=True)
    assert chosen(session).answer.visible, "a person who clicks on it knows better"


def test_a_corrected_mask_has_to_be_accepted_again(folder):
    session = opened(folder)
    session.ask(["left femur"])
    session.accept(1, accepted=True)
    assert session.history.now.chosen is None, "the next click is for another mask"
    session.choose(1)
    session.point((3.5, 30.5), inside=True)
    assert not session.history.now.masks[0].is_accepted


def test_one_xray_is_encoded_once_however_much_is_asked_of_it(folder):
    session = opened(folder)
    session.ask(["left femur", "ribs"])
    for number in (1, 0, 1, 0):
        session.open(number)
        session.point((3.5, 30.5), inside=True)
    assert session.sam.network.embedded == 2
    assert len(session.history.now.masks) == 2, "masks stay with their X-ray"


def test_xrays_that_were_left_long_ago_are_encoded_again(tmp_path):
    files = write_xrays(tmp_path, *[(20 + n, 30) for n in range(6)])
    session = MaskSession(known_sam(), files, tmp_path / "out")
    for number in range(6):
        session.open(number)
    session.open(0)
    assert session.image.size == (20, 30) and len(session._open) == sessions.MEMORY


@pytest.mark.parametrize("damage", ["damaged", "vanished"])
def test_an_xray_that_cannot_be_read_is_said_and_the_others_stay_usable(folder, damage):
    session = opened(folder)
    session.ask(["left femur"])
    whole = (folder / "b.png").read_bytes()
    if damage == "vanished":
        (folder / "b.png").unlink()
    else:
        (folder / "b.png").write_bytes(whole[:60])
    session.open(1)
    assert session.image is None and "b.png" in session.faults[1]
    for ask in (lambda: session.ask(["ribs"]), lambda: session.point((1.0, 1.0), inside=True), session.save):
        with pytest.raises(InputError, match="got one that cannot be read; go to another"):
            ask()
    session.open(0)
    assert [mask.name for mask in session.history.now.masks] == ["left femur"]
    (folder / "b.png").write_bytes(whole)
    session.open(1)
    assert session.image.size == (48, 64) and not session.faults


@pytest.mark.parametrize(
    "ask, words",
    [
        (lambda s: s.ask([]), "words must say what to find"),
        (lambda s: s.ask(["left femur", "flibbertigibbet"]), "must name something known"),
        (lambda s: s.ask(["<b>"]), "must be plain text"),
        (lambda s: s.ask([""]), "must say in words what to find"),
        (lambda s: s.ask(["femur " * 60]), "45 words"),
        (lambda s: s.ask(["бедро"]), "must be in English"),
        (lambda s: s.ask(["ribs"] * 101), "can have 100 masks here, got 101 more"),
        (lambda s: s.point((41.0, 3.0), inside=True), "must lie in the image of 40 x 60"),
        (lambda s: s.point((float("nan"), 3.0), inside=True), "must lie in the image"),
        (lambda s: s.draw_box((5.0, 5.0, 5.0, 9.0)), "left < right"),
        (lambda s: s.draw_box((5.0, 5.0, 50.0, 9.0)), "must lie in the image"),
        (lambda s: s.choose(3), "there is no mask 3"),
        (lambda s: s.take_candidate(0), "there is no mask chosen"),
        (lambda s: s.accept(1, accepted=True), "there is no mask 1"),
        (lambda s: s.delete(1), "there is no mask 1"),
        (lambda s: s.rename(1, "x"), "there is no mask 1"),
        (lambda s: s.rename(1, "  "), "1 to 250 printable letters"),
        (lambda s: s.open(2), "must be 1 to 2, got 3"),
        (lambda s: s.save(), "must be accepted before it is saved"),
        (lambda s: s.collimation(1, 3.0), "there is no mask 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_changes_nothing(folder, ask, words):
    session = opened(folder)
    before = session.history.now
    with pytest.raises(InputError, match=words):
        ask(session)
    assert session.history.now is before and session.history.steps == (0, 0)
    session.point((3.5, 30.5), inside=True)
    assert session.history.now.masks[0].number == 1, "no number was lost"


def test_names_that_cannot_be_written_are_refused(folder):
    session = opened(folder)
    session.point((3.5, 30.5), inside=True)
    for name in ("a\0b", "\ud800", "x" * 251):
        with pytest.raises(InputError, match="1 to 250 printable letters"):
            session.rename(1, name)


def test_collimation_is_of_the_mask_as_it_is(folder):
    session = opened(folder)
    session.draw_box((10.0, 15.0, 30.0, 45.0))
    box = session.collimation(1, 5.0)
    found = torch.tensor([box.left, box.top, box.right, box.bottom])
    assert float((found - torch.tensor([5.0, 10.0, 35.0, 50.0])).abs().max()) <= 2
    session.choose(None)
    session.ask(["spleen"])
    with pytest.raises(InputError, match="got an empty mask"):
        session.collimation(2, 5.0)
