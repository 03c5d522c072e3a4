"""The media engine in memory keeps the promises of the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pbx.errors import NoResource
from pbx.media.engine import MediaEngine
from pbx.media.protocol import (
    AddLeg,
    Enter,
    FreeLeg,
    Leave,
    LegFreed,
    Play,
    SetGains,
    SetPart,
    StopPlaying,
    StreamFigures,
    UpdateLeg,
)
from tests.kit.media import FakeMediaEngine


class Ears:
    """An engine whose later calls are run by hand, and what it said."""

    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []
        self.heard: list[Any] = []
        self.lost: list[tuple[int, frozenset[int]]] = []
        self.engine = FakeMediaEngine(
            on_event=lambda _worker, event: self.heard.append(event),
            on_worker_lost=lambda worker, legs: self.lost.append((worker, legs)),
            soon=self.later.append,
        )

    def run(self) -> None:
        while self.later:
            self.later.pop(0)()

    def add_leg(self) -> int:
        port = self.engine.take_port(4)
        leg = self.engine.next_leg()
        self.engine.send(port, AddLeg(leg, port.port))
        return leg


def test_it_is_a_media_engine() -> None:
    engine: MediaEngine = FakeMediaEngine()
    assert engine.take_port(4).port == 10_000
    assert engine.take_port(6).port == 10_002


def test_freeing_a_leg_is_answered_soon_with_its_figures() -> None:
    ears = Ears()
    leg = ears.add_leg()
    figures = (StreamFigures(packets=50), StreamFigures(packets=49))
    ears.engine.figures[leg] = figures
    port = ears.engine.take_port(4)
    ears.engine.send(port, FreeLeg(leg))
    assert ears.heard == []
    ears.run()
    assert ears.heard == [LegFreed(leg, *figures)]
    assert ears.engine.legs == frozenset()
    assert ears.engine.leaks() == ["port 10002 is taken and unused"]
    ears.engine.give_back(port)
    assert ears.engine.leaks() == []


def test_members_of_a_bridge_hear_each_other_but_for_parts_and_gains() -> None:
    ears = Ears()
    one, two, three = (ears.add_leg() for _ in range(3))
    port = ears.engine.take_port(4)
    for leg in (one, two, three):
        ears.engine.send(port, Enter(leg, 7))
    assert ears.engine.hears(one) == {two: 1.0, three: 1.0}
    ears.engine.send(port, SetGains(7, ((one, three, 0.0), (two, three, 0.5))))
    assert ears.engine.hears(one) == {two: 1.0}
    assert ears.engine.hears(two) == {one: 1.0, three: 0.5}
    ears.engine.send(port, SetPart(two, speaks=False))
    assert ears.engine.hears(one) == {}
    assert ears.engine.hears(three) == {one: 1.0}
    ears.engine.send(port, SetPart(two))
    ears.engine.send(port, Leave(three))
    assert ears.engine.joined == {one: two, two: one}
    ears.engine.send(port, Enter(one, 8))
    assert ears.engine.joined == {}


def test_a_playback_ends_when_the_test_or_the_call_says() -> None:
    ears = Ears()
    leg = ears.add_leg()
    port = ears.engine.take_port(4)
    ears.engine.send(port, Play(leg, 0, ("tone:ring",)))
    ears.engine.send(port, UpdateLeg(leg, None, None, None, None))
    for number, name in enumerate("abc", 1):
        ears.engine.send(port, Play(leg, number, (f"file:/{name}.wav",)))
    ears.run()
    ears.engine.finish_playing(leg)
    ears.engine.send(port, StopPlaying(leg, 3))
    ears.run()
    ended = [(done.playback, done.finished) for done in ears.heard]
    assert ended[0] == (0, False), "nothing is played before a codec is agreed on"
    assert ended[1:] == [(1, False), (2, False), (3, True)], "a new one ends the one before"


def test_a_lost_worker_takes_its_legs_and_ports_along() -> None:
    ears = Ears()
    leg = ears.add_leg()
    old = ears.engine.take_port(4)
    ears.engine.send(old, FreeLeg(leg))
    leg = ears.add_leg()
    ears.engine.lose_worker()
    ears.run()
    assert ears.heard == []
    assert ears.lost == [(1, frozenset({leg}))]
    ears.engine.send(old, AddLeg(99, old.port))
    ears.run()
    assert ears.lost[1:] == [(1, frozenset({99}))]
    with pytest.raises(NoResource):
        ears.engine.take_port(4, beside=old)
    assert ears.engine.take_port(4).worker == 2


def test_an_exhausted_engine_refuses() -> None:
    engine = FakeMediaEngine()
    engine.exhausted = True
    with pytest.raises(NoResource):
        engine.take_port(4)
