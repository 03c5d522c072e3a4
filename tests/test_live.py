"""The running server as the API shows it: calls and their states, while they go on."""

from __future__ import annotations

import asyncio

from pbx.alarms import Alarms
from pbx.api.views import DatabaseHealth, LiveCall
from pbx.live import About, Live
from pbx.media.protocol import LegReport, StreamFigures
from pbx.trace import Trace
from tests.api.centre_double import CentreDouble
from tests.api.office_double import DialplanDouble
from tests.kit.exchange import House, flow


def live_of(house: House) -> Live:
    """Return what the API would be given."""

    async def reload() -> None:
        house.registrations.directory_changed()

    trace = Trace(house.clock.wall)
    house.bus.attach(trace.sink)
    return Live(
        about=lambda: About("1", house.clock.wall(), house.clock.monotonic(), (), ()),
        exchange=house.exchange,
        registrar=house.registrar,
        guard=house.guard,
        trace=trace,
        alarms=Alarms(house.clock.wall),
        media=lambda: (),
        database=lambda: DatabaseHealth(ok=True, size_bytes=0, pending=0),
        reload_directory=reload,
        dialplan=DialplanDouble(),
    )


def shown(live: Live) -> tuple[str, list[str]]:
    """Return the state of the only call, and those of its legs."""
    (call,) = live.calls()
    assert isinstance(call, LiveCall)
    return call.state, [leg.state for leg in call.legs]


def test_a_call_and_its_legs_go_through_their_states() -> None:
    async def scenario(house: House) -> None:
        live = live_of(house)
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        assert shown(live) == ("ringing", ["ringing", "ringing"])
        rung.answer()
        await call.answered()
        await asyncio.sleep(1)
        assert shown(live) == ("talking", ["answered", "answered"])
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await asyncio.sleep(1)
        assert shown(live) == ("held", ["held", "answered"])
        house.media._soon = lambda report: None  # the worker takes its time
        call.hang_up()
        await asyncio.sleep(0.5)
        assert shown(live) == ("ending", [])
        assert live.status().legs == 0
        await rung.ended()
        await asyncio.sleep(2)
        assert live.calls() == []

    flow(scenario)


def test_a_leg_shows_how_its_sound_is_once_that_is_measured() -> None:
    async def scenario(house: House) -> None:
        live = live_of(house)
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        first, second = sorted(house.media.legs)
        nothing = StreamFigures()
        house.media.report(LegReport(first, StreamFigures(packets=100), nothing))
        (shown,) = live.calls()
        assert (shown.legs[0].mos, shown.legs[0].loss_percent, shown.legs[0].jitter_ms) == (
            None,
            None,
            None,
        )
        received = StreamFigures(packets=285, lost=15, jitter_ms=3.14, round_trip_ms=20.04)
        house.media.report(LegReport(first, received, nothing))
        told = StreamFigures(packets=300, lost=30, reported=300, jitter_ms=7.0)
        house.media.report(LegReport(second, StreamFigures(packets=300), told))
        (shown,) = live.calls()
        one, other = shown.legs
        assert (one.mos, one.loss_percent) == (3.91, 5.0)  # 10 ms one way cost a little
        assert (one.jitter_ms, one.round_trip_ms) == (3.1, 20.0)
        assert (other.mos, other.loss_percent, other.round_trip_ms) == (3.41, 10.0, None)
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_call_that_was_clicked_rings_until_both_talk() -> None:
    async def scenario(house: House) -> None:
        live = live_of(house)
        alice, bob = await house.registered("101", "102")
        name = await live.originate("101", "102")
        own = await alice.rung()
        assert shown(live) == ("ringing", ["ringing"])
        own.answer()
        rung = await bob.rung()
        assert shown(live)[0] == "ringing"
        rung.answer()
        await asyncio.sleep(1)
        assert shown(live) == ("talking", ["answered", "answered"])
        live.hangup(name)
        await rung.ended()
        await own.ended()

    flow(scenario)


def test_an_announcement_before_the_answer_is_routing() -> None:
    async def scenario(house: House) -> None:
        live = live_of(house)
        (alice,) = await house.registered("101")
        call = alice.call("*999")
        await asyncio.sleep(1)
        assert shown(live) == ("routing", ["ringing"])
        call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_change_of_the_directory_is_taken_over() -> None:
    async def scenario(house: House) -> None:
        live = live_of(house)
        await house.registered("101", "102")
        del house.directory.extensions["102"]
        await live.directory_changed()
        assert [each.number for each in live.registrations()] == ["101"]

    flow(scenario)


def test_a_call_shows_its_queue_and_its_agent() -> None:
    async def scenario(house: House) -> None:
        live = live_of(house)
        live.centre = centre = CentreDouble()
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        await bob.rung()
        (shown,) = live.calls()
        assert (shown.queue, shown.agent) == (None, None)
        centre.taken[shown.id] = ("sales", "102")
        (shown,) = live.calls()
        assert (shown.queue, shown.agent) == ("sales", "102")
        call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)
