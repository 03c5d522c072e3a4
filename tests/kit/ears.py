"""Parties of a worker in this process: each speaks a tone of its own and tells whom it hears.

A `Party` is a phone with a codec. It speaks real RTP into a `Board`, whose clock the test moves,
and hears real RTP from it; a Fourier transform of what it heard says how loud everybody was to it,
in dB of full scale. So a test can say who hears whom, whatever way the sound takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np

from pbx.demo.tones import TONES, Sound, heard, level_of
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import Enter, PayloadMap
from tests.kit.rtp import Board, RtpPhone
from tests.kit.tones import tone

PAYLOADS = {
    "PCMU": PayloadMap("PCMU", 0, 0, 8000, event_send=101, event_receive=101, event_clock=8000),
    "PCMA": PayloadMap("PCMA", 8, 8, 8000, event_send=101, event_receive=101, event_clock=8000),
    "G722": PayloadMap("G722", 9, 9, 8000, event_send=101, event_receive=101, event_clock=8000),
    "L16": PayloadMap("L16", 97, 97, 16000),
    "opus": PayloadMap("opus", 111, 111, 48000),
}
"""What a party has agreed on, by the name of its codec."""

SPOKEN_DBFS = -16.0
"""How loud everybody speaks."""

LEAST_DBFS = -100.0
"""What silence is called."""

_bridges = count(1)


class Party(RtpPhone):
    """A phone that speaks one tone as long as it talks."""

    def __init__(self, hz: int, payload: PayloadMap, *, ssrc: int) -> None:
        super().__init__(ssrc=ssrc)
        self.hz = hz
        self.payload = payload
        self.codec = ARRAY_CODECS[payload.codec]
        self.leg = 0
        self.talks = True
        self.packets: list[RtpPacket] = []
        """All that it has heard."""
        self.arrived: list[float] = []
        """When each of them came, seconds."""
        self.samples = tone(hz, 1.0, rate=self.codec.rate, level_dbfs=SPOKEN_DBFS).samples
        self._encoder = [self.codec.encoder()]
        self._elapsed_ms = 0
        self._said = 0

    def speak(self) -> None:
        """Let 20 ms pass: send the packets that are full."""
        self._elapsed_ms += 20
        while self._elapsed_ms >= self.payload.ptime:
            self._elapsed_ms -= self.payload.ptime
            self._say_one()

    def _say_one(self) -> None:
        size = self.codec.rate * self.payload.ptime // 1000
        samples = np.take(self.samples, range(self._said, self._said + size), mode="wrap")
        self._said += size
        if self.talks:
            coded = self.codec.encode(self._encoder, samples.reshape(1, -1))[0]
            packet = RtpPacket(
                self.payload.receive, self.sequence & 0xFFFF, self.timestamp, self.ssrc, coded
            )
            self.send(bytes(packet))
            self.sequence += 1
        step = self.payload.clock * self.payload.ptime // 1000
        self.timestamp = (self.timestamp + step) & 0xFFFF_FFFF

    def listen(self, now: float) -> None:
        """Take what has come."""
        packets = self.hear()
        self.packets += packets
        self.arrived += [now] * len(packets)

    def sound(self, start: int = 0) -> Sound:
        """Return what it heard, from packet number `start` on."""
        payloads = [
            packet.payload
            for packet in self.packets[start:]
            if packet.payload_type == self.payload.send
        ]
        decoder = [self.codec.decoder()]
        frames = [self.codec.decode(decoder, [payload])[0] for payload in payloads]
        samples = np.concatenate(frames) if frames else np.zeros(0, np.int16)
        return Sound(samples, self.codec.rate)


class Gathering:
    """Parties on one board."""

    def __init__(self, board: Board, parties: Sequence[Party]) -> None:
        self.board = board
        self.parties = parties

    def bridge(self, *parties: Party, **changes: Any) -> int:
        """Make parties members of a new bridge; return its number."""
        number = next(_bridges)
        self.board.do(*(Enter(party.leg, number, **changes) for party in parties))
        return number

    def pass_time(self, seconds: float) -> None:
        """Let everybody talk and listen; what they heard before is forgotten."""
        for party in self.parties:
            party.packets.clear()
            party.arrived.clear()
        self.go_on(seconds)

    def go_on(self, seconds: float) -> None:
        """Let everybody talk and listen."""
        for _ in range(round(seconds * 50)):
            for party in self.parties:
                party.speak()
            self.board.settle()
            self.board.advance(0.02)
            for party in self.parties:
                party.listen(self.board.now)

    def loudness(self, listener: Party, speaker: Party) -> float:
        """Return how loud a speaker is to a listener, dB of full scale."""
        sound = listener.sound()
        return max(LEAST_DBFS, level_of(sound, speaker.hz)) if len(sound.samples) else LEAST_DBFS

    def heard_by(self, listener: Party) -> set[Party]:
        """Return whom a listener hears."""
        sound = listener.sound()
        tones = heard(sound) if len(sound.samples) else set()
        return {party for party in self.parties if party.hz in tones}

    def who_hears_whom(self) -> dict[int, set[int]]:
        """Return the numbers of the parties that each hears, parties counted from 0."""
        numbers = {party: n for n, party in enumerate(self.parties)}
        return {
            numbers[listener]: {numbers[speaker] for speaker in self.heard_by(listener)}
            for listener in self.parties
        }


@contextmanager
def gathering(*payloads: str | PayloadMap) -> Iterator[Gathering]:
    """Open a board with one party for each codec, all legs added and their sources locked."""
    board = Board()
    parties: list[Party] = []
    try:
        for n, (hz, wanted) in enumerate(zip(TONES, payloads, strict=False)):
            payload = PAYLOADS[wanted] if isinstance(wanted, str) else wanted
            party = Party(hz, payload, ssrc=0xA11CE + n)
            parties.append(party)
            party.leg = board.add(party, payload=payload)
        made = Gathering(board, parties)
        made.pass_time(0.24)
        yield made
    finally:
        for party in parties:
            party.close()
        board.close()
