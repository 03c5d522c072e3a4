"""Whatever a worker is told to take over or to play: the other legs notice nothing.

The invariants: `take` and `carry_out` raise nothing; a leg that is taken over can be spoken to and
freed, one that cannot is told as lost and its sockets are closed; a playback ends, is refused in a
sentence, or plays on; a call beside it goes on packet by packet, and nothing is logged as a defect.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbx.media.descriptors import close_all
from pbx.media.protocol import (
    Announce,
    Enter,
    FreeLeg,
    GiveLeg,
    LegFreed,
    LegGiven,
    Play,
    PlaybackDone,
    SetCodes,
    SrtpKeys,
    StopPlaying,
    TakeLeg,
    Watch,
    decode_commands,
    decode_events,
    encode,
)
from tests.kit.rtp import Board, joined, phones
from tests.kit.tones import tone, write_wav

LEG = 900

ints = st.sampled_from([0, 1, -1, 255, 65_535, 65_536, 2**31, 2**32, 2**40, 2**63 - 1, -(2**63)])
floats = st.sampled_from([0.0, -1.0, 1e-9, 1e9, 1e300, float("inf"), -float("inf"), float("nan")])
words = st.sampled_from(["", "PCMU", "G729", "127.0.0.1", "::1", "fe80::1%lo", "nowhere", "\0"])
octets = st.binary(max_size=80)


def mutated(found: Any, draw: st.DataObject) -> Any:
    """Return a decoded state with one of its leaves changed for another of the same kind."""
    if isinstance(found, list):
        place = draw.draw(st.integers(0, max(0, len(found) - 1)))
        return [mutated(part, draw) if n == place else part for n, part in enumerate(found)]
    kinds = {bool: st.booleans(), int: ints, float: floats, str: words, bytes: octets}
    return draw.draw(kinds.get(type(found), ints | words | floats))


def cut(state: bytes, draw: st.DataObject) -> bytes:
    """Return octets after a few cuts and replacements."""
    for _ in range(draw.draw(st.integers(1, 4))):
        start = draw.draw(st.integers(0, len(state)))
        end = min(len(state), start + draw.draw(st.integers(0, 8)))
        state = state[:start] + draw.draw(st.binary(max_size=4)) + state[end:]
    return state


@contextmanager
def opened(**settings: Any) -> Iterator[Board]:
    board = Board(**settings)
    try:
        yield board
    finally:
        board.close()


@contextmanager
def given_leg(*, secure: bool) -> Iterator[tuple[TakeLeg, list[int]]]:
    """Yield a leg in mid-call on its way: the command that takes it over, and its sockets.

    Those that are left in the list are closed afterwards.
    """
    with phones("127.0.0.1", "127.0.0.1") as (a, b), opened() as board:
        leg, _ = joined(board, a, b)
        keys = SrtpKeys("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(range(30)))
        if secure:
            board.update(leg, a, keys=keys)
        board.do(SetCodes(leg, ("*1",)), Watch(leg, keys=True))
        a.press(5, ends=0)
        board.settle()
        board.do(GiveLeg(leg))
        (event,) = board.events(LegGiven)
        assert event.state is not None
        descriptors = board.luggage.pop()
        try:
            yield TakeLeg(LEG, event.state), descriptors
        finally:
            close_all(descriptors)


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(draw=st.data(), secure=st.booleans(), whole=st.booleans())
def test_any_state_is_taken_over_or_the_leg_is_lost(draw: st.DataObject, secure: bool, whole: bool):
    with (
        given_leg(secure=secure) as (command, descriptors),
        phones("127.0.0.1", "127.0.0.1", "127.0.0.1") as (a, b, other),
        opened(first_leg=200, now=7.0) as taker,
        no_defects(),
    ):
        state = command.state
        if whole:
            tree = msgspec.msgpack.decode(state)
            changes = draw.draw(st.integers(0, 3))
            for _ in range(changes):
                tree = mutated(tree, draw)
            state = msgspec.msgpack.encode(tree)
        else:
            state = cut(state, draw)
        joined(taker, a, b)
        taken, descriptors[:] = descriptors[:], []
        taker.switchboard.take(TakeLeg(LEG, state), taken, taker.now)
        lost = taker.events(LegGiven)
        if lost:
            assert not whole or changes, "nothing was wrong with it"
            assert lost == [LegGiven(LEG, None)]
            assert not any(map(is_open, taken))
        third = taker.add(other)
        taker.do(Enter(LEG, 5), Enter(third, 5))
        for _ in range(10):
            sent = a.say()
            other.say()
            taker.settle()
            taker.advance(0.02)
            assert [packet.payload for packet in b.hear()] == sent
        taker.advance(6.0)
        taker.do(FreeLeg(LEG))
        assert [event.leg for event in taker.events(LegFreed)] == [LEG]


files = [
    "tone.wav",
    "short.wav",
    "empty.wav",
    "noise.wav",
    "noise.g722",
    "pipe",
    "loop",
    "none",
    ".",
]


@given(st.data())
def test_any_datagram_is_messages_or_a_decode_error(draw: st.DataObject):
    datagram = cut(encode(Announce(1, ("tone:ring",)), FreeLeg(7)), draw)
    for decode in (decode_commands, decode_events):
        with suppress(msgspec.DecodeError):
            assert isinstance(decode(datagram), list)


names = (
    st.sampled_from(files).map("{}/".__add__)
    | st.sampled_from(["/dev/zero", "/dev/stdin", "/", "", ".", "x" * 5000, "a\0b"])
    | st.sampled_from(["ring", "busy", "0", "40", "-1", "1e9", "²", "9" * 400])
    | st.text(max_size=20)
)
sources = st.builds(
    lambda kind, name: kind + name,
    st.sampled_from(["file:", "tone:", "music:", "silence:", "", ":", "http:", "FILE:"]),
    names,
)
plays = st.builds(
    Play,
    leg=st.just(1),
    playback=st.integers(1, 3),
    sources=st.lists(sources, max_size=4).map(tuple),
    loop=st.booleans(),
    others=st.sampled_from([0.0, 1.0, 0.3]),
    stop_on_key=st.booleans(),
)
orders = st.lists(
    plays
    | st.builds(StopPlaying, st.just(1), st.integers(1, 3))
    | st.builds(Announce, st.just(1001), st.lists(sources, max_size=3).map(tuple))
    | st.just(FreeLeg(1)),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sounds, and with what is none."""
    made = tmp_path_factory.mktemp("sounds")
    write_wav(made / "tone.wav", tone(440, 0.1))
    write_wav(made / "short.wav", tone(440, 0.0))
    (made / "empty.wav").touch()
    (made / "noise.wav").write_bytes(bytes(range(256)))
    (made / "noise.g722").write_bytes(bytes(range(256)) * 9)
    (made / "loop").symlink_to(made / "loop")
    os.mkfifo(made / "pipe")
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(commands=orders)
def test_any_source_is_played_or_refused(folder: Path, commands: list[Any]):
    with phones(*["127.0.0.1"] * 4) as (a, b, c, d), opened() as board, no_defects():
        joined(board, a, b)
        beside, _ = joined(board, c, d)
        playing = set()
        for command in commands:
            if isinstance(command, Play | Announce):
                named = tuple(source.replace("{}", str(folder)) for source in command.sources)
                command = msgspec.structs.replace(command, sources=named)
            if isinstance(command, Play):
                playing.add(command.playback)
            board.do(command)
            for _ in range(8):
                sent = c.say()
                a.say()
                board.settle()
                board.advance(0.02)
                assert [packet.payload for packet in d.hear()] == sent
        for event in board.events(PlaybackDone):
            assert event.playback in playing
            assert event.error is None or len(event.error) > 10
        board.do(FreeLeg(1), FreeLeg(beside))
        assert {event.leg for event in board.events(LegFreed)} == {1, beside}


@contextmanager
def no_defects() -> Iterator[None]:
    """Check that no fence of the worker has caught anything meanwhile."""
    caught: list[logging.LogRecord] = []
    watch = logging.Handler(logging.ERROR)
    watch.emit = lambda record: caught.append(record) if record.exc_info else None
    logger = logging.getLogger("pbx.media")
    logger.addHandler(watch)
    try:
        yield
    finally:
        logger.removeHandler(watch)
    assert not caught, [(record.getMessage(), record.exc_info) for record in caught]
