"""What takes the matrix and what is relayed, and that both see the same members."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from pbx.media.mixing.bridge import Bridge
from pbx.media.protocol import (
    Announce,
    AnyCommand,
    Enter,
    Leave,
    PayloadMap,
    Play,
    PlaybackDone,
    SetGains,
    SetPart,
    StopPlaying,
)
from tests.kit.rtp import PCMU, Board, RtpPhone, phones
from tests.kit.tones import tone, write_wav

PCMA = PayloadMap("PCMA", 8, 8, 8000, event_send=101, event_receive=101)
NO_EVENTS = PayloadMap("PCMU", 0, 0, 8000)
OTHER_NUMBERS = PayloadMap("PCMU", 0, 0, 8000, event_send=120, event_receive=96)
BRIDGE = 7


@dataclass
class Call:
    """Two legs, not yet in a bridge."""

    board: Board
    phones: list[RtpPhone]
    legs: tuple[int, int]

    def enter(self) -> None:
        self.board.do(*(Enter(leg, BRIDGE) for leg in self.legs))

    @property
    def mixed(self) -> int:
        return self.board.switchboard.mixed


@pytest.fixture
def call() -> Iterator[Call]:
    with closing(Board()) as board, phones("127.0.0.1", "127.0.0.1") as pair:
        a, b = pair
        yield Call(board, pair, (board.add(a), board.add(b)))


@pytest.fixture
def prompt(tmp_path: Path) -> str:
    return f"file:{write_wav(tmp_path / 'prompt.wav', tone(430, 0.5))}"


Change = Callable[[Call, str], list[AnyCommand]]

TAKES_THE_MATRIX: dict[str, tuple[Change, Change]] = {
    "a mute": (
        lambda call, _: [SetPart(call.legs[0], speaks=False)],
        lambda call, _: [SetPart(call.legs[0])],
    ),
    "a hold": (
        lambda call, _: [SetPart(call.legs[0], speaks=False, hears=False)],
        lambda call, _: [SetPart(call.legs[0])],
    ),
    "a gain": (
        lambda call, _: [SetGains(BRIDGE, ((call.legs[0], call.legs[1], 0.5),))],
        lambda call, _: [SetGains(BRIDGE, ())],
    ),
    "a prompt over the call": (
        lambda call, prompt: [Play(call.legs[0], 1, (prompt,), loop=True, others=0.5)],
        lambda call, _: [StopPlaying(call.legs[0], 1)],
    ),
    "a gate": (
        lambda call, _: [Enter(call.legs[0], BRIDGE, gated=True)],
        lambda call, _: [Enter(call.legs[0], BRIDGE)],
    ),
}


@pytest.mark.parametrize("reason", TAKES_THE_MATRIX)
def test_what_a_relay_cannot_do_takes_the_matrix_as_long_as_it_lasts(
    call: Call, prompt: str, reason: str
):
    begin, end = TAKES_THE_MATRIX[reason]
    call.enter()
    assert call.mixed == 0
    call.board.do(*begin(call, prompt))
    assert call.mixed == 2
    call.board.do(*end(call, prompt))
    assert call.mixed == 0


@pytest.mark.parametrize(
    ("payload", "mixed"),
    [(PCMU, 0), (OTHER_NUMBERS, 0), (PCMA, 2), (NO_EVENTS, 2)],
    ids=["same", "other numbers", "other codec", "keys on one side"],
)
def test_relayed_are_legs_whose_packets_can_be_each_others(
    call: Call, payload: PayloadMap, mixed: int
):
    call.board.update(call.legs[1], call.phones[1], payload=payload)
    call.enter()
    assert call.mixed == mixed


def test_who_hears_a_prompt_alone_leaves_the_other_relayed(call: Call, prompt: str):
    a, b = call.phones
    call.enter()
    call.board.lock(a, b)
    call.board.do(Play(call.legs[0], 1, (prompt,), loop=True))
    said = a.say(5)
    call.board.settle()
    assert [packet.payload for packet in b.hear()] == said
    assert call.mixed == 1  # the ear that hears the prompt


def test_an_announcement_ends_and_the_legs_are_relayed_again(call: Call, prompt: str):
    call.enter()
    call.board.do(Announce(BRIDGE, (prompt,)), Announce(BRIDGE, (prompt,)))
    assert call.mixed == 2
    call.board.advance(0.9)
    assert call.mixed == 2
    call.board.advance(0.3)
    assert call.mixed == 0
    assert not call.board.events(PlaybackDone)


def test_a_bridge_that_ends_takes_its_announcements_with_it(call: Call, prompt: str):
    call.enter()
    call.board.do(Announce(BRIDGE, (prompt,)), *(Leave(leg) for leg in call.legs))
    call.board.advance(1.0)
    call.enter()
    assert call.mixed == 0


def test_what_cannot_be_announced_harms_nobody(call: Call, caplog: pytest.LogCaptureFixture):
    call.enter()
    call.board.do(Announce(BRIDGE, ("file:/nowhere.wav",)), Announce(99, ("tone:ring",)))
    assert call.mixed == 0
    assert "nothing is announced in bridge 7" in caplog.text


def test_a_third_member_is_mixed_with_the_two_and_leaves_them_relayed(call: Call):
    with phones("127.0.0.1") as (c,):
        third = call.board.add(c)
        call.enter()
        call.board.do(Enter(third, BRIDGE))
        assert call.mixed == 3
        call.board.do(Leave(third))
        assert call.mixed == 0


def test_entering_again_changes_the_gate_alone(call: Call):
    call.enter()
    call.enter()
    assert len(call.board.switchboard.bridge(BRIDGE)) == 2


def test_a_part_holds_in_whatever_bridge_the_leg_is(call: Call):
    call.board.do(SetPart(call.legs[0], speaks=False))
    call.enter()
    assert call.mixed == 2
    call.board.do(Leave(call.legs[0]), Enter(call.legs[0], BRIDGE))
    assert call.mixed == 2


def test_an_idle_bridge_needs_no_ticks(call: Call):
    call.enter()
    ticks = call.board.loop.ticks
    call.board.advance(1.0)
    assert call.board.loop.ticks == ticks


def test_a_bridge_has_ended_without_members_and_recordings(call: Call):
    bridge: Bridge = call.board.switchboard.bridge(BRIDGE)
    assert bridge.ended
    call.enter()
    assert not bridge.ended
