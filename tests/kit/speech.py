"""Speech through a worker in this process, over networks that lose and delay it, and its marks.

`recorded` are sentences of a real speaker, from Debian's prompts. A `Narrator` says one of them, a
`Conversation` moves its packets over the way that the test has chosen, at their own times, and the
sound that a listener's phone plays is marked by ITU-T P.862 (`mark`; NB-PESQ as the package `pesq`
has it, 1.0 to 4.5). All is drawn from seeds, and no time passes.
"""

from __future__ import annotations

import heapq
import random
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tests.kit.ears import PAYLOADS, Gathering, Party
from tests.kit.rtp import Board
from tests.kit.tones import Sound

PROMPTS = "/usr/share/asterisk/sounds"
"""Where Debian puts them (see tests/kit/programs.py)."""

NARROW = 8000
SENTENCE_S = 8.0
"""Seconds of each sample of speech: what P.862 was made for."""

PAUSE_S = 0.25
QUIET_S = 0.5
"""Seconds of silence before and behind each sample."""

Way = Callable[[], Sequence[float]]
"""Returns how many seconds each copy of the next packet takes: none is a loss."""


def at_once() -> Sequence[float]:
    """Deliver the packet at once."""
    return (0.0,)


def losing(share: float, seed: int) -> Way:
    """Lose a share of the packets, each by chance."""
    rng = random.Random(seed)
    return lambda: () if rng.random() < share else (0.0,)


def jittering(mean: float, spread: float, seed: int) -> Way:
    """Delay each packet by `mean` ± `spread` seconds, evenly distributed; some overtake others."""
    rng = random.Random(seed)
    return lambda: (rng.uniform(mean - spread, mean + spread),)


def recorded(number: int) -> Sound:
    """Return 8 s of speech at 8000 Hz: prompts in a row with short pauses; each number another."""
    pause = np.zeros(round(PAUSE_S * NARROW), np.int16)
    wanted = round(SENTENCE_S * NARROW)
    parts: list[NDArray[np.int16]] = []
    length = 0
    for prompt in _prompts()[number * 20 :]:
        parts += (prompt, pause)
        length += len(prompt) + len(pause)
        if length >= wanted:
            return Sound(np.concatenate(parts)[:wanted], NARROW)
    raise ValueError(f"there is no sample number {number}")


@cache
def _prompts() -> list[NDArray[np.int16]]:
    """Return all prompts of a second and more, in order of their names."""
    found = []
    for path in sorted(Path(PROMPTS).rglob("*.wav")):
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            if len(samples) >= file.getframerate() == NARROW and samples.any():
                found.append(samples)
    return found


def mark(said: Sound, heard: Sound) -> float:
    """Return the NB-PESQ of what was heard, 1.0 to 4.5, against what was said."""
    from pesq import pesq  # compiled where it is installed, and not everywhere

    return float(pesq(NARROW, at_rate(said, NARROW), at_rate(heard, NARROW), "nb"))


def at_rate(sound: Sound, rate: int) -> NDArray[np.int16]:
    """Return a sound's samples at another rate."""
    if sound.rate == rate:
        return sound.samples
    samples = np.rint(resample_poly(sound.samples.astype(float), rate, sound.rate))
    return np.clip(samples, -32768, 32767).astype(np.int16)


class Narrator(Party):
    """A phone that says what it is given, and is silent before and behind it."""

    def __init__(self, codec: str, *, ssrc: int) -> None:
        super().__init__(1000, PAYLOADS[codec], ssrc=ssrc)
        self.now = 0.0
        """When the packet goes out that is sent next."""
        self.way: Way = at_once
        self.said: list[bytes] = []
        """Datagrams that it has sent, the lost ones too."""
        self.lost = 0
        self._flying: list[tuple[float, int, bytes]] = []
        self._numbers = count()
        self.say_sound(Sound(np.zeros(0, np.int16), NARROW))

    def say_sound(self, sound: Sound) -> None:
        """Begin to say a sound, behind half a second of silence, and once more when it is over."""
        quiet = np.zeros(round(QUIET_S * self.codec.rate), np.int16)
        self.samples = np.concatenate((quiet, at_rate(sound, self.codec.rate), quiet))
        self._said = 0

    def send(self, datagram: bytes) -> None:
        """Send a packet on its way."""
        delays = self.way()
        self.said.append(datagram)
        self.lost += not delays
        for delay in delays:
            heapq.heappush(self._flying, (self.now + delay, next(self._numbers), datagram))

    def arrivals(self, until: float) -> list[float]:
        """Return when packets arrive up to that time."""
        return [at for at, _, _ in self._flying if at <= until]

    def deliver(self, now: float) -> None:
        """Let those arrive that are due."""
        while self._flying and self._flying[0][0] <= now:
            super().send(heapq.heappop(self._flying)[2])


class Conversation(Gathering):
    """Narrators on one board; their packets take their ways."""

    def __init__(self, board: Board, parties: Sequence[Narrator]) -> None:
        super().__init__(board, parties)
        self.narrators = parties

    def go_on(self, seconds: float) -> None:
        """Let everybody talk and listen; each packet arrives at its own time."""
        for _ in range(round(seconds * 50)):
            begin = self.board.now
            for narrator in self.narrators:
                narrator.now = begin
                narrator.speak()
            times = {begin + 0.01, begin + 0.02}
            for narrator in self.narrators:
                times.update(narrator.arrivals(begin + 0.02))
            for now in sorted(times):
                self.board.now = now
                for narrator in self.narrators:
                    narrator.deliver(now)
                self.board.settle()
            for narrator in self.narrators:
                narrator.listen(self.board.now)

    def tell(self, sound: Sound) -> Sound:
        """Let the first narrator say a sound; return what the second's phone plays."""
        speaker, listener = self.narrators[:2]
        speaker.say_sound(sound)
        self.pass_time(sound.seconds + 2 * QUIET_S)
        return listener.sound()


@contextmanager
def conversation(*codecs: str, way: Way = at_once) -> Iterator[Conversation]:
    """Open a board with a narrator for each codec, all in one bridge, sources locked.

    What the first narrator says goes by `way`, from its first packet on.
    """
    board = Board()
    narrators = [Narrator(codec, ssrc=0xA11CE + n) for n, codec in enumerate(codecs)]
    narrators[0].way = way
    try:
        for narrator in narrators:
            narrator.leg = board.add(narrator, payload=narrator.payload)
        made = Conversation(board, narrators)
        made.pass_time(0.24)
        made.bridge(*narrators)
        made.pass_time(0.24)
        yield made
    finally:
        for narrator in narrators:
            narrator.close()
        board.close()
