"""A defect of ours costs the call it happened in: what is fenced, and what an event after it finds.

The defects are put in on purpose; each scenario says how many it causes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pbx.call import info, renegotiation, routing, worker_reports
from pbx.call.exchange import Exchange
from pbx.call.leg import Leg
from pbx.call.ringing import Ringing
from pbx.events import CallEnded, LegEnded, LegQuality
from pbx.media.protocol import LegFreed, LegReport, MediaSilent, StreamFigures
from pbx.sip import events as sip
from tests.flows.test_hold import talking
from tests.kit.exchange import House, flow


def broken(*_: object, **__: object) -> None:
    """Fail as a defect does."""
    raise RuntimeError("a defect")


def test_an_event_that_breaks_ends_its_call_and_the_next_event_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(info, "received", broken)

    async def scenario(house: House) -> None:
        house.defects = 1
        _, _, first, rung = await talking(house)
        carol, dave = await house.registered("103", "104")
        second = carol.call("104")
        other = await dave.rung()
        first.info(b"Signal=5\r\n", "application/dtmf-relay")
        other.answer()  # arrives in the same moment
        await second.answered()
        await first.ended()
        await rung.ended()
        assert list(house.exchange.calls) != []
        second.hang_up()
        await other.ended()

    house = flow(scenario)
    reasons = [record.reason for record in house.records.values()]
    assert reasons == ["internal_error", "bye"]
    first = next(iter(house.records.values()))
    assert (first.result, first.ended_by, first.cause) == ("answered", "system", 41)


def test_what_waits_behind_an_event_that_breaks_is_taken_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(house: House) -> None:
        house.defects = 1
        _, _, first, _ = await talking(house)
        carol, dave = await house.registered("103", "104")
        second = carol.call("104")
        (await dave.rung()).answer()
        await second.answered()
        one, other = (call.caller.invite for call in house.exchange.calls.values())
        queue: list[sip.UserAgentEvent] = [
            sip.ReinviteFailed(one, 488, None),
            sip.InviteEnded(other, "session_expired"),
        ]
        with monkeypatch.context() as patch:
            patch.setattr(renegotiation, "failed", broken)
            patch.setattr(house.ua, "next_event", lambda: queue.pop(0) if queue else None)
            house.exchange.pump()
        assert not queue
        await first.ended()
        second.hang_up()
        await asyncio.sleep(1)

    house = flow(scenario)
    reasons = [record.reason for record in house.records.values()]
    assert reasons == ["internal_error", "session_expired"]


def test_a_broken_invite_gets_500_and_the_call_has_its_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Leg, "begin", broken)

    async def scenario(house: House) -> None:
        house.defects = 1
        (alice,) = await house.registered("101")
        assert await alice.call("102").failed() == 500

    record = flow(scenario).record
    assert (record.result, record.reason, record.sip_status) == ("failed", "internal_error", 500)


def test_an_invite_that_breaks_before_there_is_a_call_gets_500(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Exchange, "_turns_away", broken)

    async def scenario(house: House) -> None:
        house.defects = 1
        (alice,) = await house.registered("101")
        assert await alice.call("102").failed() == 500

    assert not flow(scenario).records


def test_a_number_that_cannot_be_looked_up_leaves_no_call_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routing, "from_extension", broken)

    async def scenario(house: House) -> None:
        house.defects = 1
        (alice,) = await house.registered("101")
        assert await alice.call("102").failed() == 500
        assert not house.exchange.calls

    assert not flow(scenario).records


def test_a_script_that_breaks_while_it_is_cancelled_is_counted_and_changes_no_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(house: House) -> None:
        house.defects = 1
        alice, bob = await house.registered("101", "102")
        monkeypatch.setattr(Ringing, "__aexit__", broken)
        call = alice.call("102")
        rung = await bob.rung()
        call.hang_up()
        await rung.saw(sip.InviteCancelled)

    assert flow(scenario).record.result == "cancelled"


def test_a_report_of_the_worker_that_breaks_ends_its_call_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(house: House) -> None:
        house.defects = 1
        _, _, call, rung = await talking(house)
        with monkeypatch.context() as broke:
            broke.setattr(worker_reports, "_ask", broken)
            house.media.report(MediaSilent(min(house.media.legs), 30.0))
        await call.ended()
        await rung.ended()

    assert flow(scenario).record.reason == "internal_error"


def test_a_leg_that_cannot_be_closed_keeps_no_other_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(house: House) -> None:
        house.defects = 1
        _, _, call, rung = await talking(house)
        end = house.ua.end

        def first_breaks(*args: object, **options: object) -> None:
            monkeypatch.setattr(house.ua, "end", end)
            broken()

        monkeypatch.setattr(house.ua, "end", first_breaks)
        (live,) = house.exchange.calls
        house.exchange.hangup(live)
        await rung.ended()
        call.hang_up()
        await asyncio.sleep(40)

    house = flow(scenario)
    assert house.record.ended_by == "supervisor"
    assert len(house.happened(LegEnded)) == 2


# -- the last event of every call ------------------------------------------------------------------


def test_call_ended_is_the_last_event_also_when_the_worker_is_late() -> None:
    async def scenario(house: House) -> None:
        late: list[Callable[[], None]] = []
        house.media._soon = late.append
        _, _, call, _ = await talking(house)
        legs = sorted(house.media.legs)
        house.media.report(LegReport(legs[0], StreamFigures(packets=77), StreamFigures()))
        call.hang_up()
        await asyncio.sleep(3)
        assert house.happened(CallEnded)
        for report in late:
            report()
        house.media.report(LegFreed(legs[0], StreamFigures(), StreamFigures()))

    house = flow(scenario)
    assert isinstance(house.events[-1].event, CallEnded)
    assert len(house.happened(LegQuality)) == 2, "what the last report said"
    received = [row for row in house.record.quality if row.direction == "received"]
    assert sorted(row.packets for row in received) == [0, 77]


def test_nothing_that_a_script_does_late_is_told() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        (live,) = house.exchange.calls.values()
        call.hang_up()
        await rung.ended()
        await asyncio.sleep(2)
        live.routed("ext:999")

    assert isinstance(flow(scenario).events[-1].event, CallEnded)
