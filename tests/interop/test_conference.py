"""Conference rooms with real phones: by tones, each hears exactly the others, whoever comes and
goes."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker
from tests.kit.phones.talker import Talker, loudest, wait_for

ROOM = "7001"
TONES = (430, 690, 820, 950, 1080)
JOIN_HZ, LEAVE_HZ = 784, 587
"""The note on which each of the room's own tones is longest."""


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
            assert loudest(member.since(mark), JOIN_HZ, window_s=0.2) > -40
    last = members.pop()
    marks = [member.mark() for member in members]
    last.call.hang_up()
    wait_for({member: set(members) - {member} for member in members})
    for member, mark in zip(members, marks, strict=True):
        assert loudest(member.since(mark), LEAVE_HZ, window_s=0.2) > -40
    office.cli("conference", "kick", ROOM, "101")
    members[0].call.wait("disconnected")
    wait_for({member: set(members[1:]) - {member} for member in members[1:]})
