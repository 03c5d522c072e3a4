"""Today's figures, for live boards: counted as calls change, by the code that reports use.

It hears of calls from the recorder, which folds them anyway (`Outbox` tells its listener), so a
board is a twentieth of a second behind and counts nothing twice. A visit counts when the caller
waits no longer, an agent's part and the caller's opinion when the call is over, each on the day on
which it began. At midnight of the office's time zone all begins anew; a server that starts gives
the records of the day so far (`count`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pbx.cdr.counts import Counts, Rules, Tally
from pbx.cdr.figures import Figures, Part, Visit, figures_of
from pbx.cdr.kpi import SERVICE_LEVELS, actual_abandons
from pbx.cdr.open_call import OpenCall
from pbx.cdr.record import CallRecord
from pbx.events import Event, WrapUpEnded
from pbx.events.bus import Clock

KEPT = 5_000
"""Calls whose work afterwards is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueToday:
    """Figures of one queue since midnight; `service_level` is percent by the formula named
    `formula`, None before the first call that counts."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    service_level: float | None = None
    formula: str = ""


class Today:
    """Counts of the day; a listener of the recorder. `rules` are asked for when a day begins."""

    def __init__(self, clock: Clock, rules: Callable[[], Rules]) -> None:
        self._clock = clock
        self._rules = rules
        self._waiting: dict[str, int] = {}
        self._over: dict[str, tuple[Part, ...]] = {}
        self._begin()

    def queue(self, name: str) -> QueueToday:
        """Return the figures of a queue; zeros for one without calls."""
        counts = self.counts(name)
        method = SERVICE_LEVELS[0]
        return QueueToday(
            offered=counts.offered,
            answered=counts.answered,
            abandoned=actual_abandons(counts),
            service_level=method.of(counts).value,
            formula=f"SL({self._now.within_s(name):g} s), {method.en}",
        )

    def counts(self, queue: str) -> Counts:
        """Return the plain counts of a queue, for kpi.py."""
        self._turn_page()
        return self._tally.queues.get(queue) or Counts()

    def agent(self, number: str) -> Counts:
        """Return the plain counts of an agent, of calls that are over, for kpi.py."""
        self._turn_page()
        return self._tally.agents.get(number) or Counts()

    @property
    def midnight(self) -> float:
        """Return when the day began, in seconds since the epoch."""
        self._turn_page()
        return self._first / 1000

    def count(self, record: CallRecord) -> None:
        """Count a call that was over before this began to listen."""
        self._turn_page()
        figures = figures_of(record)
        if figures is not None:
            for visit in figures.visits:
                self._add_visit(visit)
            self._add_end(record.id, figures)

    # -- what the recorder tells -------------------------------------------------------------

    def changed(self, call: OpenCall) -> None:
        """Hear of a call that is or was in a queue and goes on."""
        self._turn_page()
        self._waiting[call.id] = self._count_visits(call)

    def over(self, call: OpenCall, record: CallRecord) -> None:
        """Hear of a call that was in a queue and is over."""
        self._turn_page()
        self._count_visits(call)
        self._waiting.pop(call.id, None)
        figures = figures_of(record)
        if figures is not None:
            self._add_end(call.id, figures)

    def joined(self, call: str) -> None:
        """Hear of a call that goes on as part of another; what was counted of it stays so."""
        self._waiting.pop(call, None)

    def amended(self, call: str, event: Event) -> None:
        """Hear of what happened to a call when it was over."""
        if isinstance(event, WrapUpEnded):
            for part in reversed(self._over.get(call, ())):
                if part.agent == event.agent and self._is_today(part.at):
                    self._add_wrap_up(part, round(event.seconds * 1000))
                    return

    # -- counting ----------------------------------------------------------------------------

    def _count_visits(self, call: OpenCall) -> int:
        """Count the visits that ended since the last time; return how many there were in all."""
        visits = [span for span in call.closed if span.kind == "queue"]
        for span in visits[self._waiting.get(call.id, 0) :]:
            length = span.end - span.start
            self._add_visit(Visit(span.number, call.started_ms + span.start, length, span.result))
        return len(visits)

    def _add_visit(self, visit: Visit) -> None:
        if self._is_today(visit.at):
            self._tally.add_visit(visit)

    def _add_end(self, call: str, figures: Figures) -> None:
        for part in figures.parts:
            if self._is_today(part.at):
                self._tally.add_part(part)
        if figures.visits and self._is_today(figures.visits[-1].at):
            self._tally.add_opinion(figures)
        if figures.parts:
            if len(self._over) >= KEPT:
                self._over.pop(next(iter(self._over)))
            self._over[call] = figures.parts

    def _add_wrap_up(self, part: Part, length: int) -> None:
        self._tally.agent(part.agent).wrap_up += length
        if part.queue is not None:
            self._tally.queue(part.queue).wrap_up += length

    # -- days --------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._now = self._rules()
        self._zone = ZoneInfo(self._now.timezone)
        self._day = self._date(self._clock.wall())
        self._tally = Tally(self._now)
        midnight = datetime.combine(self._day, datetime.min.time(), self._zone)
        self._first = round(midnight.timestamp() * 1000)

    def _turn_page(self) -> None:
        if self._date(self._clock.wall()) != self._day:
            self._begin()

    def _date(self, wall: float) -> date:
        return datetime.fromtimestamp(wall, self._zone).date()

    def _is_today(self, at: int) -> bool:
        return at >= self._first
