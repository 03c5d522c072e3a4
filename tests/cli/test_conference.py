"""`callpbx conference …`."""

from __future__ import annotations

import json

from pbx.api.views import ConferenceMember, ConferenceView
from pbx.config import Home
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command


def member(number: str, **more: bool) -> ConferenceMember:
    since = "2020-01-01T00:00:00.000Z"
    return ConferenceMember(number=number, call="c1", leg=int(number), since=since, **more)


def test_rooms_and_their_members_are_listed(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    assert "No conference rooms" in command("conference", "list")[1]
    live.live.rooms = [
        ConferenceView(
            room="7001",
            max=50,
            pin=True,
            locked=True,
            since="2020-01-01T00:00:00.000Z",
            members=(member("101", moderator=True, talking=True), member("102", muted=True)),
        ),
        ConferenceView(room="7002", max=5, pin=False),
    ]
    _, out, _ = command("conference", "list")
    first, second, third = out.splitlines()[1:4]
    assert "7001 (locked)" in first
    assert "moderator, talking" in first
    assert "102" in second
    assert "muted" in second
    assert "nobody is in it" in third
    rooms = json.loads(command("conference", "list", "--json")[1])
    assert [room["room"] for room in rooms] == ["7001", "7002"]
    assert rooms[0]["members"][0]["moderator"] is True


def test_pins_are_set(live: OfficeDouble, command: Command) -> None:
    assert command("conference", "set", "7001", "--pin", "2580", "--moderator-pin", "9513")[0] == 0
    assert command("conference", "set", "7001", "--pin", "3691")[0] == 0
    assert live.directory.pins == {"7001": ("3691", None)}
    status, _, error = command("conference", "set", "7001")
    assert (status, "Say which PIN" in error) == (2, True)


def test_pins_of_a_room_that_the_dialplan_lacks_are_remarked_on(
    live: OfficeDouble, command: Command, home: Home
) -> None:
    home.dialplan.write_text('version: 1\nconferences:\n  "7001": {}\n')
    for room, missing in (("7001", False), ("7009", True)):
        status, out, _ = command("conference", "set", room, "--pin", "3691")
        assert (status, "no such room" in out) == (0, missing)


def test_members_are_muted_put_out_and_invited(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    live.live.rooms = [ConferenceView(room="7001", max=50, pin=True)]
    for words in (
        ("lock", "7001"),
        ("unlock", "7001"),
        ("mute", "7001", "102"),
        ("unmute", "7001", "102"),
        ("kick", "7001", "102"),
        ("dial", "7001", "103"),
    ):
        status, out, _ = command("conference", *words)
        assert status == 0
        assert "7001" in out
        assert live.live.done[-1] == words
    assert command("conference", "lock", "7009")[2] == "nobody is in conference 7009\n"
