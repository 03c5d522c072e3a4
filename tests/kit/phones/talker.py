"""Talkers: real phones in a call, each of which speaks a tone of its own and has an open ear.

What a phone hears goes into a file for as long as its call lasts, and is read while it grows. So a
test waits for what is heard instead of for time to pass, and can look back at all that was heard
since a mark.

    alice, bob = talk(office, desk, mobile, "102", (430, 690))
    wait_for({alice: {bob}, bob: {alice}})
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from pbx.demo.tones import samples_so_far
from tests.kit.office import TestedOffice
from tests.kit.phones.baresip import CHANNELS, RATES, Baresip, BaresipCall
from tests.kit.phones.pjsua import RECORDED_HZ, SoftCall, SoftPhone
from tests.kit.tones import TONES, Sound, heard, level_of

AnyPhone = SoftPhone | Baresip
AnyCall = SoftCall | BaresipCall

WINDOW_S: Final = 0.5
"""Seconds of sound by which it is judged who is heard."""

PATIENCE_S: Final = 6.0
LOOK_S: Final = 0.1
"""Seconds between two looks at the files."""


class Talker:
    """A phone in a call that is up: it speaks the tone `hz` from now on (0: nothing) and hears."""

    def __init__(self, call: AnyCall, hz: int) -> None:
        self.call = call
        self.hz = hz
        if isinstance(call, SoftCall):
            call.wait_media()
            if hz:
                call.play(hz)
            self._own = [call.listen()]
            self._rate, self._channels = RECORDED_HZ, 1
        else:
            self._own = []
            codec = call.phone.codec
            self._rate, self._channels = RATES[codec], CHANNELS.get(codec, 1)

    def __repr__(self) -> str:
        return f"{self.call.phone.name} ({self.hz} Hz)"

    def mark(self) -> float:
        """Return how many seconds it has heard so far."""
        return self._heard().seconds

    def since(self, mark: float) -> Sound:
        """Return all that it has heard since a mark."""
        return self._heard().part(mark)

    def _heard(self) -> Sound:
        files = self.call.heard() if isinstance(self.call, BaresipCall) else self._own
        parts = [samples_so_far(file)[:: self._channels] for file in files if file.exists()]
        return Sound(np.concatenate([np.zeros(0, np.int16), *parts]), self._rate)


Ears = Mapping[Talker, Collection[Talker | int]]
"""Whom each hears; a number is a tone that nobody of them speaks, such as the music."""


def talk(
    office: TestedOffice, caller: AnyPhone, called: AnyPhone, number: str, tones: tuple[int, int]
) -> tuple[Talker, Talker]:
    """Let one phone call another's number, which answers; return the two as talkers."""
    call = caller.dial(office.uri(number))
    incoming = called.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    return Talker(call, tones[0]), Talker(incoming, tones[1])


def wait_for(
    ears: Ears,
    *,
    seconds: float = WINDOW_S,
    timeout: float = PATIENCE_S,
    tones: Collection[int] = TONES,
) -> None:
    """Wait until each has heard just these for `seconds`, all at one time.

    What was heard before now does not count, nor do tones that are neither among `tones` nor
    anybody's here. AssertionError says who heard whom at the end.
    """
    marks = {talker: talker.mark() for talker in ears}
    wanted = {talker: _tones(parties) for talker, parties in ears.items()}
    listed = {*tones, *(talker.hz for talker in ears if talker.hz)}.union(*wanted.values())
    deadline = time.monotonic() + timeout
    while True:
        time.sleep(LOOK_S)
        now = {talker: _heard_of_late(talker, marks[talker], seconds, listed) for talker in ears}
        if now == wanted:
            return
        assert time.monotonic() < deadline, "\n".join(
            f"{talker} hears {_shown(now[talker])}, should hear {_shown(wanted[talker])}"
            for talker in ears
            if now[talker] != wanted[talker]
        )


def loudest(sound: Sound, hz: int, *, window_s: float = WINDOW_S) -> float:
    """Return how loud a tone is, dBFS, in that part of a sound where it is loudest."""
    half = window_s / 2
    count = int(sound.seconds / half) - 1
    assert count > 0, f"{sound.seconds:.2f} s are too short to judge"
    return max(level_of(sound.part(n * half, n * half + window_s), hz) for n in range(count))


def _heard_of_late(
    talker: Talker, mark: float, seconds: float, tones: Collection[int]
) -> set[int] | None:
    """Return the tones of the last seconds; None while fewer are there."""
    sound = talker.since(mark)
    if sound.seconds < seconds:
        return None
    return heard(sound.part(sound.seconds - seconds), tones)


def _tones(parties: Collection[Talker | int]) -> set[int]:
    return {party if isinstance(party, int) else party.hz for party in parties}


def _shown(tones: set[int] | None) -> str:
    return "too little" if tones is None else f"{sorted(tones)} Hz" if tones else "silence"
