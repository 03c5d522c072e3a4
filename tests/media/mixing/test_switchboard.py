"""Commands on a switchboard in this process: playing, crossing commands, ports, reports."""

import wave
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.protocol import (
    AddLeg,
    Echo,
    Enter,
    FreeLeg,
    Leave,
    LegFreed,
    LegReport,
    PayloadMap,
    Play,
    PlaybackDone,
    PortsExhausted,
    PortsReady,
    SetMediaTimeout,
    StopPlaying,
    StreamFigures,
)
from tests.kit.rtp import PCMU, Board, RtpPhone, joined, phones

SOUND = np.random.default_rng(5).integers(-9999, 9999, 800).astype(np.int16)  # 100 ms
SILENCE = bytes([0xFF]) * 160
CODED = ARRAY_CODECS["PCMU"].encode(None, SOUND.reshape(1, -1))[0]


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.fixture
def phone() -> Iterator[RtpPhone]:
    with phones("127.0.0.1") as (phone,):
        yield phone


@pytest.fixture
def path(tmp_path: Path) -> str:
    with wave.open(str(tmp_path / "hello.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(SOUND.astype("<i2").tobytes())
    return str(tmp_path / "hello.wav")


def test_a_file_is_played_to_its_end(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone)
    board.do(Play(leg, 7, ("file:" + str(path),)))
    board.advance(0.2)
    heard = phone.hear()
    assert b"".join(packet.payload for packet in heard) == CODED
    assert [packet.marker for packet in heard] == [True] + [False] * 4
    assert [packet.timestamp - heard[0].timestamp for packet in heard] == [0, 160, 320, 480, 640]
    assert [packet.sequence - heard[0].sequence for packet in heard] == [0, 1, 2, 3, 4]
    assert board.events(PlaybackDone) == [PlaybackDone(leg, 7, True)]


def test_a_playback_is_paced_by_the_tick(board: Board, phone: RtpPhone, path: str):
    board.do(Play(board.add(phone), 1, ("file:" + str(path),), loop=True))
    board.settle()
    assert len(phone.hear()) == 1  # who waits for it does not wait for a tick, too
    for _ in range(50):
        board.advance(0.02)
        assert len(phone.hear()) == 1


def test_two_packets_are_never_closer_than_a_tick(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone)
    board.do(Play(leg, 1, ("file:" + str(path),), loop=True))
    board.advance(0.05)
    phone.hear()
    board.do(StopPlaying(leg, 1))
    board.do(Play(leg, 2, ("file:" + str(path),), loop=True))
    board.settle()
    assert not phone.hear()
    board.advance(0.01)
    assert len(phone.hear()) == 1


def test_a_tick_that_comes_late_is_made_up_for(board: Board, phone: RtpPhone, path: str):
    board.do(Play(board.add(phone), 1, ("file:" + str(path),), loop=True))
    board.advance(0.1)
    phone.hear()
    board.now += 0.065
    board.settle()
    heard = phone.hear()
    assert len(heard) == 3
    assert heard[2].timestamp - heard[0].timestamp == 320


def test_a_packet_time_of_30_ms_is_kept(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone, payload=PayloadMap("PCMU", 0, 0, 8000, 30))
    board.do(Play(leg, 1, ("file:" + str(path),), loop=True))
    board.advance(0.6)
    heard = phone.hear()
    assert len(heard) == 20
    assert {len(packet.payload) for packet in heard} == {240}


def test_a_stopped_playback_is_not_finished(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone)
    board.do(Play(leg, 7, ("file:" + str(path),), loop=True))
    board.advance(0.1)
    board.do(StopPlaying(leg, 6), StopPlaying(leg, 7), StopPlaying(leg, 7))
    assert board.events(PlaybackDone) == [PlaybackDone(leg, 7, False)]
    phone.hear()
    board.advance(0.1)
    assert not phone.hear()


def test_another_playback_replaces_the_one_before(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone)
    board.do(Play(leg, 1, ("file:" + str(path),), loop=True), Play(leg, 2, ("file:" + str(path),)))
    board.advance(0.2)
    assert board.events(PlaybackDone) == [PlaybackDone(leg, 1, False), PlaybackDone(leg, 2, True)]
    assert len(phone.hear()) == 5


def test_while_a_file_plays_the_partner_is_not_heard(board: Board, path: str):
    with phones("127.0.0.1", "127.0.0.1") as (a, b):
        first, _ = joined(board, a, b)
        board.do(Play(first, 1, ("file:" + str(path),)))
        board.talk(10, a, b)
        heard = a.hear()
        frames = [CODED[start : start + 160] for start in range(0, 800, 160)]
        assert [packet.payload for packet in heard[:5]] == frames
        assert len(b.hear()) == 10
        assert len(heard) > 7
        gaps = [later.sequence - earlier.sequence for earlier, later in pairwise(heard)]
        assert set(gaps) == {1}


def test_a_held_leg_is_not_played_to(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone, direction="inactive")
    board.do(Play(leg, 1, ("file:" + str(path),)))
    board.advance(0.3)
    assert not phone.hear()
    assert board.events(PlaybackDone) == [PlaybackDone(leg, 1, True)]


def test_a_playback_goes_on_in_a_new_codec(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone)
    board.do(Play(leg, 1, ("file:" + str(path),)))
    board.advance(0.02)  # one at once, one a tick later
    board.update(leg, phone, payload=PayloadMap("PCMA", 8, 8, 8000))
    board.advance(0.1)
    heard = phone.hear()
    alaw = ARRAY_CODECS["PCMA"].encode(None, SOUND.reshape(1, -1))[0]
    assert b"".join(packet.payload for packet in heard) == CODED[:320] + alaw[320:]
    assert [packet.payload_type for packet in heard] == [0, 0, 8, 8, 8]


def test_a_playback_ends_when_the_new_codec_cannot_be_played(
    board: Board, phone: RtpPhone, path: str
):
    leg = board.add(phone)
    board.do(Play(leg, 1, ("file:" + str(path),), loop=True))
    board.update(leg, phone, payload=PayloadMap("G729", 18, 18, 8000))
    (done,) = board.events(PlaybackDone)
    assert not done.finished
    assert done.error == "a sound cannot be played in G729"


@pytest.mark.parametrize(
    ("payload", "name", "error"),
    [
        (PCMU, "no.wav", "cannot be read: No such file or directory"),
        (PayloadMap("G729", 18, 18, 8000), "hello.wav", "cannot be played in G729"),
        (None, "hello.wav", "cannot be played before a codec is agreed on"),
    ],
)
def test_what_cannot_be_played_is_done_at_once_with_a_sentence(
    board: Board, phone: RtpPhone, path: str, payload: PayloadMap | None, name: str, error: str
):
    leg = board.add(phone, payload=payload)
    file = str(Path(path).with_name(name))
    board.do(Play(leg, 3, ("file:" + str(file),)))
    assert board.events(PlaybackDone) == [PlaybackDone(leg, 3, False, f"{file} {error}")]


def test_a_freed_leg_ends_its_playback_first(board: Board, phone: RtpPhone, path: str):
    leg = board.add(phone)
    board.do(Play(leg, 1, ("file:" + str(path),), loop=True), FreeLeg(leg))
    ends = [event for event in board.posted if isinstance(event, PlaybackDone | LegFreed)]
    assert [type(event) for event in ends] == [PlaybackDone, LegFreed]
    board.advance(0.1)
    assert not phone.hear()


def test_commands_for_legs_that_are_gone_are_without_effect(board: Board, phone: RtpPhone):
    leg = board.add(phone)
    board.do(Enter(99, 1), Enter(leg, 1), Enter(leg, 1), Leave(99), Echo(99))
    board.do(Play(99, 1, "x.wav"), StopPlaying(99, 1), SetMediaTimeout(99, 5.0))
    board.update(99, phone)
    board.do(AddLeg(98, 5), AddLeg(leg, board.take_port()))
    assert len(board.switchboard) == 1


def test_every_freeing_is_answered_once(board: Board, phone: RtpPhone):
    leg = board.add(phone)
    board.do(FreeLeg(leg), FreeLeg(77))
    assert board.events(LegFreed) == [
        LegFreed(leg, StreamFigures(), StreamFigures()),
        LegFreed(77, StreamFigures(), StreamFigures()),
    ]
    assert len(board.switchboard) == 0


def test_a_leg_that_is_freed_leaves_its_partner_in_silence(board: Board):
    with phones("127.0.0.1", "127.0.0.1") as (a, b):
        first, second = joined(board, a, b)
        board.do(FreeLeg(first))
        board.talk(3, a, b)
        assert not a.hear()
        assert {packet.payload for packet in b.hear()} == {SILENCE}
        board.do(FreeLeg(second))


def test_live_legs_are_reported_every_five_seconds(board: Board):
    with phones("127.0.0.1", "127.0.0.1") as (a, b):
        first, _ = joined(board, a, b)
        board.talk(500, a, b)
        reports = [report for report in board.events(LegReport) if report.leg == first]
        assert 2 <= len(reports) <= 3
        assert reports[-1].received.packets > 300


def test_the_stock_is_topped_up_after_a_leg_took_from_it(board: Board, phone: RtpPhone):
    before = sum(len(event.ports) for event in board.posted if isinstance(event, PortsReady))
    board.add(phone)
    board.advance(0.05)
    after = sum(len(event.ports) for event in board.posted if isinstance(event, PortsReady))
    assert after == before == 8


def test_the_stock_is_looked_after_only_when_something_is_due(
    board: Board, phone: RtpPhone, monkeypatch: pytest.MonkeyPatch
):
    looks: list[float] = []
    top_up = board.stock.top_up

    def counted(now: float) -> list[PortsReady | PortsExhausted]:
        looks.append(now)
        return top_up(now)

    monkeypatch.setattr(board.stock, "top_up", counted)
    for _ in range(20):
        board.do(FreeLeg(board.add(phone)))
        board.advance(0.02)
    board.advance(3.0)
    assert len(looks) <= 60
    looks.clear()
    board.advance(3.0)
    assert looks == []


def test_a_freed_port_serves_another_leg_that_hears_nothing_of_the_one_before():
    with closing(Board(pairs=1)) as board, phones("127.0.0.1", "127.0.0.1") as (old, new):
        leg = board.add(old)
        board.lock(old)
        port = old.to
        board.do(FreeLeg(leg))
        board.events(PortsReady)
        board.advance(2.1)
        assert board.events(PortsReady) == [PortsReady(4, (port,))]
        old.say(5)
        board.do(AddLeg(500, port), Echo(500))
        new.to = port
        board.update(500, new)
        old.say(5)
        said = new.say(3)
        board.settle()
        assert [packet.payload for packet in new.hear()] == said
        assert not old.hear()
