"""The E-model: from loss and delay to a mean opinion score, ITU-T G.107. Pure, no numpy.

    R = 93.2 − Id − Ie_eff        Ie_eff = Ie + (95 − Ie) · Ppl / (Ppl + Bpl)
    Id = 0.024 d + 0.11 (d − 177.3) where d > 177.3 ms
    MOS = 1 + 0.035 R + R (R − 60)(100 − R) · 7e-6

Ppl is the percentage of packets lost in the stretch that is judged, never a count that has been
growing since the call began. All other inputs of G.107 keep their defaults, and losses count as
random. The scale is that of narrowband telephony: 4.41 is the best there is, for wideband too.

A worker conceals what is lost of G.711 before it decodes or mixes it. What it relays is concealed
by the phone that plays it, if at all: nobody tells us. Phones do so today, so G.711 has the one row
with concealment; a phone without it hears less than the score says (2.17 in place of 3.92 at 5 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

BEST_RATING: Final = 93.2
"""R of a connection with nothing wrong: Ro − Is with the defaults of G.107."""

NOTICED_DELAY: Final = 177.3
"""Milliseconds one way, from which delay disturbs a talk."""

MAX_RATING: Final = 100.0
WORST_SCORE: Final = 1.0


class Impairment(NamedTuple):
    """What a codec costs: `ie` without loss, `bpl` its robustness against random loss in percent.

    Values are those of ITU-T G.113 Appendix I where it has the codec.
    """

    ie: float
    bpl: float


CONCEALED_G711: Final = Impairment(0.0, 25.1)
"""G.711 with packet-loss concealment as in its Appendix I."""

BARE_G711: Final = Impairment(0.0, 4.3)
"""G.711 with silence in place of what is lost."""

IMPAIRMENTS: Final[Mapping[str, Impairment]] = {
    "PCMU": CONCEALED_G711,
    "PCMA": CONCEALED_G711,
    # G.113 Appendix I is about narrowband codecs. Assumed for the others: on this scale they take
    # nothing away (the worst of them is wider than G.711), and their losses are concealed as well.
    "L16": CONCEALED_G711,
    "G722": CONCEALED_G711,
    "opus": CONCEALED_G711,
}
"""By the codec's name. There is no score for a codec without a row."""


def rating(impairment: Impairment, *, loss_percent: float, delay_ms: float) -> float:
    """Return the transmission rating R, at most 93.2; below 0 nobody can talk.

    `loss_percent` 0…100 of the packets expected, `delay_ms` milliseconds one way, mouth to ear.
    """
    ie, bpl = impairment
    loss = min(max(loss_percent, 0.0), 100.0)
    delay = max(delay_ms, 0.0)
    disturbed = 0.024 * delay + 0.11 * max(0.0, delay - NOTICED_DELAY)
    return BEST_RATING - disturbed - (ie + (95.0 - ie) * loss / (loss + bpl))


def score_of(rating: float) -> float:
    """Return the mean opinion score that a rating R means: 1.0…4.5 (G.107 Annex B)."""
    r = min(max(rating, 0.0), MAX_RATING)
    return max(WORST_SCORE, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def opinion_score(codec: str, *, loss_percent: float, delay_ms: float) -> float | None:
    """Return the mean opinion score of a stretch of sound in `codec`; None where that is unknown.

    `loss_percent` and `delay_ms` are those of `rating`.
    """
    impairment = IMPAIRMENTS.get(codec)
    if impairment is None:
        return None
    return score_of(rating(impairment, loss_percent=loss_percent, delay_ms=delay_ms))
