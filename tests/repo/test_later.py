"""Heavy modules of tests are loaded by the test that uses them, not when tests are collected."""

import sys

import pytest
from support.later import Later, later


def test_a_public_attribute_loads_the_module_and_is_its_own():
    assert later("json", reason="part of Python").loads is sys.modules["json"].loads


def test_what_pytest_asks_of_all_that_it_finds_loads_nothing():
    module = Later(lambda: pytest.fail("it was loaded"))
    for name in ("_mock_name", "__wrapped__", "__test__", "_pytestfixturefunction"):
        assert not hasattr(module, name)


def test_the_calling_module_is_skipped_where_the_module_is_not_installed():
    with pytest.raises(pytest.skip.Exception, match="needs what nobody has"):
        later("no_such_module_anywhere", reason="needs what nobody has")
