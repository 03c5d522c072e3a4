"""Section `conferences`: what a line may say, and its mistakes."""

from __future__ import annotations

import pytest

from pbx.plan.destination import Destination
from pbx.plan.model import Conference
from tests.kit.broken import loaded, mistake


def test_a_room_has_defaults_and_what_its_line_says() -> None:
    plan = loaded("""\
numbers:
  "4001": conference:7001
conferences:
  "7001": {max: 12, record: yes, wait_for_moderator: yes, pin: yes, tones: no}
  "7002": {}
  7003:
""")
    room = plan.conferences["7001"]
    assert room == Conference(
        "7001", 12, record=True, wait_for_moderator=True, pin=True, tones=False, mark=room.mark
    )
    assert [plan.conferences[name].mark.line for name in ("7001", "7002", "7003")] == [5, 6, 7]
    assert plan.conference("7004") is None
    assert plan.numbers["4001"].destination == Destination("conference", "7001")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"7001": {max: ▸1}', '"1" is no whole number from 2 to 500'),
        ('"7001": {pin: ▸1234}', '"1234" is neither yes nor no'),
        ('"7001": {▸maxx: 5}', 'unknown key "maxx" in conferences.7001 — did you mean "max"?'),
        ('▸"room": {}', 'E005 conferences: "room" cannot be a name here'),
        ('"7001": ▸50', "conferences.7001 must hold lines of KEY: VALUE"),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, words: str) -> None:
    assert words in mistake(f"conferences:\n  {line}\n")


def test_a_destination_must_be_a_room() -> None:
    text = 'numbers:\n  "4001": ▸conference:7002\nconferences:\n  "7001": {}\n'
    words = 'E014 numbers.4001: unknown conference "7002" — did you mean "7001" (line 5)?'
    assert mistake(text) == words
