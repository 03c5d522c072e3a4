"""The bus: numbers, times, order of sinks, the fence, replay; and how events are stored."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import cast, get_args

import msgspec
import pytest

from pbx.events import AnyEvent, CallRouted, CallStarted, LegQuality, Quality
from pbx.events.bus import Bus, Stamped


@dataclass
class SetClock:
    """A clock that shows what it was set to."""

    now: float = 100.0
    wall_offset: float = 1_000.0

    def wall(self) -> float:
        return self.now + self.wall_offset

    def monotonic(self) -> float:
        return self.now


@dataclass
class Collector:
    """A sink that keeps what it got, and raises when told to."""

    raising: bool = False
    seen: list[Stamped] = field(default_factory=list)

    def take(self, stamped: Stamped) -> None:
        if self.raising:
            raise RuntimeError("broken sink")
        self.seen.append(stamped)


def routed(call: str = "c1", destination: str = "ext:102") -> CallRouted:
    return CallRouted(call=call, destination=destination)


def test_events_are_numbered_and_get_both_times() -> None:
    clock = SetClock()
    bus = Bus(clock, first_seq=7)
    first = bus.emit(routed())
    clock.now, clock.wall_offset = 101.5, -3_600.0
    second = bus.emit(routed())
    assert (first.seq, first.at, first.monotonic) == (7, 1_100.0, 100.0)
    assert (second.seq, second.at, second.monotonic) == (8, -3_498.5, 101.5)
    assert bus.last_seq == 8


def test_sinks_get_each_event_in_the_order_they_were_attached() -> None:
    bus = Bus(SetClock())
    order: list[str] = []
    bus.attach(lambda _: order.append("record"))
    bus.attach(lambda _: order.append("stream"))
    bus.emit(routed())
    bus.emit(routed())
    assert order == ["record", "stream", "record", "stream"]


def test_a_detached_sink_gets_nothing_more() -> None:
    bus, kept, gone = Bus(SetClock()), Collector(), Collector()
    bus.attach(kept.take)
    detach = bus.attach(gone.take)
    bus.emit(routed())
    detach()
    detach()
    bus.emit(routed())
    assert (len(kept.seen), len(gone.seen)) == (2, 1)


def test_a_sink_may_detach_itself_while_it_is_called() -> None:
    bus, last = Bus(SetClock()), Collector()
    calls: list[int] = []

    def once(stamped: Stamped) -> None:
        calls.append(stamped.seq)
        detach()

    detach = bus.attach(once)
    bus.attach(last.take)
    bus.emit(routed())
    bus.emit(routed())
    assert calls == [1]
    assert len(last.seen) == 2


def test_a_failing_sink_is_fenced_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    bus, broken, sound = Bus(SetClock()), Collector(raising=True), Collector()
    bus.attach(broken.take)
    bus.attach(sound.take)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            bus.emit(routed())
    assert bus.failures == {"Collector.take": 3}
    assert len(sound.seen) == 3
    assert len(caplog.records) == 1
    assert "c1" in caplog.text


def test_since_replays_what_is_newer_than_a_number() -> None:
    bus = Bus(SetClock())
    for _ in range(5):
        bus.emit(routed())
    assert [stamped.seq for stamped in bus.since(0)] == [1, 2, 3, 4, 5]
    assert [stamped.seq for stamped in bus.since(3)] == [4, 5]
    assert list(bus.since(5)) == []
    assert list(bus.since(99)) == []


def test_only_the_newest_events_are_kept_and_the_gap_shows() -> None:
    bus = Bus(SetClock(), keep=3)
    assert bus.oldest_seq == 1
    for _ in range(5):
        bus.emit(routed())
    assert bus.oldest_seq == 3
    assert [stamped.seq for stamped in bus.since(1)] == [3, 4, 5]


def test_emitting_while_replaying_does_not_disturb_the_replay() -> None:
    bus = Bus(SetClock(), keep=2)
    bus.emit(routed())
    bus.emit(routed())
    replayed = []
    for stamped in bus.since(0):
        replayed.append(stamped.seq)
        bus.emit(routed())
    assert replayed == [1, 2]


@pytest.mark.parametrize("kind", get_args(AnyEvent), ids=lambda kind: kind.__name__)
def test_every_event_survives_being_stored_as_json(kind: type[msgspec.Struct]) -> None:
    figures = Quality(
        leg="caller", direction="sent", codec="PCMA", packets=1, loss_percent=0.0, jitter_ms=0.1
    )
    samples: dict[str, object] = {
        "leg": 1,
        "other": 2,
        "role": "called",
        "by": "remote",
        "direction": "internal",
        "result": "found" if kind.__name__ == "LookupFinished" else "answered",
        "ended_by": "caller",
        "received": figures,
        "sent": figures,
        "caller_name": None,
        "cause": 16,
        "sip_status": 200,
        "silent_s": 30.0,
        "mode": "agent" if kind.__name__ == "PartyReleased" else "listen",
        "on": True,
        "format": "ulaw",
        "line": 7,
        "seconds": 0.5,
        "open": True,
        "waited_s": 12.5,
        "skills": {"en": 3},
        "chosen": ("101", "102"),
        "waiting": 4,
        "state": "available",
        "previous": "wrap_up",
        "tries": 2,
        "kind": "blind" if kind.__name__ == "TransferStarted" else "menu",
    }
    required = [f for f in msgspec.structs.fields(kind) if f.required]
    event = kind(**{f.name: samples.get(f.name, "text") for f in required})
    stamped = Stamped(3, 1.5, 2.5, cast("AnyEvent", event))
    assert msgspec.json.decode(msgspec.json.encode(stamped), type=Stamped) == stamped


def test_defaults_are_left_out_of_what_is_stored() -> None:
    started = CallStarted(
        call="c1", direction="internal", caller="101", caller_name=None, called="102"
    )
    assert b"trunk" not in msgspec.json.encode(started)
    assert b'"event":"CallStarted"' in msgspec.json.encode(started)


def test_quality_tells_both_directions_of_one_leg() -> None:
    received = Quality(
        leg="called", direction="received", codec="G722", packets=9, loss_percent=1.0, jitter_ms=2.0
    )
    event = LegQuality(
        call="c1",
        leg=4,
        received=received,
        sent=msgspec.structs.replace(received, direction="sent"),
    )
    assert (event.received.direction, event.sent.direction) == ("received", "sent")
