"""Voicemail with real phones: a message is left, seen by its lamp, heard, deleted; a kill."""

from __future__ import annotations

import time

import pytest

from pbx.demo.driver import wait_for_wav
from pbx.demo.tones import heard, read_wav
from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.office import Record as Row
from tests.kit.phones.pjsua import SoftCall
from tests.kit.recordings import sides_of

HZ = 560
SPOKEN_S = 4.0


def speaking(office: TestedOffice, phones: Phones) -> SoftCall:
    """Return the call of 101 who speaks into the box of 102, whose phone is not there."""
    call = phones.pjsua(office, "101").dial(office.uri("102"))
    call.wait("confirmed")
    call.wait_media()
    time.sleep(0.5)
    call.press("1")
    folder = office.folder / "var" / "voicemail"
    eventually(lambda: list(folder.glob("*.wav")), bool)
    call.play(HZ)
    return call


def messages(office: TestedOffice, count: int) -> list[Row]:
    """Return the messages once there are `count`."""
    rows: list[Row] = eventually(
        lambda: office.ask("voicemail", "list"), lambda rows: len(rows) == count
    )
    return rows


@pytest.mark.interop("pjsua2")
def test_a_message_is_left_and_heard(office: TestedOffice, phones: Phones) -> None:
    call = speaking(office, phones)
    time.sleep(SPOKEN_S)
    call.hang_up()
    (row,) = messages(office, 1)
    assert (row["box"], row["caller"], row["state"]) == ("102", "101", "new")
    assert SPOKEN_S - 0.5 < row["seconds"] < SPOKEN_S + 1.0
    (sound,) = sides_of(office.folder / "var" / "voicemail" / f"{row['id']}.wav")
    assert heard(sound.part(1.0, 2.5)) == {HZ}
    record = office.record()
    assert (record["result"], record["ended_by"]) == ("voicemail", "caller")

    owner = phones.pjsua(office, "102").dial(office.uri("*97"))
    owner.wait("confirmed")
    owner.wait_media()
    file = owner.listen()
    eventually(
        lambda: office.ask("voicemail", "list")[0]["state"],
        lambda state: state == "heard",
        timeout=40.0,
    )
    owner.do("stop_recording")
    listened = read_wav(wait_for_wav(file))
    seconds = [listened.part(start, start + 1) for start in range(int(listened.seconds))]
    assert [heard(second) for second in seconds].count({HZ}) >= SPOKEN_S - 2
    owner.press("7#")
    messages(office, 0)
    kept = office.folder / "var" / "voicemail"
    eventually(lambda: list(kept.iterdir()), lambda files: not files)


@pytest.mark.interop("pjsua2")
def test_a_killed_server_costs_no_message(make_office: OfficeMaker, phones: Phones) -> None:
    office = make_office()
    office.start()
    speaking(office, phones)
    time.sleep(SPOKEN_S)
    office.kill()
    office.start()
    (row,) = messages(office, 1)
    assert row["seconds"] > SPOKEN_S - 1.5
    assert row["error"] == "the message was cut off by a crash"
    assert office.stop() == 0
