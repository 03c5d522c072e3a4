"""Conditions: how they are read, and what holds."""

from __future__ import annotations

import pytest

from pbx.plan.condition import parse_condition

VALUES = {
    "level": "vip",
    "age": "42",
    "code": "0123",
    "name": "Li and Wang",
    "list": "a",
    "none": "",
}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("level is vip", True),
        ("level is not vip", False),
        ("level in [a, vip]", True),
        ("level not in [a, b]", True),
        ("age > 5", True),
        ("age < 5", False),
        ("age >= 42.0", True),
        ("age <= 41", False),
        ("level > 5", False),
        ("age is 42.00", True),
        ("code is 123", False),
        ("code starts with 01", True),
        ("none is empty", True),
        ("nobody is empty", True),
        ("none is not empty", False),
        ('name is "Li and Wang"', True),
        ("name is 'Li and Wang'", True),
        ("level is ${level}", True),
        ("level is ${none or level}", True),
        ("level is a or age is 42", True),
        ("level is vip and age is 41", False),
        ("level is a and age is 1 or code is 0123", True),
        ("level  is   not   empty", True),
    ],
)
def test_a_condition_holds_or_not(source: str, holds: bool) -> None:
    condition = parse_condition(source)
    assert condition.holds(VALUES) is holds
    assert str(condition) == source


@pytest.mark.parametrize("source", ["", "level", "level = vip", "is vip", "level is", "a in []"])
def test_what_is_no_condition_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"is no condition|has an empty list"):
        parse_condition(source)


def test_a_condition_names_its_variables() -> None:
    assert parse_condition("a.b is ${c or d} and e is empty").names == {"a.b", "c", "d", "e"}


def test_a_condition_that_nobody_could_read_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 2000 characters"):
        parse_condition("a is " + "[" * 2_000)
