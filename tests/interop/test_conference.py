"""Conference rooms with real phones: by tones, each hears exactly the others, whoever comes and
goes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.sipp import Sipp
from tests.kit.phones.talker import Talker, wait_for
from tests.kit.recordings import sides_of
from tests.kit.tones import heard, tone

ROOM = "7001"
NUMBER = "900"
TONES = (430, 690, 820, 950, 1080)
JOIN_HZ, LEAVE_HZ = 784, 587
"""The note on which each of the room's own tones is longest."""


CROWD = tuple(range(620, 620 + 50 * 40, 40))
"""A tone for each of fifty callers, and how loud: together they are as loud as one phone."""
CROWD_DBFS = -30.0
PHONES = (430, 500, 560)
ALL = (*PHONES, *CROWD)
STAYS_S = 6.0
"""Seconds that the crowd stays."""

PASSERS = 30
"""Callers who look in for half a second."""


@pytest.mark.load
@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("workers", [1, 2])
def test_each_of_five_hears_the_four_others(
    serve: OfficeMaker, phones: Phones, workers: int
) -> None:
    office = serve(rooms={ROOM: "mix_only_talkers: no"}, workers=workers)
    office.add_extensions([("105", "phone-105-secret")])
    started = phones.at_once(
        lambda: phones.pjsua(office, "101", codecs="PCMU"),
        lambda: phones.pjsua(office, "102", codecs="G722"),
        lambda: phones.pjsua(office, "103", codecs="PCMA"),
        lambda: phones.baresip(office, "104", codec="PCMA", hz=TONES[3]),
        lambda: phones.baresip(office, "105", codec="opus", hz=TONES[4]),
    )
    members: list[Talker] = []
    for phone, hz in zip(started, TONES, strict=True):
        marks = [member.mark() for member in members]
        call = phone.dial(office.uri(ROOM))
        call.wait("confirmed")
        members.append(Talker(call, hz))
        wait_for({member: set(members) - {member} for member in members})
        for member, mark in zip(members[:-1], marks, strict=True):
            assert_announced(member, JOIN_HZ, mark, set(members[:-1]) - {member})
    last = members.pop()
    marks = [member.mark() for member in members]
    last.call.hang_up()
    wait_for({member: set(members) - {member} for member in members})
    for member, mark in zip(members, marks, strict=True):
        assert_announced(member, LEAVE_HZ, mark, set(members) - {member})
    office.cli("conference", "kick", ROOM, "101")
    members[0].call.wait("disconnected")
    wait_for({member: set(members[1:]) - {member} for member in members[1:]})


def assert_announced(member: Talker, hz: int, mark: float, others: set[Talker]) -> None:
    """Look for a tone of the room's own, over all that the member heard meanwhile."""
    sound = member.since(mark)
    wanted = {hz, *(other.hz for other in others)}
    starts = [step / 20 for step in range(int(sound.seconds * 20) - 4)]
    assert any(heard(sound.part(at, at + 0.2), wanted) == wanted for at in starts), member


@pytest.mark.interop("pjsua2", "sipp")
@pytest.mark.load
@pytest.mark.timeout(120)
def test_fifty_callers_and_three_phones_all_hear_each_other(
    serve: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = serve(
        rooms={ROOM: "max: 100, record: yes, tones: no, mix_only_talkers: no"},
        numbers={NUMBER: f"conference:{ROOM}"},
    )
    office.add_load_trunk(port=5081)
    office.add_load_trunk(port=5082, name="passers")
    started = phones.at_once(
        *(lambda n=n: phones.pjsua(office, n, codecs="PCMU") for n in ("101", "102", "103"))
    )

    def join(number: int) -> Talker:
        call = started[number].dial(office.uri(ROOM))
        call.wait("confirmed")
        return Talker(call, PHONES[number])

    def all_hear(*members: Talker, crowd: tuple[int, ...]) -> None:
        others = {each: {*members, *crowd} - {each} for each in members}
        wait_for(others, tones=ALL, timeout=15.0)

    opened = time.monotonic()
    a, b, c = (join(number) for number in range(3))
    all_hear(a, b, c, crowd=())
    with Sipp(
        "talker",
        tmp_path,
        port=5081,
        target=office.server,
        calls=50,
        rate=50,
        pause_ms=round(STAYS_S * 1000),
        number=NUMBER,
        sounds=[tone(hz, 1.0, level_dbfs=CROWD_DBFS) for hz in CROWD],
    ) as crowd:
        all_hear(a, b, c, crowd=CROWD)
        with Sipp(
            "caller",
            tmp_path,
            port=5082,
            target=office.server,
            calls=PASSERS,
            rate=20,
            pause_ms=500,
            number=NUMBER,
        ) as passers:
            c.call.hang_up()
            all_hear(a, b, crowd=CROWD)
            c = join(2)
            all_hear(a, b, c, crowd=CROWD)
            report = passers.finish(timeout=10)
        assert (report.succeeded, report.failed) == (PASSERS, 0), report
        report = crowd.finish(timeout=30)
    assert (report.succeeded, report.failed) == (50, 0), report
    all_hear(a, b, c, crowd=())
    for talker in (a, b, c):
        talker.call.hang_up()
        talker.call.wait("disconnected")
    lived = time.monotonic() - opened
    (room,) = office.ask("conference", "list")
    assert (room["members"], room["since"]) == ([], None)
    assert_whole(office, tmp_path / "room.wav", seconds=lived)


def assert_whole(office: TestedOffice, file: Path, *, seconds: float) -> None:
    """Export the one recording: all of the room's life, and everybody in it."""
    (recording,) = eventually(
        lambda: office.ask("recording", "list"),
        lambda rows: [row["state"] for row in rows] == ["complete"],
    )
    office.cli("recording", "export", recording["id"], str(file))
    (sound,) = sides_of(file)
    assert sound.seconds == pytest.approx(seconds, abs=0.5)
    seen = [heard(sound.part(start, start + 0.5), ALL) for start in range(int(sound.seconds))]
    assert set(PHONES) in seen
    assert set(ALL) in seen
