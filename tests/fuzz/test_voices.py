"""Whatever packets come, whenever they come: a voice is frames, and what is kept of it is bounded.

The invariants: neither a push nor a tick raises; each tick fills a frame; what a voice keeps does
not grow with what is sent; a packet is played once, and none that was not sent. Payloads: a decoder
makes of any octets as many samples as they are said to last.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.mixing.voice import LegVoice, decode_tick
from pbx.media.packets.jitter import MAX_DELAY_MS, JitterBuffer
from pbx.media.protocol import PayloadMap

CLOCKS = {"opus": 48_000, "L16": 16_000}
MOST_KEPT = 250_000
"""Octets that one voice holds at most, the memory of its decoder aside."""

numbers = st.sampled_from([0, 1, 1, 1, 1, 2, 3, 10, 23, 24, 31, 32, 99, 3000, -1, -2, -30, -99])
stamps = st.sampled_from([0, 160, 160, 160, 320, 480, 80, 960, -160, 8000, 2**31, -(2**31), 7])
sizes = st.sampled_from([160, 160, 160, 80, 240, 480, 20, 1, 0]) | st.integers(0, 1500)
arrivals = st.tuples(numbers, stamps, sizes)
pauses = st.sampled_from([0.0, 0.0, 0.001, 0.02, 0.02, 0.02, 0.1, 5.0, -0.5])
steps = st.lists(
    st.tuples(st.lists(arrivals, max_size=6), pauses, st.integers(0, 4), st.booleans()),
    max_size=40,
)


@pytest.fixture(params=sorted(ARRAY_CODECS), scope="module")
def codec(request: pytest.FixtureRequest) -> ArrayCodec:
    return ARRAY_CODECS[request.param]


def voice_of(codec: ArrayCodec) -> LegVoice:
    return LegVoice(PayloadMap(codec.name, 0, 0, CLOCKS.get(codec.name, 8000)), codec)


def kept_by(found: Any, seen: set[int] | None = None) -> int:
    """Return the octets of all that an object refers to, arrays with what they are views of."""
    seen = set() if seen is None else seen
    if id(found) in seen or isinstance(found, type | ArrayCodec) or callable(found):
        return 0
    seen.add(id(found))
    size = sys.getsizeof(found)
    return size + sum(kept_by(part, seen) for part in _parts(found))


def _parts(found: Any) -> Iterator[Any]:
    if isinstance(found, np.ndarray):
        if found.base is not None:
            yield found.base
    elif isinstance(found, list | tuple | set) or type(found).__name__ == "deque":
        yield from found
    for kind in type(found).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(found, name) and name != "state":
                yield getattr(found, name)


@settings(max_examples=150, deadline=None)
@given(steps=steps, first=st.integers(0, 0xFFFF), start=st.integers(0, 0xFFFF_FFFF))
def test_any_packets_at_any_times_are_frames(
    codec: ArrayCodec, steps: Sequence[Any], first: int, start: int
):
    voice = voice_of(codec)
    frames = np.zeros((1, codec.rate // 50), np.int16)
    octets = np.random.default_rng(1).bytes(1500)
    sequence, timestamp, now = first, start, 100.0
    for packets, pause, ticks, other in steps:
        for ahead, units, size in packets:
            sequence = (sequence + ahead) & 0xFFFF
            timestamp = (timestamp + units) & 0xFFFF_FFFF
            voice.push(sequence, timestamp, octets[:size], now)
        now += pause
        if other:
            voice.skip(sequence + 1 & 0xFFFF)
        for _ in range(ticks):
            frames[:] = 12_345
            decode_tick([voice], frames, now)
            assert not (frames == 12_345).all()
        assert 0 <= voice.buffer_ms <= MAX_DELAY_MS
        assert min(voice.lost, voice.late, voice.underruns, voice.concealed_ms) >= 0
    assert kept_by(voice) < MOST_KEPT


FLOODS = {
    "late": lambda n: (1000 - n % 60, 160 * 1000),
    "the same": lambda n: (1000, 160 * 1000),
    "far ahead": lambda n: (1000 + 30 * n, 160_000),
    "backwards": lambda n: (60_000 - 2 * n, -320 * n),
    "of strange numbers": lambda n: (n * 31_337, n * 77_777),
    "in pairs of strangers": lambda n: (n // 2 * 31_337 + n % 2, n * 160),
    "from other timelines": lambda n: (n, n * 2**30),
    "much too many": lambda n: (n, n * 160),
    "of no length": lambda n: (n, 0),
}


@pytest.mark.parametrize("ticks", [0, 1], ids=["unplayed", "played"])
@pytest.mark.parametrize("flood", FLOODS)
def test_no_flood_makes_a_voice_keep_more(codec: ArrayCodec, flood: str, ticks: int):
    voice = voice_of(codec)
    frames = np.zeros((1, codec.rate // 50), np.int16)
    payload = bytes([0x48 if codec.name == "opus" else 0x55]) * 160
    for n in range(10):
        voice.push(990 + n, 160 * (990 + n), payload, 1.0)
    sizes = []
    for n in range(20_000):
        sequence, timestamp = FLOODS[flood](n)
        voice.push(sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, payload, 1.0 + n * 1e-4)
        if ticks and n % 200 == 0:
            decode_tick([voice], frames, 1.0 + n * 1e-4)
        if n % 5000 == 4999:
            sizes.append(kept_by(voice))
    assert max(sizes) < MOST_KEPT
    assert sizes[-1] < 1.5 * sizes[0]


@given(
    st.lists(st.tuples(st.integers(-40, 60), st.integers(-2000, 5000), st.booleans()), max_size=200)
)
def test_a_jitter_buffer_plays_no_packet_twice_and_none_that_was_not_sent(
    moves: list[tuple[int, int, bool]],
):
    buffer = JitterBuffer()
    sent, played = set(), []
    sequence = timestamp = 0
    for n, (ahead, units, pop) in enumerate(moves):
        sequence, timestamp = (sequence + ahead) & 0xFFFF, (timestamp + units) & 0xFFFF_FFFF
        payload = n.to_bytes(4, "big") * 40
        sent.add(payload)
        buffer.push(sequence, timestamp, payload, n * 0.02)
        if pop:
            buffer.local += buffer.tick
            slot = buffer.pop()
            if isinstance(slot, bytes):
                played.append(slot)
    assert len(set(played)) == len(played)
    assert set(played) <= sent


payloads = st.binary(max_size=200) | st.builds(
    lambda head, rest: bytes((head,)) + rest, st.integers(0, 255), st.binary(max_size=1300)
)


@settings(max_examples=200, deadline=None)
@given(turns=st.lists(st.lists(payloads, min_size=1, max_size=3), max_size=12), lost=st.booleans())
@example(turns=[[b""]], lost=True)
@example(turns=[[b"\xff"], [b"\x03\x3f"], [b"\xfb\xbf" + b"\xff" * 1200]], lost=True)
def test_any_octets_are_a_payload(codec: ArrayCodec, turns: list[list[bytes]], lost: bool):
    states = [codec.decoder() for _ in range(3)]
    for batch in turns:
        frames = codec.decode(states[: len(batch)], batch)
        assert frames.dtype == np.int16
        assert len(frames) == len(batch)
        longest = max(codec.duration_ms(payload) for payload in batch)
        if longest:
            assert frames.shape[1] == int(longest * codec.rate / 1000)
        for state in states[: len(batch)] if lost else ():
            filled = codec.conceal(state, codec.rate // 50, batch[0])
            assert filled is None or filled.shape == (1, codec.rate // 50)
