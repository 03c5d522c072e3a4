"""Who hears whom: parties that each speak a tone of their own, and what all of them hear."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pbx.media.mixing.bridge import Bridge
from pbx.media.packets.rtp import sequence_distance
from pbx.media.protocol import (
    Announce,
    Enter,
    Leave,
    PayloadMap,
    Play,
    PlaybackDone,
    SetGains,
    SetPart,
    StopPlaying,
)
from pbx.media.recording.tape import Tape
from tests.kit.ears import PAYLOADS, SPOKEN_DBFS, Gathering, Party, gathering
from tests.kit.tones import Sound, level_of, tone, write_wav

SETTLED = 0.4  # seconds after which jitter buffers play
LEAK_DBFS = -70.0
PROMPT_HZ = 1470


@pytest.fixture
def prompt(tmp_path: Path) -> str:
    sound = tone(PROMPT_HZ, 2.0, level_dbfs=SPOKEN_DBFS)
    return f"file:{write_wav(tmp_path / 'prompt.wav', sound)}"


def listen(room: Gathering) -> dict[int, set[int]]:
    """Let buffers settle, then hear a second out."""
    room.go_on(SETTLED)
    room.pass_time(1.0)
    return room.who_hears_whom()


def everybody(count: int) -> dict[int, set[int]]:
    """Return that each hears all others."""
    return {n: set(range(count)) - {n} for n in range(count)}


@pytest.mark.parametrize(
    "codecs",
    [("PCMU", "PCMU"), ("PCMU", "PCMA"), ("PCMA", "G722"), ("PCMU", "opus"), ("G722", "L16")],
)
def test_two_hear_each_other_as_loud_as_they_speak(codecs: tuple[str, str]):
    with gathering(*codecs) as room:
        room.bridge(*room.parties)
        assert listen(room) == everybody(2)
        a, b = room.parties
        near = 1.5 if "opus" in codecs else 0.5  # opus is made for speech
        assert room.loudness(a, b) == pytest.approx(SPOKEN_DBFS, abs=near)
        assert room.loudness(b, a) == pytest.approx(SPOKEN_DBFS, abs=near)


def test_in_a_conference_of_five_each_hears_all_others():
    with gathering("PCMU", "PCMU", "PCMA", "G722", "opus") as room:
        room.bridge(*room.parties)
        assert listen(room) == everybody(5)
        for n, party in enumerate(room.parties):
            levels = [room.loudness(party, other) for other in room.parties]
            others = [level for k, level in enumerate(levels) if k != n]
            assert min(others) - levels[n] > 25
            assert max(others) - min(others) < 1


def test_bridges_do_not_hear_each_other():
    with gathering("PCMU", "PCMA", "PCMU", "PCMA", "PCMU") as room:
        room.bridge(*room.parties[:2])
        room.bridge(*room.parties[2:])
        assert listen(room) == {0: {1}, 1: {0}, 2: {3, 4}, 3: {2, 4}, 4: {2, 3}}


def test_who_is_muted_hears_and_is_not_heard():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        room.bridge(*room.parties)
        room.board.do(SetPart(room.parties[0].leg, speaks=False))
        assert listen(room) == {0: {1, 2}, 1: {2}, 2: {1}}
        room.board.do(SetPart(room.parties[0].leg))
        assert listen(room) == everybody(3)


def test_who_is_held_hears_music_and_the_other_hears_nobody(prompt: str):
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        room.bridge(a, b)
        room.board.do(SetPart(a.leg, speaks=False, hears=False))
        room.board.do(Play(a.leg, 1, (prompt,), loop=True))
        assert listen(room) == {0: set(), 1: set()}
        assert level_of(a.sound(), PROMPT_HZ) == pytest.approx(SPOKEN_DBFS, abs=0.5)
        assert len(b.packets) == 50  # of silence: phones take nothing at all for a broken line
        room.board.do(StopPlaying(a.leg, 1), SetPart(a.leg))
        assert listen(room) == everybody(2)


def supervise(room: Gathering, *, to_agent: float, to_customer: float) -> None:
    """Bring a supervisor into the call of a customer and an agent."""
    customer, agent, supervisor = (party.leg for party in room.parties)
    bridge = room.bridge(*room.parties)
    gains = ((agent, supervisor, to_agent), (customer, supervisor, to_customer))
    room.board.do(SetGains(bridge, gains))


def test_who_listens_is_heard_by_nobody():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        supervise(room, to_agent=0, to_customer=0)
        assert listen(room) == {0: {1}, 1: {0}, 2: {0, 1}}


def test_a_whisper_reaches_the_agent_and_never_the_customer():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        customer, agent, supervisor = room.parties
        supervise(room, to_agent=1, to_customer=0)
        assert listen(room) == {0: {1}, 1: {0, 2}, 2: {0, 1}}
        agent.talks = False
        room.go_on(SETTLED)
        room.pass_time(1.0)
        assert room.loudness(customer, supervisor) < LEAK_DBFS


def test_a_matrix_that_leaks_is_found_out(monkeypatch: pytest.MonkeyPatch):
    def without_gains(self: Bridge, gains: object) -> None:
        self.arrange()

    monkeypatch.setattr(Bridge, "set_gains", without_gains)
    with pytest.raises(AssertionError):
        test_a_whisper_reaches_the_agent_and_never_the_customer()


def test_who_barges_in_is_heard_by_both():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        supervise(room, to_agent=1, to_customer=1)
        assert listen(room) == everybody(3)


def test_a_gain_is_how_loud_one_is_to_another():
    with gathering("PCMU", "PCMA", "PCMU") as room:
        bridge = room.bridge(*room.parties)
        a, b, c = room.parties
        room.board.do(SetGains(bridge, ((a.leg, b.leg, 0.5),)))
        listen(room)
        assert room.loudness(a, b) == pytest.approx(SPOKEN_DBFS - 6.0, abs=0.2)
        assert room.loudness(c, b) == pytest.approx(SPOKEN_DBFS, abs=0.2)


def test_a_prompt_over_a_call_lowers_the_others_for_its_listener_alone(prompt: str):
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        room.bridge(a, b)
        room.board.do(Play(a.leg, 7, (prompt,), loop=True, others=0.25))
        assert listen(room) == everybody(2)
        assert level_of(a.sound(), PROMPT_HZ) == pytest.approx(SPOKEN_DBFS, abs=0.5)
        assert room.loudness(a, b) == pytest.approx(SPOKEN_DBFS - 12.0, abs=0.5)
        assert room.loudness(b, a) == pytest.approx(SPOKEN_DBFS, abs=0.5)
        assert level_of(b.sound(), PROMPT_HZ) < LEAK_DBFS


def test_after_a_prompt_over_a_call_the_legs_are_relayed_again(prompt: str):
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        room.bridge(a, b)
        room.board.do(Play(a.leg, 7, (prompt,), others=1.0))
        room.go_on(2.2)
        assert room.board.events(PlaybackDone) == [PlaybackDone(a.leg, 7, True)]
        assert room.board.switchboard.mixed == 0
        assert listen(room) == everybody(2)


def test_an_announcement_is_heard_by_all_ears_in_its_turn(prompt: str):
    with gathering("PCMU", "PCMA", "G722") as room:
        bridge = room.bridge(*room.parties)
        room.board.do(Announce(bridge, (prompt,)), Announce(bridge, (prompt,)))
        assert listen(room) == everybody(3)
        for party in room.parties:
            assert level_of(party.sound(), PROMPT_HZ) == pytest.approx(SPOKEN_DBFS, abs=0.5)
        room.go_on(2.8)
        room.pass_time(0.5)
        assert level_of(room.parties[0].sound(), PROMPT_HZ) < LEAK_DBFS


def test_in_a_gated_room_nobody_hears_the_fans():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        a, b, c = room.parties
        quiet = np.random.default_rng(1).normal(0, 30, len(a.samples))
        a.samples = quiet.astype(np.int16)
        bridge = room.bridge(a, b)
        room.board.do(Enter(c.leg, bridge, gated=True), Enter(a.leg, bridge, gated=True))
        listen(room)
        b.talks = c.talks = False
        room.go_on(SETTLED)
        room.pass_time(0.5)
        assert not b.sound().samples.any()


class Ear:
    """A recording in memory."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.sides: tuple[list[NDArray[np.int16]], list[NDArray[np.int16]]] = ([], [])

    def write(self, left: NDArray[np.int16], right: NDArray[np.int16] | None = None) -> None:
        self.sides[0].append(left.copy())
        if right is not None:
            self.sides[1].append(right.copy())

    def side(self, number: int) -> Sound:
        return Sound(np.concatenate(self.sides[number]), self.rate)


def recorded(room: Gathering, bridge: int, left: Party | None, rate: int = 8000) -> Ear:
    """Record a bridge."""
    recorder = Ear(rate)
    tape = Tape(recorder, None if left is None else left.leg)
    room.board.switchboard.bridge(bridge).record(tape)
    return recorder


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("PCMU", "PCMA"), ("G722", "PCMU")])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_recording_has_one_leg_on_the_left_and_what_it_hears_on_the_right(
    codecs: tuple[str, str], rate: int
):
    with gathering(*codecs) as room:
        a, b = room.parties
        recorder = recorded(room, room.bridge(a, b), a, rate)
        room.go_on(1.5)
        for side, speaker, other in ((0, a, b), (1, b, a)):
            sound = recorder.side(side)
            assert sound.seconds == 1.5
            settled = sound.part(SETTLED)
            assert level_of(settled, speaker.hz) == pytest.approx(SPOKEN_DBFS, abs=0.5)
            assert level_of(settled, other.hz) < LEAK_DBFS


def test_what_is_recorded_is_relayed_bit_by_bit():
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        bridge = room.bridge(a, b)
        recorded(room, bridge, a)
        said = a.say(20)
        room.board.settle()
        assert [packet.payload for packet in b.hear()] == said


def test_a_recording_has_prompts_and_no_music(prompt: str, tmp_path: Path):
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        recorder = recorded(room, room.bridge(a, b), a)
        room.board.do(Play(a.leg, 1, (prompt,)))
        room.go_on(1.0)
        assert level_of(recorder.side(1).part(SETTLED), PROMPT_HZ) > -20
        assert level_of(recorder.side(1).part(SETTLED), b.hz) < LEAK_DBFS  # a did not hear b
        room.board.do(Play(a.leg, 2, (f"music:{prompt.removeprefix('file:')}",), others=1.0))
        room.go_on(1.5)
        later = recorder.side(1).part(1.5)
        assert level_of(later, PROMPT_HZ) < LEAK_DBFS
        assert level_of(later, b.hz) == pytest.approx(SPOKEN_DBFS, abs=0.5)


def test_a_recording_goes_on_while_legs_come_and_go():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        a, b, c = room.parties
        bridge = room.bridge(a, b)
        recorder = recorded(room, bridge, a)
        room.go_on(1.0)
        room.board.do(Leave(a.leg), Leave(b.leg))
        room.go_on(1.0)
        room.board.do(Enter(a.leg, bridge), Enter(c.leg, bridge))
        room.go_on(1.5)
        assert recorder.side(0).seconds == 3.5
        assert not recorder.side(0).part(1.1, 1.9).samples.any()
        assert level_of(recorder.side(1).part(2.5), c.hz) == pytest.approx(SPOKEN_DBFS, abs=0.5)
        assert level_of(recorder.side(1).part(0.4, 1.0), b.hz) > -20


def test_a_recording_without_a_left_side_has_everybody():
    with gathering("PCMU", "PCMU", "PCMA") as room:
        recorder = recorded(room, room.bridge(*room.parties), None)
        room.go_on(1.5)
        sound = recorder.side(0).part(SETTLED)
        assert [level_of(sound, party.hz) > -20 for party in room.parties] == [True] * 3
        assert not recorder.sides[1]


def check_stream(party: Party) -> None:
    """See that a far end had one stream without a jump or a hole."""
    packets = party.packets
    assert len({packet.ssrc for packet in packets}) == 1
    for earlier, later in pairwise(packets):
        assert sequence_distance(later.sequence, earlier.sequence) == 1
        step = (later.timestamp - earlier.timestamp) & 0xFFFF_FFFF
        assert step in (160, 320)
    assert max(b - a for a, b in pairwise(party.arrived)) <= 0.041


def test_between_relay_and_matrix_a_far_end_sees_no_jump():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        a, b, c = room.parties
        bridge = room.bridge(a, b)
        room.pass_time(0.5)
        for _ in range(3):
            room.board.do(Enter(c.leg, bridge))
            room.go_on(0.3)
            room.board.do(Leave(c.leg))
            room.go_on(0.3)
        check_stream(a)
        check_stream(b)
        assert room.board.switchboard.mixed == 0


def longest_pause(samples: NDArray[np.int16]) -> float:
    """Return the longest stretch of (nearly) nothing, seconds at 8000 Hz."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 100)
    return int(np.diff(loud).max()) / 8000


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_who_is_relayed_is_heard_on_without_a_pause_when_a_supervisor_joins(codec: str, late: bool):
    with gathering(codec, codec, "PCMU") as room:
        a, b, c = room.parties
        bridge = room.bridge(a, b)
        c.talks = False
        room.pass_time(0.5)
        steepest = np.abs(np.diff(a.sound().samples.astype(int))).max()
        room.board.do(Enter(c.leg, bridge))
        if late:  # a tick comes before the next packet
            room.board.advance(0.02)
        room.go_on(0.5)
        for party in (a, b):
            samples = party.sound().samples
            assert longest_pause(samples) <= 0.003
            assert np.abs(np.diff(samples.astype(int))).max() <= steepest * 1.25
            check_stream(party)
        room.pass_time(1.0)
        assert room.who_hears_whom() == {0: {1}, 1: {0}, 2: {0, 1}}


def test_a_room_that_becomes_wider_is_heard_on():
    with gathering("PCMU", "PCMU", "PCMU", "G722") as room:
        a, b, c, wide = room.parties
        wide.talks = c.talks = False
        bridge = room.bridge(a, b, c)
        room.go_on(SETTLED)
        room.pass_time(0.5)
        room.board.do(Enter(wide.leg, bridge))
        room.go_on(0.3)
        samples = a.sound().samples
        assert longest_pause(samples) <= 0.004
        loud = np.abs(samples[: len(samples) // 80 * 80].reshape(-1, 80).astype(int)).max(axis=1)
        assert loud.min() > loud.max() / 2


@pytest.mark.parametrize("change", ["join", "mute", "gain"])
def test_a_change_neither_clicks_nor_changes_the_level(change: str):
    with gathering("PCMU", "PCMU", "PCMU", "PCMU") as room:
        a, b, c, d = room.parties
        c.talks = d.talks = False
        bridge = room.bridge(a, b, c)
        room.go_on(SETTLED)
        room.pass_time(0.6)
        before = room.loudness(a, b)
        if change == "join":
            room.board.do(Enter(d.leg, bridge))
        elif change == "mute":
            room.board.do(SetPart(c.leg, speaks=False))
        else:
            room.board.do(SetGains(bridge, ((a.leg, c.leg, 0.5),)))
        steepest = np.abs(np.diff(a.sound().samples.astype(int))).max()
        room.pass_time(0.6)
        assert room.loudness(a, b) == pytest.approx(before, abs=0.1)
        assert np.abs(np.diff(a.sound().samples.astype(int))).max() <= steepest * 1.05


def test_who_is_muted_in_mid_word_fades_within_a_frame():
    with gathering("PCMU", "PCMU", "PCMU") as room:
        a, b, c = room.parties
        c.talks = False
        room.bridge(a, b, c)
        room.go_on(SETTLED)
        room.pass_time(0.5)
        steepest = np.abs(np.diff(a.sound().samples.astype(int))).max()
        room.board.do(SetPart(b.leg, speaks=False))
        room.go_on(0.1)
        samples = a.sound().samples.astype(int)
        assert np.abs(np.diff(samples)).max() <= steepest * 1.05
        assert not samples[-4 * 160 :].any()


@pytest.mark.parametrize("ptime", [10, 30, 40, 60])
@pytest.mark.parametrize("codec", ["PCMA", "opus"])
def test_each_leg_has_packets_of_its_own_length(codec: str, ptime: int):
    named = PAYLOADS[codec]
    odd = PayloadMap(codec, named.send, named.receive, named.clock, ptime)
    with gathering("PCMU", odd) as room:
        room.bridge(*room.parties)
        assert listen(room) == everybody(2)
        b = room.parties[1]
        assert len(b.packets) == pytest.approx(1000 / ptime, abs=1)
        steps = {(y.timestamp - x.timestamp) & 0xFFFF_FFFF for x, y in pairwise(b.packets)}
        assert steps == {named.clock * ptime // 1000}


def test_who_may_not_be_sent_to_is_heard_all_the_same():
    with gathering("PCMU", "PCMA", "PCMU") as room:
        a = room.parties[0]
        room.bridge(*room.parties)
        room.board.update(a.leg, a, payload=a.payload, direction="recvonly")
        heard = listen(room)
        assert heard == {0: set(), 1: {0, 2}, 2: {0, 1}}
        assert not a.packets
        room.board.update(a.leg, a, payload=a.payload, direction="sendonly")
        assert listen(room) == {0: {1, 2}, 1: {2}, 2: {1}}


def test_keys_are_told_in_the_matrix_and_not_heard_as_noise():
    from pbx.media.protocol import DigitHeard

    with gathering("PCMU", "PCMU", "PCMU") as room:
        a, b, c = room.parties
        c.talks = False
        room.bridge(a, b, c)
        room.go_on(SETTLED)
        a.talks = b.talks = False
        room.go_on(SETTLED)
        room.pass_time(0.1)
        a.press(5)
        room.go_on(0.5)
        assert room.board.events(DigitHeard) == [DigitHeard(a.leg, "5", 60)]
        assert not b.sound().samples.any()


def test_a_prompt_over_a_call_goes_on_at_its_pace_when_the_other_leaves(prompt: str):
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        room.bridge(a, b)
        room.board.do(Play(a.leg, 7, (prompt,), others=0.5))
        room.go_on(0.5)
        room.board.do(Leave(b.leg), Leave(a.leg))
        room.go_on(1.4)
        assert not room.board.events(PlaybackDone)
        room.go_on(0.2)
        assert room.board.events(PlaybackDone) == [PlaybackDone(a.leg, 7, True)]
        check_stream(a)
