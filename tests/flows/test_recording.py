"""Recordings follow their call: on demand, paused, cut off; the index and the record agree."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.call.call import Call
from pbx.call.recording import (
    LONGEST_PAUSE,
    NOT_WHOLE,
    REFUSED_TONE,
    STARTED_TONE,
    STOPPED_TONE,
    WORKER_DIED,
)
from pbx.errors import NotFound, Refused
from pbx.events import (
    RecordingEnded,
    RecordingEvent,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
)
from pbx.media.protocol import Announce, CodeHeard, Record, RecordingDone, StopRecording
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall


async def talking(house: House) -> tuple[PhoneCall, PhoneCall, Call]:
    """Return the two ends of a call, and the call."""
    _, bob = await house.registered("101", "102")
    outgoing = house.phones[0].call("102")
    rung = await bob.rung()
    rung.answer()
    await outgoing.answered()
    await asyncio.sleep(1)
    (call,) = house.exchange.calls.values()
    return outgoing, rung, call


def key(house: House, call: Call, code: str = "*1") -> None:
    """Let the caller key a code."""
    house.media.report(CodeHeard(call.caller.id, code))


def test_a_call_is_recorded_on_demand_with_the_caller_on_the_left() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        (command,) = house.media.sent(Record)
        assert command.bridge == call.bridge.number
        assert command.left == call.caller.id
        assert command.path == f"/recordings/2026/11/21/{call.id}-1.wav"
        await asyncio.sleep(5)
        key(house, call)
        await asyncio.sleep(1)
        assert not house.media.recording
        heard = [each.sources for each in house.media.sent(Announce)]
        assert heard == [STARTED_TONE, STOPPED_TONE]
        outgoing.hang_up()
        await rung.ended()

    house = flow(scenario)
    record = house.record
    (recorded,) = record.recordings
    assert record.recording == recorded.id == f"{record.id}-1"
    assert recorded.sha256 == "0" * 64
    assert recorded.seconds == 1.0
    assert [type(event) for event in house.index.entries] == [RecordingStarted, RecordingEnded]


def test_keyed_again_the_call_has_a_second_recording() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        for _ in range(3):
            key(house, call)
            await asyncio.sleep(1)
        outgoing.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert [each.id for each in record.recordings] == [f"{record.id}-1", f"{record.id}-2"]


def test_a_recording_ends_with_its_call_and_the_record_waits_for_its_hash() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        outgoing.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.media.sent(StopRecording)) == 1
    assert house.record.recordings[0].sha256 == "0" * 64


def test_a_record_does_not_wait_forever_and_the_index_hears_of_the_end_all_the_same() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        (command,) = house.media.sent(Record)
        house.media.recording.clear()  # the worker never answers
        outgoing.hang_up()
        await rung.ended()
        await asyncio.sleep(1.5)
        assert house.record.recordings[0].sha256 is None
        house.media.report(RecordingDone(command.recording, 2.0, 58, "f" * 64))

    house = flow(scenario)
    ended = house.index.entries[-1]
    assert isinstance(ended, RecordingEnded)
    assert ended.sha256 == "f" * 64
    assert ended.call == house.record.id


def test_a_pause_goes_on_for_two_minutes_at_most() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        (recording,) = house.recordings.of(call.bridge)
        recording.pause()
        recording.pause()
        assert house.media.paused
        await asyncio.sleep(LONGEST_PAUSE + 1)
        assert not house.media.paused
        recording.pause()
        recording.resume()
        recording.resume()
        outgoing.hang_up()
        await rung.ended()

    house = flow(scenario)
    kinds = [type(event) for event in house.index.entries]
    assert kinds == [
        RecordingStarted,
        *(RecordingPaused, RecordingResumed) * 2,
        RecordingEnded,
    ]
    first, second = house.happened(RecordingResumed)
    assert isinstance(first, RecordingResumed)
    assert isinstance(second, RecordingResumed)
    assert (first.by_itself, second.by_itself) == (True, False)


def test_a_call_that_ends_while_paused_leaves_no_timer() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        (recording,) = house.recordings.of(call.bridge)
        recording.pause()
        outgoing.hang_up()
        await rung.ended()
        await asyncio.sleep(2 * LONGEST_PAUSE)

    assert not flow(scenario).happened(RecordingResumed)


def test_a_lost_worker_ends_its_recordings() -> None:
    async def scenario(house: House) -> None:
        _, rung, call = await talking(house)
        key(house, call)
        house.media.lose_worker()
        await rung.ended()

    house = flow(scenario)
    (recorded,) = house.record.recordings
    assert (recorded.sha256, recorded.error) == (None, WORKER_DIED)


def test_nothing_is_recorded_while_the_disk_is_full() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        house.recordings.refused = "the disk is full"
        key(house, call)
        (tone,) = house.media.sent(Announce)
        assert tone.sources == REFUSED_TONE
        with pytest.raises(Refused, match="the disk is full"):
            house.recordings.start(call.bridge, call)
        house.recordings.refused = None
        key(house, call)
        outgoing.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.record.recordings) == 1


def test_a_recording_that_is_not_whole_raises_an_alarm() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        (command,) = house.media.sent(Record)
        del house.media.recording[command.recording]
        failed = RecordingDone(command.recording, 0.0, 0, "", "no space left")
        house.media.report(failed)
        assert house.recordings.of(call.bridge) == []
        outgoing.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert house.alarms == [NOT_WHOLE]
    assert house.record.recordings[0].error == "no space left"


def test_a_recording_is_found_while_it_goes_on() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        assert house.recordings.find(f"{call.id}-1").bridge is call.bridge
        outgoing.hang_up()
        await rung.ended()
        with pytest.raises(NotFound):
            house.recordings.find(f"{call.id}-1")

    flow(scenario)


def test_a_server_that_ends_completes_what_goes_on() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)
        await house.recordings.finish()
        assert not house.media.recording
        assert isinstance(house.index.entries[-1], RecordingEnded)
        key(house, call)
        house.media.recording.clear()  # a worker that does not answer
        await house.recordings.finish()
        outgoing.hang_up()
        await rung.ended()
        house.recordings.worker_lost(house.media.worker)

    flow(scenario)


def test_no_recording_begins_of_a_call_that_is_ending() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        call.hang_up("enough")
        with pytest.raises(Refused, match="is ending"):
            house.recordings.begin(call)
        await outgoing.ended()
        await rung.ended()
        assert not house.media.sent(Record)

    flow(scenario)


def test_a_call_that_goes_out_is_recorded_with_its_customer_on_the_left() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        call.who = replace(call.who, direction="outbound")
        house.recordings.begin(call)
        (record,) = house.media.sent(Record)
        assert call.legs[record.left or 0].number == "102", "it hears no whisper"
        outgoing.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_defect_in_the_index_costs_no_call() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        key(house, call)

        def broken(_event: RecordingEvent, _at: float) -> None:
            raise ValueError("a defect")

        house.index.take = broken  # type: ignore[method-assign]
        house.defects = 1
        house.recordings.of(call.bridge)[0].stop()
        await asyncio.sleep(1)
        assert house.exchange.calls
        outgoing.hang_up()
        await rung.ended()

    assert flow(scenario).record.result == "answered"


def test_a_room_is_recorded_in_mono_and_named_in_the_records_of_all() -> None:
    async def scenario(house: House) -> None:
        outgoing, rung, call = await talking(house)
        recording = house.recordings.start(call.bridge, call)
        assert house.media.sent(Record)[0].left is None
        recording.name_in(call)
        outgoing.hang_up()
        await rung.ended()

    assert len(flow(scenario).record.recordings) == 1
