"""How speech sounds behind the worker, marked by ITU-T P.862 (NB-PESQ, 1.0 to 4.5).

The marks of one codec alone bound what can be reached: µ-law once is 4.15 on these samples. Each
figure is the mean over several samples of a real speaker, each over a network with a seed of its
own; it is printed, whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean

import pytest

from pbx.media.packets.rtp import RtpPacket
from tests.kit.speech import (
    PROMPTS,
    Way,
    at_once,
    conversation,
    jittering,
    losing,
    mark,
    recorded,
)

pytestmark = [pytest.mark.interop("pesq", PROMPTS), pytest.mark.proof]

SAMPLES = 12
SEED = 4242
ROOM = ("PCMU", "PCMU", "PCMU")


@dataclass(frozen=True)
class Line:
    """What speech goes through, and the mark that it must reach at least.

    `codecs` are the talker's, the listener's, and those of others, who say nothing.
    """

    name: str
    codecs: tuple[str, ...]
    least: float
    way: Callable[[int], Way] = lambda seed: at_once

    def marks(self) -> list[float]:
        """Return the mark of each sample of speech, each in a call of its own."""
        found = []
        for number in range(SAMPLES):
            with conversation(*self.codecs, way=self.way(SEED + number)) as call:
                sound = recorded(number)
                found.append(mark(sound, call.tell(sound)))
        return found


def lossy(seed: int) -> Way:
    return losing(0.05, seed)


def jittery(seed: int) -> Way:
    return jittering(0.030, 0.020, seed)


LINES = [
    Line("PCMU to PCMA", ("PCMU", "PCMA"), 3.9),
    Line("PCMA to PCMU", ("PCMA", "PCMU"), 3.9),
    Line("G722 to PCMU", ("G722", "PCMU"), 3.9),
    Line("PCMA to G722", ("PCMA", "G722"), 3.9),
    Line("opus to PCMA", ("opus", "PCMA"), 3.9),
    Line("PCMU to opus", ("PCMU", "opus"), 3.9),
    Line("one talker in a room", ROOM, 3.9),
    Line("one talker in a wide room", ("G722", "PCMA", "G722"), 3.9),
    Line("5 % loss", ROOM, 3.0, lossy),
    Line("5 % loss, PCMU to PCMA", ("PCMU", "PCMA"), 3.0, lossy),
    Line("5 % loss, G722", ("G722", "G722", "G722"), 3.0, lossy),
    Line("5 % loss, opus", ("opus", "PCMU"), 3.0, lossy),
    Line("jitter of 30 ± 20 ms", ROOM, 4.0, jittery),
    Line("jitter of 30 ± 20 ms, G722", ("G722", "PCMU"), 4.0, jittery),
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_speech_sounds_as_good_as_it_must(line: Line, capsys: pytest.CaptureFixture[str]):
    marks = line.marks()
    shown = f"{mean(marks):.2f} ({min(marks):.2f} to {max(marks):.2f})"
    with capsys.disabled():
        print(f"\nPESQ {line.name}: {shown}, seeds {SEED} to {SEED + SAMPLES - 1}", end="")
    assert mean(marks) >= line.least


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722", "L16", "opus"])
def test_a_relayed_call_is_the_same_bit_by_bit(codec: str):
    with conversation(codec, codec) as call:
        talker, listener = call.narrators
        before = len(talker.said)
        call.tell(recorded(0))
        said = [RtpPacket.parse(datagram) for datagram in talker.said[before:]]
        assert len(said) > 400
        assert [packet.payload for packet in listener.packets] == [
            packet.payload for packet in said if packet is not None
        ]
