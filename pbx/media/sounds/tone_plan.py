"""The tones of each country's network, and callpbx's own, as sounds.

One row of `TONE_PLANS` per country, with its source. A tone is written as its parts in order:
`450/0.35 0/0.35` is 0.35 s of 450 Hz and as long a pause; `350+440` are two frequencies at once,
`400*16` is 400 Hz modulated by 16 Hz (ITU-T E.180 Supplement 2 writes 400x16), `@-13` gives each
frequency's level in dBm0, and a part without a time goes on for ever. Call progress tones repeat
until somebody stops them, over an exact period; the others are heard once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.media.sounds.clip import (
    ENDLESS,
    PER_MS,
    UNIT_MS,
    Clip,
    Frame,
    Shelf,
    Source,
    repeats_after,
)

LEVEL: Final = -10.0
"""dBm0, where a country says nothing else: the middle of what E.180 §2 recommends."""

FULL_SCALE: Final = 3.14
"""dBm0 of the loudest sine (ITU-T G.711 §4, A-law)."""

RAMP_MS: Final = 4
"""Milliseconds in which a part fades in and out, so that it does not click."""

MODULATION: Final = 0.85  # depth of `*`: NTT's ringing tone, 85 ± 15 %

_CONTINUOUS_MS: Final = 1000  # whole hertz fit into a second
_INFORMATION: Final = "950/0.33 1400/0.33 1800/0.33 0/1"  # E.180 §3.3: three rising tones
_RECORDING: Final = "1400/0.5 0/15"  # ITU-T E.180 §3.8: this conversation is recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class TonePlan:
    """One country's tones; `source` says where they are written down."""

    source: str
    dial: str
    ring: str
    busy: str
    congestion: str
    call_waiting: str
    special_information: str = _INFORMATION
    recording: str = _RECORDING


TONE_PLANS: Final = {
    "cn": TonePlan(
        source="GB/T 3380, ITU-T E.180 Suppl. 2",
        dial="450",
        ring="450/1 0/4",
        busy="450/0.35 0/0.35",
        congestion="450/0.7 0/0.7",
        call_waiting="450/0.4 0/4",
        special_information="450/0.1 0/0.1 450/0.1 0/0.1 450/0.1 0/0.1 450/0.4 0/0.4",
        recording="950/0.4 0/10",
    ),
    "de": TonePlan(
        source="ITU-T E.180 Suppl. 2, Germany (tones I)",
        dial="425",
        ring="425/1 0/4",
        busy="425/0.48 0/0.48",
        congestion="425/0.24 0/0.24",
        call_waiting="425/0.2 0/0.2 425/0.2 0/5",
    ),
    "fr": TonePlan(
        source="ITU-T E.180 Suppl. 2, France",
        dial="440",
        ring="440/1.5 0/3.5",
        busy="440/0.5 0/0.5",
        congestion="440/0.25 0/0.25",
        call_waiting="440/0.3 0/10",
    ),
    "hk": TonePlan(
        source="ITU-T E.180 Suppl. 2, Hong Kong",
        dial="350+440@-13",
        ring="440+480@-13/0.4 0/0.2 440+480@-13/0.4 0/3",
        busy="480+620@-13/0.5 0/0.5",
        congestion="480+620@-13/0.25 0/0.25",
        call_waiting="440/0.3 0/10",
    ),
    "jp": TonePlan(
        source="ITU-T E.180 Suppl. 2, Japan; NTT technical reference for telephone services",
        dial="400",
        ring="400*16/1 0/2",
        busy="400/0.5 0/0.5",
        congestion="400/0.5 0/0.5",
        call_waiting="400*16/0.1 0/0.1 400*16/0.1 0/3",
    ),
    "uk": TonePlan(
        source="BT SIN 350, ITU-T E.180 Suppl. 2",
        dial="350+440@-13",
        ring="400+450@-13/0.4 0/0.2 400+450@-13/0.4 0/2",
        busy="400/0.375 0/0.375",
        congestion="400/0.4 0/0.35 400/0.225 0/0.525",
        call_waiting="400/0.1 0/3",
    ),
    "us": TonePlan(
        source="precise tone plan (Telcordia GR-506), ITU-T E.180 Suppl. 2",
        dial="350+440@-13",
        ring="440+480@-19/2 0/4",
        busy="480+620@-24/0.5 0/0.5",
        congestion="480+620@-24/0.25 0/0.25",
        call_waiting="440@-13/0.3 0/10",
        special_information="913.8@-13/0.274 1370.6@-13/0.274 1776.7@-13/0.38 0/1",
    ),
}
"""Country, as ISO 3166 writes it (and uk) → its tones."""

DEFAULT_COUNTRY: Final = "cn"

OWN_TONES: Final = {
    "beep": "1000/0.25",  # speak now: ends what says that a message is recorded
    "join": "587@-18/0.12 784@-18/0.18",  # somebody came into the conference: rising
    "leave": "784@-18/0.12 587@-18/0.18",  # somebody left it: falling
}
"""callpbx's own tones, alike everywhere."""

HEARD_ONCE: Final = frozenset({"special_information", *OWN_TONES})

TONE_NAMES: Final = (*(field.name for field in fields(TonePlan)[1:]), *OWN_TONES)
"""What may follow `tone:`."""


@dataclass(frozen=True, slots=True)
class TonePart:
    """Frequencies heard at once, in Hz; none of them is a pause. `level` in dBm0, each."""

    hertz: tuple[float, ...]
    milliseconds: int | None
    level: float = LEVEL
    modulation: float = 0.0


def parse_tone(written: str) -> tuple[TonePart, ...]:
    """Return the parts of a tone as the table writes it."""
    return tuple(_parse_part(part) for part in written.split())


def _parse_part(written: str) -> TonePart:
    sound, _, seconds = written.partition("/")
    sound, _, level = sound.partition("@")
    sound, _, modulation = sound.partition("*")
    return TonePart(
        hertz=tuple(float(hertz) for hertz in sound.split("+") if hertz != "0"),
        milliseconds=round(float(seconds) * 1000) if seconds else None,
        level=float(level or LEVEL),
        modulation=float(modulation or 0),
    )


def tone_clip(shelf: Shelf, name: str, *, country: str = DEFAULT_COUNTRY) -> Clip:
    """Return a tone; `name` is one of `TONE_NAMES`. Raises Refused when there is none so called."""
    if name not in TONE_NAMES:
        raise Refused(f"there is no tone {name}; there are {', '.join(TONE_NAMES)}")
    written = OWN_TONES.get(name) or getattr(TONE_PLANS[country], name)
    tone = ToneSource(parse_tone(written), once=name in HEARD_ONCE)
    if tone.once:
        return Clip(tone, shelf, tone.period_ms * PER_MS)
    return Clip(tone, shelf, ENDLESS, repeats=repeats_after(tone.period_ms))


class ToneSource(Source):
    """Makes a tone of its parts, `once` or for ever."""

    def __init__(self, parts: tuple[TonePart, ...], *, once: bool) -> None:
        self.once = once
        self.period_ms = sum(part.milliseconds or _CONTINUOUS_MS for part in parts)
        self._parts = parts
        self._periods: dict[int, Frame] = {}

    def read(self, unit: int, rate: int) -> Frame:
        """Return a unit of the tone."""
        period = self._periods.get(rate)
        if period is None:
            period = self._periods[rate] = self._make(rate)
        size = rate * UNIT_MS // 1000
        if self.once:
            piece = period[unit * size : (unit + 1) * size]
            return np.pad(piece, (0, size - len(piece)))
        repeated: Frame = period[(np.arange(size) + unit * size) % len(period)]
        return repeated

    def _make(self, rate: int) -> Frame:
        sound = np.concatenate([_make_part(part, rate) for part in self._parts])
        rounded: Frame = np.rint(sound).astype(np.int16)
        return rounded


def _make_part(part: TonePart, rate: int) -> NDArray[np.float64]:
    milliseconds = part.milliseconds or _CONTINUOUS_MS
    time = np.arange(milliseconds * rate // 1000) / rate
    sound = np.zeros(len(time))
    for hertz in part.hertz:
        sound += np.sin(2 * math.pi * hertz * time)
    if part.modulation:
        swell = 1 + MODULATION * np.sin(2 * math.pi * part.modulation * time)
        sound *= swell / math.sqrt(1 + MODULATION**2 / 2)  # as loud as without
    if part.milliseconds is not None:
        ramp = np.sin(np.linspace(0, math.pi / 2, RAMP_MS * rate // 1000, endpoint=False)) ** 2
        sound[: len(ramp)] *= ramp
        sound[len(sound) - len(ramp) :] *= ramp[::-1]
    return sound * 32768 * 10 ** ((part.level - FULL_SCALE) / 20)
