"""Keys whose packets are lost, reordered or repeated, or whose stream changes, through a worker.

Whatever happens on the way, the exact digits are told, each once, and the other side gets the same:
as telephone-events where packets are relayed, and where they are sent anew.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pbx.media.keys.telephone_event import EventReader, TelephoneEvent
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import DigitHeard, Enter, PayloadMap
from tests.kit.rtp import Board, phones

PCMU = PayloadMap("PCMU", 0, 0, 8000, event_send=101, event_receive=101, event_clock=8000)
PCMA = PayloadMap("PCMA", 8, 8, 8000, event_send=96, event_receive=96, event_clock=8000)
FIRST, SECOND = 0xA11CE, 0xB0B
UPDATES, ENDS = 4, 3

Script = list[RtpPacket]


class Stream:
    """Makes the packets of one SSRC, in order."""

    def __init__(self, ssrc: int = FIRST, sequence: int = 65_500, timestamp: int = 0xFFFF_F000):
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp

    def voice(self, frames: int) -> Script:
        return [self._packet(0, bytes((n,)) * 160, step=160) for n in range(frames)]

    def key(self, digit: int, *, updates: int = UPDATES, ends: int = ENDS) -> Script:
        """Return a key of 100 ms: growing, then the ends."""
        told = [TelephoneEvent(digit, False, 160 * n) for n in range(1, updates + 1)]
        told += [TelephoneEvent(digit, True, 160 * updates + 160)] * ends
        made = [self._packet(101, bytes(event), marker=n == 0) for n, event in enumerate(told)]
        self.timestamp += 160 * updates + 160
        return made

    def _packet(self, number: int, payload: bytes, *, step: int = 0, marker: bool = False):
        packet = RtpPacket(
            payload_type=number,
            sequence=self.sequence & 0xFFFF,
            timestamp=self.timestamp & 0xFFFF_FFFF,
            ssrc=self.ssrc,
            payload=payload,
            marker=marker,
        )
        self.sequence += 1
        self.timestamp += step
        return packet


def without(script: Script, *numbers: int) -> Script:
    return [packet for n, packet in enumerate(script) if n not in numbers]


def lost_start(line: Stream) -> Script:
    return without(line.key(5), 0, 1)


def one_update_left(line: Stream) -> Script:
    return without(line.key(5), 0, 1, 2, 4, 5, 6)


def one_end_left(line: Stream) -> Script:
    return without(line.key(5), 0, 1, 2, 3, 4, 5)


def lost_ends(line: Stream) -> Script:
    return line.key(5, ends=0)


def lost_ends_twice(line: Stream) -> Script:
    return [*line.key(5, ends=0), *line.key(5, ends=0)]


def reordered_end(line: Stream) -> Script:
    start, *middle, last, end, again, third = line.key(5)
    return [start, *middle, end, last, third, again]


def end_behind_the_sound(line: Stream) -> Script:
    *start, end = line.key(5)
    return [*start, *line.voice(3), end]


def end_behind_the_next_key(line: Stream) -> Script:
    *five, late = line.key(5)
    first, *six = line.key(6)
    return [*five, first, late, *six]


def same_digit_twice(line: Stream) -> Script:
    return line.key(5) + line.key(5)


def same_digit_twice_behind_lost_ends_and_start(line: Stream) -> Script:
    return line.key(5, ends=0) + without(line.key(5), 0)


def everything_twice(line: Stream) -> Script:
    return [packet for packet in line.key(5) + line.key(5) for _ in range(2)]


def another_ssrc_behind_the_key(line: Stream) -> Script:
    other = Stream(SECOND, 77, line.timestamp)
    return [*line.key(5), *other.voice(3), *other.key(5)]


def another_ssrc_while_the_key_is_down(line: Stream) -> Script:
    other = Stream(SECOND, 30_000, 1234)
    return [*line.key(5, ends=0), *other.voice(5), *other.key(6)]


def another_ssrc_begins_with_a_key(line: Stream) -> Script:
    other = Stream(SECOND, 30_000, 1234)
    return [*line.key(5), *other.key(6)]


def another_ssrc_with_the_same_timestamp(line: Stream) -> Script:
    five = line.key(5)
    other = Stream(SECOND, 9, five[0].timestamp)
    return [*five, *other.key(5)]


CASES: list[tuple[Callable[[Stream], Script], str]] = [
    (lost_start, "5"),
    (one_update_left, "5"),
    (one_end_left, "5"),
    (lost_ends, "5"),
    (lost_ends_twice, "55"),
    (reordered_end, "5"),
    (end_behind_the_sound, "5"),
    (end_behind_the_next_key, "56"),
    (same_digit_twice, "55"),
    (same_digit_twice_behind_lost_ends_and_start, "55"),
    (everything_twice, "55"),
    (another_ssrc_behind_the_key, "55"),
    (another_ssrc_while_the_key_is_down, "56"),
    (another_ssrc_begins_with_a_key, "56"),
    (another_ssrc_with_the_same_timestamp, "55"),
]


@pytest.mark.parametrize("theirs", [PCMU, PCMA], ids=["relayed", "mixed"])
@pytest.mark.parametrize(
    ("case", "digits"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_the_exact_digits_are_told_and_sent_on(
    case: Callable[[Stream], Script], digits: str, theirs: PayloadMap
):
    board = Board()
    with phones("127.0.0.1", "127.0.0.1") as (talker, hearer):
        legs = board.add(talker, payload=PCMU), board.add(hearer, payload=theirs)
        hearer.say(3, payload_type=theirs.receive)
        board.do(*(Enter(leg, 1) for leg in legs))
        line = Stream()
        script = [*line.voice(10), *case(line)]
        last = script[-1]
        script += Stream(last.ssrc, last.sequence + 1, last.timestamp + 960).voice(60)
        heard = []
        for packet in script:
            talker.send(bytes(packet))
            board.settle()
            board.advance(0.02)
            heard += hearer.hear()
        told = "".join(event.digit for event in board.events(DigitHeard))
        board.close()
    assert told == digits
    assert keys_of(heard, theirs) == digits


def keys_of(packets: list[RtpPacket], payload: PayloadMap) -> str:
    """Return the keys that came as telephone-events, as a phone would read them."""
    reader = EventReader()
    keys = []
    for n, packet in enumerate(packets):
        keys += reader.expire(n * 0.02)
        event = TelephoneEvent.parse(packet.payload)
        if packet.payload_type == payload.send or event is None:
            continue
        keys += reader.read(event, timestamp=packet.timestamp, marker=packet.marker, now=n * 0.02)
    return "".join(key.digit for key in keys + reader.finish())
