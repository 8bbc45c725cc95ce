"""The page's server answers with X-rays, masks and words, and in sentences."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from support.page_requests import ask

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-fluorosam[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-fluorosam[app]'")

from support.fluorosam_app import small_page, written

FILES = ("app", "view", "drawing", "masks", "words", "panel", "keys", "api")
HUGE = 10**400


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with small_page(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(autouse=True)
def first_xray(server):
    """Every test begins with the first X-ray and without masks."""
    server.session.open(0)
    for history in server.session.histories.values():
        history.__init__()


def told(server, request, /, **body):
    status, content, _ = ask(server, f"/api/{request}", body)
    assert status == 200, content
    return json.loads(content)


def picture(server, name, **body):
    _, content, headers = ask(server, f"/api/{name}", body)
    assert headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(content)))


def test_page_and_its_parts_are_served_and_name_no_other_host(server):
    for name in ["", "style.css", "icon.svg", *(f"{file}.js" for file in FILES)]:
        status, content, headers = ask(server, f"/{name}")
        assert status == 200 and "default-src 'self'" in headers["content-security-policy"]
        if name != "icon.svg":
            assert b"http:" not in content and b"https:" not in content, name


def test_strangers_are_refused(server):
    assert ask(server, "/api/state", headers={"X-Token": "guessed"})[0] == 403
    assert ask(server, "/api/save", headers={"Origin": "http://elsewhere.example"})[0] == 403


def test_state_tells_the_xray_and_its_masks(server):
    state = told(server, "ask", image=0, texts=["left femur", "spleen"])
    assert (state["name"], state["size"], state["fault"], state["chosen"]) == ("a.png", [60, 40], None, 2)
    assert state["images"][0] == {"name": "a.png", "masks": 2, "saved": False, "kept": False, "fault": False}
    first, second = state["masks"]
    assert first["visible"] and first["confidence"] == 0.75 and first["candidates"] == [0.25, 0.75, 0.5]
    assert not second["visible"] and first["colour"] != second["colour"]
    assert "polarity" in state["notes"][0] and not state["saved"] and state["steps"] == [1, 0]


def test_pictures_are_the_xray_and_its_masks(server):
    grey = picture(server, "picture")
    assert grey.shape == (60, 40) and grey[:, 5].mean() < grey[:, 35].mean(), "bone bright"
    state = told(server, "box", image=0, left=10, top=20, right=30, bottom=50)
    (mask,) = state["masks"]
    shown = picture(server, "mask", mask=1, stamp=mask["stamp"])
    truth = server.session.history.now.masks[0].answer.mask.numpy()
    assert np.array_equal(shown[..., 1] > 127, truth), "opaque where the mask is"
    small = picture(server, "small", mask=1, stamp=mask["stamp"], candidate=1)
    assert small.shape[0] > small.shape[1] and small[..., 1].any()
    assert not picture(server, "small", mask=1, stamp=mask["stamp"], candidate=0)[..., 1].any()
    status, content, _ = ask(server, "/api/mask", {"mask": 1, "stamp": mask["stamp"] + 1})
    assert (status, content) == (204, b""), "a look that is out of date"


def test_points_boxes_names_and_steps_are_taken(server):
    told(server, "point", image=0, x=8.5, y=10, inside=True)
    state = told(server, "point", image=0, x=30, y=50, inside=False)
    assert state["masks"][0]["points"] == [[8.5, 10, 1], [30, 50, 0]]
    assert told(server, "rename", image=0, mask=1, name=" left  hip ")["masks"][0]["name"] == "left hip"
    assert told(server, "candidate", image=0, candidate=1)["masks"][0]["candidate"] == 1
    state = told(server, "accept", image=0, mask=1, accepted=True)
    assert state["masks"][0]["accepted"] and state["chosen"] is None
    assert told(server, "choose", image=0, mask=1)["chosen"] == 1
    assert told(server, "choose", image=0, mask=None)["chosen"] is None
    assert told(server, "delete", image=0, mask=1)["masks"] == []
    assert told(server, "undo", image=0)["masks"][0]["name"] == "left hip"
    assert told(server, "redo", image=0)["masks"] == []


def test_save_writes_what_is_accepted(server):
    told(server, "ask", image=0, texts=["left femur", "liver"])
    told(server, "accept", image=0, mask=1, accepted=True)
    state = told(server, "save", image=0)
    assert state["saved"] and state["images"][0]["kept"] and state["said"] == ""
    assert len(written(server.session.annotations.folder / "annotations.json")["annotations"]) == 1


def test_collimation_box_is_told_and_saved(server):
    told(server, "box", image=0, left=10, top=20, right=30, bottom=50)
    box = told(server, "collimate", mask=1, margin=4)
    assert np.allclose(box["box"], [6, 16, 34, 54], atol=2) and box["size_mm"] is None
    assert told(server, "save_collimation", mask=1, margin=4) == "a_collimation.json"


def test_words_are_suggested(server):
    found = told(server, "suggest", text="left fem")
    assert found[0] == "left femur" and len(found) <= 7
    assert told(server, "suggest", text="") == []
    assert isinstance(told(server, "suggest", text="é <b>" * 200), list)


def test_change_of_an_xray_that_was_left_is_refused(server):
    told(server, "open", image=1)
    status, content, _ = ask(server, "/api/point", {"image": 0, "x": 1, "y": 1, "inside": True})
    assert status == 400 and "X-ray 2 is open by now, got a change of 1" in json.loads(content)["error"]


@pytest.mark.parametrize(
    "name, body, words",
    [
        ("open", {"image": 2}, "the X-ray must be 1 to 2, got 3"),
        ("open", {"image": "../x"}, "image must be a whole number"),
        ("open", {"image": HUGE}, "image must be a whole number from 0, got 1000"),
        ("ask", {}, "texts must be a list of texts, got None"),
        ("ask", {"texts": "femur"}, "texts must be a list"),
        ("ask", {"texts": [3]}, "texts must be a list"),
        ("ask", {"texts": []}, "words must say what to find"),
        ("ask", {"texts": ["<script>"]}, "got the markup"),
        ("ask", {"texts": ["\ud800"]}, "must hold whole characters"),
        ("ask", {"texts": ["flibbertigibbet"]}, "must name something known"),
        ("point", {"x": "1", "y": 1, "inside": True}, "x must be a number, got '1'"),
        ("point", {"x": HUGE, "y": 1, "inside": True}, "x must be a number, got 1000"),
        ("point", {"x": float("nan"), "y": 1, "inside": True}, "x must be a number, got nan"),
        ("point", {"x": 41, "y": 1, "inside": True}, "must lie in the image"),
        ("point", {"x": 1, "y": 1, "inside": 1}, "inside must be true or false, got 1"),
        ("box", {"left": 9, "top": 1, "right": 3, "bottom": 4}, "left < right"),
        ("box", {"left": 9}, "top must be a number, got None"),
        ("choose", {"mask": 9}, "there is no mask 9"),
        ("choose", {"mask": True}, "mask must be a whole number"),
        ("candidate", {"candidate": 0}, "there is no mask chosen"),
        ("candidate", {"candidate": -1}, "candidate must be a whole number from 0"),
        ("accept", {"mask": 1, "accepted": "no"}, "accepted must be true or false"),
        ("rename", {"mask": 1, "name": 3}, "name must be text, got 3"),
        ("delete", {}, "mask must be a whole number from 1, got None"),
        ("save", {}, "must be accepted before it is saved"),
        ("collimate", {"mask": 1, "margin": 3}, "there is no mask 1"),
        ("collimate", {"mask": 1, "margin": "x"}, "margin must be a number"),
        ("save_collimation", {"mask": 1, "margin": -1}, "there is no mask 1"),
        ("mask", {"mask": 1}, "stamp must be a whole number"),
        ("suggest", {"text": 3}, "text must be text, got 3"),
        ("undo", {"image": None}, "image must be a whole number"),
    ],
)
def test_bad_requests_are_answered_in_a_sentence(server, name, body, words):
    before = told(server, "state")
    status, content, _ = ask(server, f"/api/{name}", {"image": 0, **body})
    assert status == 400 and words in json.loads(content)["error"]
    assert told(server, "state") == before
