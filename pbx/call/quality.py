"""From a worker's figures to what people read: loss in percent, jitter, round trip, MOS.

A worker reports each leg every 5 s with counts that grow. `LegFigures` takes these reports and
judges by the E-model each stretch between two of them, and the call as a whole: always by the loss
of that very stretch. What was not measured has no score: less than 5 s of sound, or what we sent to
somebody who tells nothing by RTCP. The delay is half the round trip, where that is known, and our
jitter buffer's; that of the far end's buffer is nobody's to know.
"""

from __future__ import annotations

from typing import Final, Literal

from pbx.events import LegRole, Quality
from pbx.media.emodel import opinion_score
from pbx.media.protocol import PayloadMap, StreamFigures

StreamDirection = Literal["received", "sent"]
"""Seen from callpbx."""

ENOUGH_MS: Final = 5000
"""Milliseconds of sound that a score needs."""

STRETCH_MS: Final = 2500
"""Milliseconds of sound in the shortest stretch that is judged: half of what is due in a report."""


class StreamQuality:
    """One direction of one leg.

    `loss_percent` 0…100 and `mos` 1.0…4.5 are of the last stretch, `worst` is the lowest score of
    all; None while nothing is known.
    """

    __slots__ = (
        "_codec",
        "_delays",
        "_direction",
        "_reports",
        "_round_trips",
        "_sound_ms",
        "_stretch_ms",
        "_told",
        "_trips",
        "figures",
        "loss_percent",
        "mos",
        "worst",
    )

    def __init__(self, direction: StreamDirection) -> None:
        self.figures = StreamFigures()
        """The newest report."""
        self.loss_percent: float | None = None
        self.mos: float | None = None
        self.worst: float | None = None
        self._direction = direction
        self._codec = ""
        self._told = StreamFigures()
        """The report with which the last stretch that was judged ended."""
        self._sound_ms = 0
        self._stretch_ms = 0
        self._delays = 0.0
        self._reports = 0
        self._round_trips = 0.0
        self._trips = 0

    def take(self, figures: StreamFigures, payload: PayloadMap | None) -> None:
        """Take a report; `payload` is what the leg speaks, None before that is agreed."""
        news = self._expected(figures) - self._expected(self.figures)
        self.figures = figures
        if payload is None or news <= 0:
            return
        self._codec = payload.codec
        self._sound_ms += news * payload.ptime
        self._stretch_ms += news * payload.ptime
        self._reports += 1
        self._delays += _delay_ms(figures)
        if figures.round_trip_ms is not None:
            self._round_trips += figures.round_trip_ms
            self._trips += 1
        if self._stretch_ms >= STRETCH_MS:
            self._judge()

    @property
    def round_trip_ms(self) -> float | None:
        """Return the mean round trip; None where RTCP told none."""
        return self._round_trips / self._trips if self._trips else self.figures.round_trip_ms

    def row(self, role: LegRole, codec: str) -> Quality:
        """Return what the record says of the whole call."""
        figures = self.figures
        loss = _percent(figures.lost, self._expected(figures))
        score = None
        if self._sound_ms >= ENOUGH_MS:
            delay = self._delays / self._reports
            score = opinion_score(codec, loss_percent=loss, delay_ms=delay)
        return Quality(
            leg=role,
            direction=self._direction,
            codec=codec,
            packets=figures.packets,
            loss_percent=round(loss, 2),
            jitter_ms=round(figures.jitter_ms, 2),
            round_trip_ms=_rounded(self.round_trip_ms),
            mos=_rounded(score),
            mos_worst=_rounded(self.worst) if score is not None else None,
            bursts=figures.bursts,
            concealed_ms=figures.concealed_ms,
        )

    def _judge(self) -> None:
        """Close a stretch: it has its own loss and its own score."""
        figures, told = self.figures, self._told
        expected = self._expected(figures) - self._expected(told)
        self.loss_percent = _percent(figures.lost - told.lost, expected)
        self._told = figures
        self._stretch_ms = 0
        score = opinion_score(
            self._codec, loss_percent=self.loss_percent, delay_ms=_delay_ms(figures)
        )
        if score is not None:
            self.worst = score if self.worst is None else min(self.worst, score)
        self.mos = score if self._sound_ms >= ENOUGH_MS else None

    def _expected(self, figures: StreamFigures) -> int:
        """Return how many packets the loss is of: of ours, those that the far end told about."""
        if self._direction == "sent":
            return figures.reported
        return figures.packets + figures.lost


class LegFigures:
    """Both directions of one leg, as far as its worker has reported them."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.received = StreamQuality("received")
        self.sent = StreamQuality("sent")

    def take(
        self, received: StreamFigures, sent: StreamFigures, payload: PayloadMap | None
    ) -> None:
        """Take what a worker reported; `payload` is what the leg speaks."""
        self.received.take(received, payload)
        self.sent.take(sent, payload)

    @property
    def worse(self) -> StreamQuality:
        """Return the direction with the lower score now; what we receive where that is open."""
        received, sent = self.received, self.sent
        if sent.mos is None or (received.mos is not None and received.mos <= sent.mos):
            return received
        return sent

    def rows(self, role: LegRole, codec: str) -> tuple[Quality, Quality]:
        """Return what was received from the leg, and what it says it received from us."""
        return self.received.row(role, codec), self.sent.row(role, codec)


def _delay_ms(figures: StreamFigures) -> float:
    return (figures.round_trip_ms or 0.0) / 2 + figures.buffer_ms


def _percent(lost: int, expected: int) -> float:
    return min(100.0, max(0.0, 100.0 * lost / expected)) if expected > 0 else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
