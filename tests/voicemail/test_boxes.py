"""Which boxes there are, and what somebody means who keys one."""

from __future__ import annotations

import pytest

from pbx.plan.model import Mailbox, Plan
from pbx.voicemail.boxes import Place, find_box, keyed_box
from tests.kit.exchange import Directory, Extension

DIRECTORY = Directory({"101": Extension("101", None, "", "")})
PLAN = Plan(
    "test",
    voicemail={
        "service": Mailbox("service", mail="a@b.example", greeting="closed"),
        "repair": Mailbox("repair"),
        "sepaip": Mailbox("sepaip"),
        "101": Mailbox("101", mail="owner@b.example"),
    },
)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("service", Place("service", False, "closed", "a@b.example")),
        ("101", Place("101", True, None, "owner@b.example")),
        ("102", None),
        ("", None),
    ],
)
def test_a_box_is_of_the_dialplan_or_an_extensions(name: str, place: Place | None) -> None:
    assert find_box(PLAN, DIRECTORY, name) == place


@pytest.mark.parametrize(
    ("keys", "name"), [("101", "101"), ("7378423", "service"), ("737247", None), ("9", None)]
)
def test_a_name_is_keyed_by_the_letters_on_the_keys(keys: str, name: str | None) -> None:
    place = keyed_box(PLAN, DIRECTORY, keys)
    assert (place and place.name) == name
