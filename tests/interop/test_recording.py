"""Recordings on a real worker and a real server: killed while they go on, many at once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pbx.demo.tones import Sound, heard, level_of
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.protocol import Enter, Record
from pbx.media.recording.repair import repair
from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.office import Record as CallRecord
from tests.kit.phones.pjsua import SoftCall
from tests.kit.recordings import labels_of, sides_of
from tests.kit.rtp import RtpPhone
from tests.kit.rtp import phones as rtp_phones
from tests.kit.tones import tone
from tests.media.test_worker import RunningWorker

CALLS = 10
SPOKEN_S = 4.3
LOST_S = 1.0
"""What a kill may cost, at most."""

HZ = 430


@pytest.fixture
def worker() -> Iterator[RunningWorker]:
    worker = RunningWorker("--stock", "32")
    yield worker
    worker.end()


def speak(parties: list[RtpPhone], seconds: float) -> None:
    """Let all say their tone in real time."""
    samples = tone(HZ, 1.0, rate=8000, level_dbfs=-16.0).samples.reshape(50, 160)
    payloads = ARRAY_CODECS["PCMU"].encode(None, samples)
    begun = time.monotonic()
    for n in range(round(seconds * 50)):
        for party in parties:
            party.say(payload=payloads[n % 50])
        time.sleep(max(0.0, begun + (n + 1) * 0.02 - time.monotonic()))


def test_a_worker_killed_during_ten_recordings_costs_each_a_second_at_most(
    worker: RunningWorker, tmp_path: Path
) -> None:
    with rtp_phones(*["127.0.0.1"] * CALLS) as parties:
        for number, party in enumerate(parties, 1):
            worker.add(number, party)
            worker.lock(number, party)
        files = [tmp_path / "2026" / "11" / f"call{number}-1.wav" for number in range(CALLS)]
        for number, file in enumerate(files, 1):
            worker.send(Enter(number, number), Record(100 + number, number, str(file), number))
        worker.settle()
        begun = time.monotonic()
        speak(parties, SPOKEN_S)
        worker.process.send_signal(signal.SIGKILL)
        recorded = time.monotonic() - begun
        worker.process.wait(10)
    for file in files:
        mended = repair(file)
        assert mended is not None
        left, right = sides_of(file)
        assert left.seconds == mended.seconds > recorded - LOST_S
        assert heard(left.part(0.5)) == {HZ}
        assert not np.abs(right.samples).max() > 8, "nobody is on the other side"


ALICE_HZ = 560
BOB_HZ = 950
LEAK_DB = 35.0
"""By how much a party is louder on its own side than on the other; phones' µ-law is no cleaner."""


@pytest.fixture
def talk(office: TestedOffice, phones: Phones) -> tuple[SoftCall, SoftCall]:
    """Let 101 talk to 102, each with a tone of its own."""
    return between(office, phones)


def between(office: TestedOffice, phones: Phones) -> tuple[SoftCall, SoftCall]:
    """Return both ends of a call from 101 to 102, each with a tone of its own."""
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    caller = alice.dial(office.uri("102"))
    called = bob.incoming()
    called.answer()
    for call, hz in ((caller, ALICE_HZ), (called, BOB_HZ)):
        call.wait("confirmed")
        call.wait_media()
        call.play(hz)
    return caller, called


def recorded(office: TestedOffice, count: int = 1) -> list[CallRecord]:
    """Return the recordings once there are `count` that are over, newest first."""
    rows: list[CallRecord] = eventually(
        lambda: office.ask("recording", "list"),
        lambda rows: len([row for row in rows if row["state"] != "recording"]) >= count,
    )
    return rows


def sides(office: TestedOffice, row: CallRecord) -> list[Sound]:
    return sides_of(office.folder / "var" / "recordings" / row["file"])


@pytest.mark.interop("pjsua2")
def test_a_call_recorded_by_key_has_each_party_on_its_side(
    office: TestedOffice, talk: tuple[SoftCall, SoftCall]
) -> None:
    caller, called = talk
    caller.press("*1")
    eventually(lambda: office.ask("recording", "list"), bool)
    time.sleep(3.0)
    called.press("*1")
    (row,) = recorded(office)
    left, right = (side.part(1.0, 2.5) for side in sides(office, row))
    assert heard(left) == {ALICE_HZ}
    assert heard(right) == {BOB_HZ}
    assert level_of(left, ALICE_HZ) - level_of(right, ALICE_HZ) > LEAK_DB
    assert level_of(right, BOB_HZ) - level_of(left, BOB_HZ) > LEAK_DB
    assert row["seconds"] > 3.0
    caller.hang_up()
    record = office.record()
    assert record["recording"] == row["id"]
    assert record["recordings"][0]["sha256"] == row["sha256"] is not None


@pytest.mark.interop("pjsua2")
def test_a_pause_by_command_is_silence_and_a_mark(
    office: TestedOffice, talk: tuple[SoftCall, SoftCall], tmp_path: Path
) -> None:
    caller, called = talk
    (call,) = office.ask("calls")
    office.cli("recording", "start", call["id"])
    (row,) = office.ask("recording", "list")
    time.sleep(1.0)
    office.cli("recording", "pause", row["id"])
    time.sleep(1.0)
    office.cli("recording", "resume", row["id"])
    time.sleep(1.0)
    caller.hang_up()
    called.wait("disconnected")
    (row,) = recorded(office)
    file = office.folder / "var" / "recordings" / row["file"]
    (begun, _), (ended, _) = labels_of(file)
    for side in sides_of(file):
        assert not side.samples[begun + 160 : ended - 160].any()
    assert len(row["pauses"]) == 1
    exported = tmp_path / "out.wav"
    office.cli("recording", "export", row["id"], str(exported))
    assert exported.read_bytes() == file.read_bytes()


@pytest.mark.interop("pjsua2")
def test_a_server_that_is_stopped_completes_its_recordings(
    office: TestedOffice, talk: tuple[SoftCall, SoftCall]
) -> None:
    talk[1].press("*1")
    eventually(lambda: office.ask("recording", "list"), bool)
    time.sleep(1.0)
    assert_stopped_properly(office)
    (row,) = recorded(office)
    assert (row["state"], row["error"]) == ("complete", None)
    assert len(sides(office, row)) == 2
    office.start()


@pytest.mark.interop("pjsua2")
def test_a_killed_server_leaves_a_recording_that_plays_and_is_in_the_index(
    office: TestedOffice, talk: tuple[SoftCall, SoftCall]
) -> None:
    talk[0].press("*1")
    eventually(lambda: office.ask("recording", "list"), bool)
    time.sleep(3.0)
    office.kill()
    office.start()
    (row,) = recorded(office)
    assert row["state"] == "interrupted"
    assert row["seconds"] > 3.0 - LOST_S
    assert heard(sides(office, row)[0].part(1.0, 2.0)) == {ALICE_HZ}
    record = office.record()
    assert (record["result"], record["recording"]) == ("interrupted", row["id"])
    assert_stopped_properly(office)
    office.start()


@pytest.mark.interop("pjsua2")
def test_an_office_may_record_in_opus(make_office: OfficeMaker, phones: Phones) -> None:
    office = make_office()
    file = office.folder / "callpbx.yaml"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"recording": {"format": "opus"}}))
    office.start()
    caller, _ = between(office, phones)
    caller.press("*1")
    eventually(lambda: office.ask("recording", "list"), bool)
    time.sleep(2.0)
    caller.hang_up()
    (row,) = recorded(office)
    assert (row["format"], row["state"]) == ("opus", "complete")
    file = office.folder / "var" / "recordings" / row["file"]
    mended = repair(file)
    assert mended is not None
    assert mended.sha256 == row["sha256"], "there was nothing to mend"
    assert 2.0 < row["seconds"] == pytest.approx(mended.seconds, abs=0.001)
    assert file.stat().st_size < 60_000 * row["seconds"] / 8 + 1000, "48 kbit/s, and the frame"
    assert_stopped_properly(office)
