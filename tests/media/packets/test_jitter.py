import re
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media.packets.jitter import MAX_DELAY_MS, START_TICKS, Hole, JitterBuffer

SCRIPTS = Path(__file__).parents[2] / "data" / "jitter"
FRAME = 160


class Rehearsal:
    """Plays a script of tests/data/jitter (its README tells the letters) to a buffer."""

    def __init__(self, sequence: int = 1000, timestamp: int = 5000) -> None:
        self.buffer = JitterBuffer()
        self.sequence = sequence
        self.timestamp = timestamp
        self.number = 0
        self.now = 0.0
        self.newest = (0, 0, b"")
        self.missing: list[tuple[int, int, bytes]] = []
        self.sent_at: dict[int, int] = {}
        self.tick = 0
        self.heard: list[int] = []
        self.holes = {Hole.LOST: 0, Hole.EMPTY: 0}
        self.delay = 0

    def play(self, letters: Iterable[str]) -> None:
        for letter in letters:
            getattr(self, f"_{letter}")()

    def mark(self, name: str) -> int:
        marks = {
            "heard": len(self.heard),
            "lost": self.holes[Hole.LOST],
            "empty": self.holes[Hole.EMPTY],
            "delay": self.delay,
        }
        return marks[name] if name in marks else getattr(self.buffer, name)

    def _make(self) -> tuple[int, int, bytes]:
        packet = (self.sequence & 0xFFFF, self.timestamp & 0xFFFF_FFFF, b"%d" % self.number)
        self.sent_at[self.number] = self.tick
        self.sequence += 1
        self.timestamp += FRAME
        self.number += 1
        return packet

    def _put(self, packet: tuple[int, int, bytes]) -> None:
        self.newest = packet
        self.buffer.push(*packet, self.now)

    def _P(self) -> None:
        self._put(self._make())

    def _L(self) -> None:
        self.missing.append(self._make())

    def _D(self) -> None:
        self._put(self.newest)

    def _O(self) -> None:
        self._put(self.missing.pop(0))

    def _S(self) -> None:
        first, second = self._make(), self._make()
        self._put(second)
        self._put(first)

    def _T(self) -> None:
        self.timestamp += FRAME

    def _J(self) -> None:
        self.sequence += 20_000
        self.timestamp += 1_000_000_000

    def _E(self) -> None:
        self.buffer.skip(self.sequence & 0xFFFF)
        self.sequence += 1
        self.timestamp += FRAME

    def _C(self) -> None:
        self.timestamp += 60 * 8000

    def _G(self) -> None:
        self.tick += 1
        self.now += 0.02
        self.buffer.local += self.buffer.tick
        slot = self.buffer.pop()
        if isinstance(slot, Hole):
            self.holes[slot] += 1
        else:
            self.heard.append(int(slot))
            self.delay = self.tick - self.sent_at.get(int(slot), 0) - 1


def spread(line: str) -> str:
    """Write repetitions out: 3(PG) is PGPGPG."""
    repeated = re.sub(r"(\d+)\((\w+)\)", lambda m: int(m[1]) * m[2], line)
    return repeated.replace(" ", "")


@pytest.mark.parametrize("name", sorted(file.stem for file in SCRIPTS.glob("*.txt")))
def test_script(name: str):
    rehearsal = Rehearsal()
    for line in (SCRIPTS / f"{name}.txt").read_text().splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] == "start":
            rehearsal = Rehearsal(int(words[1]), int(words[2]))
        elif words[0].startswith("!"):
            low, _, high = words[1].partition("-")
            mark = words[0][1:]
            assert int(low) <= rehearsal.mark(mark) <= int(high or low), (line, mark)
        else:
            rehearsal.play(spread(line))
    assert rehearsal.heard == sorted(set(rehearsal.heard))


def simulate(
    seconds: int,
    delay: Callable[[Random, float], float],
    *,
    ppm: float = 0,
    frame_ms: int = 20,
    loss: float = 0,
    seed: int = 1,
) -> tuple[JitterBuffer, list[int], list[float]]:
    """Send through a network, play with wishes granted at once; return what was heard, and the
    delay at each tick, ms."""
    rng = Random(seed)
    arrivals = []
    for number in range(seconds * 1000 // frame_ms):
        sent = number * frame_ms / 1000 / (1 + ppm * 1e-6)
        if rng.random() >= loss:
            arrivals.append((sent + delay(rng, sent) + 0.007, number))
    arrivals.sort(reverse=True)
    buffer, heard, delays, held = JitterBuffer(), [], [], 0
    for tick in range(seconds * 50):
        while arrivals and arrivals[-1][0] <= tick * 0.02:
            at, number = arrivals.pop()
            timestamp = (0xFFFF_0000 + number * frame_ms * 8) & 0xFFFF_FFFF
            buffer.push((65_000 + number) & 0xFFFF, timestamp, b"%d" % number, at)
        buffer.local += buffer.tick
        rounds = 1 - buffer.wish
        buffer.wish = 0
        for _ in range(rounds):
            while held < buffer.tick:
                slot = buffer.pop(buffer.tick - held)
                held += buffer.tick - held if slot is Hole.EMPTY else buffer.frame
                if isinstance(slot, bytes):
                    heard.append(int(slot))
            held -= buffer.tick
        buffer.held = held
        delays.append(buffer.delay_ms)
    return buffer, heard, delays


def test_jitter_of_30_and_20_ms_costs_less_than_80_ms_and_no_sound():
    for seed in range(3):
        buffer, heard, delays = simulate(60, lambda rng, _: rng.uniform(0.01, 0.05), seed=seed)
        assert len(heard) >= 3000 * 0.995
        assert buffer.underruns + buffer.lost <= 3000 * 0.01
        assert max(delays) <= 80


def test_normally_distributed_jitter_of_20_ms_is_met_at_80_ms_on_average():
    for seed in range(3):
        buffer, _, delays = simulate(60, lambda rng, _: max(0, rng.gauss(0.03, 0.02)), seed=seed)
        assert buffer.underruns + buffer.lost <= 3000 * 0.01
        assert sum(delays) / len(delays) <= 85


@pytest.mark.parametrize("ppm", [-200, 200])
def test_ten_minutes_of_skew_do_not_let_the_delay_drift(ppm: float):
    buffer, heard, delays = simulate(600, lambda rng, _: rng.uniform(0.01, 0.05), ppm=ppm)
    assert len(heard) >= 30_000 * 0.999
    assert buffer.underruns + buffer.lost <= 30_000 * 0.01
    assert max(delays) <= 80


@pytest.mark.parametrize("ppm", [-200, 200])
def test_skew_without_jitter_costs_no_sound_at_all(ppm: float):
    buffer, _, delays = simulate(600, lambda rng, _: rng.uniform(0, 0.002), ppm=ppm)
    assert buffer.underruns == buffer.lost == buffer.late == 0
    assert max(delays) <= 60


def test_delay_is_given_back_when_the_network_calms_down():
    rough = simulate(30, lambda rng, at: rng.uniform(0, 0.1) if at < 10 else 0.0)[2]
    assert max(rough[250:500]) > 70
    assert rough[-1] <= 40


def test_bursts_are_waited_for_once_they_are_known():
    def network(_: Random, at: float) -> float:
        return 0.1 - at % 2 if at % 2 < 0.1 and at > 1 else 0.0

    buffer, _, delays = simulate(60, network)
    assert buffer.underruns <= 15
    assert buffer.lost == buffer.discarded == 0
    assert max(delays) <= 160


@pytest.mark.parametrize("frame_ms", [10, 30, 40, 60])
def test_length_of_packets_is_learnt_from_timestamps(frame_ms: int):
    buffer, heard, _ = simulate(30, lambda rng, _: rng.uniform(0.01, 0.05), frame_ms=frame_ms)
    assert buffer.frame == frame_ms * 8
    assert len(heard) >= 30_000 // frame_ms * 0.99
    assert buffer.underruns <= 15


def test_length_of_packets_is_told_by_payloads_where_they_can_tell():
    buffer = JitterBuffer(8000, lambda payload: len(payload) / 8)
    buffer.push(1, 0, bytes(240), 0.0)
    assert buffer.frame == 240
    buffer.push(2, 240, bytes(80), 0.03)
    buffer.push(3, 320, bytes(80), 0.04)
    assert buffer.frame == 80
    buffer.local += 1000
    taken = [buffer.pop() for _ in range(START_TICKS + 3)]
    assert [len(slot) for slot in taken if isinstance(slot, bytes)] == [240, 80, 80]


def test_a_stream_that_rests_without_a_word_starts_with_a_fresh_delay():
    rehearsal = Rehearsal()
    rehearsal.play(spread("100(PG)500(G)50(PG)"))
    assert rehearsal.buffer.underruns <= 10
    assert rehearsal.delay <= START_TICKS
    assert rehearsal.buffer.lost == rehearsal.buffer.late == 0


def test_recent_payloads_end_at_the_hole():
    rehearsal = Rehearsal()
    rehearsal.play(spread("10(PG)LG10(PG)"))
    assert rehearsal.buffer.recent(3) == [b"16", b"17", b"18"]
    assert len(rehearsal.buffer.recent(50)) == 8


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("PPPPPPLDSTJECGGGG"), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)
        ),
        max_size=300,
    ),
    st.floats(0, 0.3),
)
def test_nothing_that_arrives_breaks_the_buffer(steps: list[tuple[str, int, int]], rubbish: float):
    rehearsal = Rehearsal(65_400, 2**32 - 4000)
    for letter, sequence, timestamp in steps:
        if sequence < rubbish * 0xFFFF:
            rehearsal.buffer.push(sequence * 7 & 0xFFFF, timestamp, b"-1", rehearsal.now)
        rehearsal.play(letter)
        assert rehearsal.buffer.depth <= (MAX_DELAY_MS + 2000) * 8
    for _ in range(400):
        rehearsal.play("G")
    heard = [number for number in rehearsal.heard if number >= 0]
    assert rehearsal.buffer.pop() is Hole.EMPTY
    assert len(heard) <= rehearsal.number


@pytest.mark.parametrize("sequence", [7, 0xFFFF])
def test_a_stream_that_was_heard_already_goes_on_with_its_next_packet_at_once(sequence: int):
    buffer = JitterBuffer()
    buffer.follow(sequence, 0xFFFF_FF60, b"heard")
    buffer.push((sequence + 1) & 0xFFFF, 0, b"next", 0.0)
    buffer.local += FRAME
    assert buffer.pop() == b"next"
    assert buffer.pop() is Hole.EMPTY
    assert (buffer.lost, buffer.concealed, buffer.wish) == (0, 0, 1)
