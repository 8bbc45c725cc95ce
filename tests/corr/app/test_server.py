"""The page's server answers with views, heat and pairs, and in sentences."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from support.page_requests import ask

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-corr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-corr[app]'")

from support.corr_app import small_page, written

POINTS = {"a": {"view": 0, "x": 1, "y": 2}, "b": {"view": 1, "x": 3, "y": 4}}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with small_page(tmp_path_factory.mktemp("app")) as server:
        yield server


def told(server, name, body=None):
    status, content, _ = ask(server, f"/api/{name}", body)
    assert status == 200, content
    return json.loads(content)


def test_page_and_its_parts_are_served_and_name_no_other_host(server):
    names = ["", "app.js", "view.js", "heat.js", "panel.js", "style.css", "icon.svg", "api.js"]
    for name in names:
        status, content, headers = ask(server, f"/{name}")
        assert status == 200 and "default-src 'self'" in headers["content-security-policy"]
        if name != "icon.svg":
            assert b"http:" not in content and b"https:" not in content, name


def test_strangers_are_refused(server):
    assert ask(server, "/api/state", headers={"X-Token": "guessed"})[0] == 403
    assert ask(server, "/api/save", headers={"Origin": "http://elsewhere.example"})[0] == 403


def test_state_tells_views_overlap_and_pairs(server):
    state = told(server, "state")
    assert [view["letter"] for view in state["views"]] == ["A", "B"]
    assert state["views"][0]["size"] == [60, 40] and state["views"][0]["square"] == [-10, 0, 60]
    assert state["grid"] == 8 and 0 < state["overlap"][0]["score"] < 1
    assert state["sample"] == {"id": None, "patient": "p01", "split": "train"} and state["saved"]


def test_heat_is_every_probability(server):
    matrix = server.session.matches.between(1, 0).numpy()
    _, content, _ = ask(server, "/api/heat", {"first": 1, "second": 0})
    np.testing.assert_allclose(np.frombuffer(content, "<u2").reshape(64, 64) / 65535, matrix, atol=1e-5)


def test_xray_is_its_picture(server):
    _, content, headers = ask(server, "/api/xray", {"view": 1})
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (64, 48) and headers["content-type"] == "image/png"
    assert np.array_equal(np.asarray(picture), server.session.matches.xrays[1].grey)


def test_pairs_are_added_changed_deleted_and_saved(server):
    points = {"a": {"view": 0, "x": 10, "y": 20.5}, "b": {"view": 1, "x": 30, "y": 9}}
    state = told(server, "add", {**points, "match": True, "radius": 4, "name": " tip "})
    assert state["pairs"] == [
        {"views": [0, 1], "a": [10.0, 20.5], "b": [30.0, 9.0], "match": True, "radius": 4, "name": "tip"}
    ]
    assert not state["saved"] and state["undo"] == 1
    assert not told(server, "mark", {"pair": 0, "match": False})["pairs"][0]["match"]
    state = told(server, "save")
    assert state["saved"] and state["sample"]["id"] == "s001"
    (sample,) = written(server.session.sample.path)["samples"]
    assert sample["pairs"][0]["points"][0]["y"] == 0
    assert told(server, "delete", {"pair": 0})["pairs"] == []
    assert len(told(server, "undo")["pairs"]) == 1


@pytest.mark.parametrize(
    "name, body, words",
    [
        ("xray", {"view": 2}, "view must be a whole number from 0, got 2"),
        ("xray", {"view": "../x"}, "view must be a whole number"),
        ("heat", {"first": 0, "second": 0}, "got view 0 twice"),
        ("heat", {"first": True, "second": 0}, "first must be a whole number"),
        ("add", {}, "a must have a view, x and y"),
        ("add", {"a": {"view": 0, "x": 1, "y": "2"}}, "a must have a view, x and y"),
        ("add", {"a": {"view": 0, "x": 1, "y": 2}, "b": {"view": 0, "x": 1, "y": 2}}, "points of two views"),
        ("add", {"a": {"view": 0, "x": 1, "y": 2}, "b": {"view": 1, "x": 65, "y": 2}}, "must lie in b.png"),
        ("add", {"a": {"view": 0, "x": 1, "y": 2}, "b": {"view": 1, "x": 6, "y": 2}, "name": 3}, "name text"),
        ("mark", {"pair": 9}, "pairs, got number 10"),
        ("mark", {"pair": 10**4299 * 9}, "pair must be a whole number from 0, got 9000"),
        ("mark", {"pair": 0, "match": "no"}, "match must be true or false, got 'no'"),
        ("add", {**POINTS, "match": 0}, "match must be true or false, got 0"),
        ("add", {**POINTS, "match": None}, "match must be true or false, got None"),
        ("add", {**POINTS, "name": "\ud800"}, "must hold whole characters"),
        ("add", {**POINTS, "radius": 10**400}, "radius must be a number and name text, got 1000"),
        ("add", {**POINTS, "radius": float("inf")}, "radius must be a number and name text, got inf"),
        ("add", {**POINTS, "a": {"view": 0, "x": 10**400, "y": 2}}, "a must have a view, x and y, got"),
        ("add", {**POINTS, "a": {"view": 10**400, "x": 1, "y": 2}}, "a must have a view, x and y, got"),
        ("xray", {"view": 10**400}, "view must be a whole number from 0, got 1000"),
        ("delete", {}, "pair must be a whole number"),
    ],
)
def test_bad_requests_are_answered_in_a_sentence(server, name, body, words):
    before = told(server, "state")
    status, content, _ = ask(server, f"/api/{name}", body)
    assert status == 400 and words in json.loads(content)["error"]
    assert told(server, "state") == before
