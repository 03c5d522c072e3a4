"""Reports: what was counted in a stretch of time, by hour or day, as rows of figures. Pure.

A `Ledger` takes the figures of each call and what agents did, in the order of time, and sorts both
into counts by queue, agent, and hour or day of the office's time zone. `report_of` makes rows of
them. Whoever shows a row shows the formulas, too: they are in `Report.columns`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from pbx.cdr.counts import Counts, Rules, Tally
from pbx.cdr.figures import Figures, Visit
from pbx.cdr.kpi import FCR_DAYS, KPIS, SERVICE_LEVELS

Kind = Literal["queues", "agents", "survey"]
By = Literal["hour", "day"]

QUARTER: Final = 900_000  # milliseconds: hours and days of all time zones begin at one
FCR_MS: Final = FCR_DAYS * 86_400_000

REACHABLE: Final = frozenset({"available", "reserved", "ringing"})
"""States in which an agent waits for a call; the time in them is `available` in formulas."""

QUEUE_FIGURES: Final = (
    *("offered", "answered", "answered_in_sl", "short_abandons", "actual_abandons", "overflowed"),
    *("callbacks", "answer_rate", "abandon_rate", "loss_rate"),
    *(kpi.id for kpi in SERVICE_LEVELS),
    *("asa", "longest_wait", "handled", "aht", "fcr", "csat", "response_rate"),
    *("erlangs_in", "erlangs_done", "erlangs_lost"),
)
AGENT_FIGURES: Final = (
    *("handled", "talk", "hold", "wrap_up", "aht", "ring_time", "answered_in_3", "answered_in_5"),
    *("missed", "rejected", "occupancy", "utilisation", "csat", "response_rate"),
)
SURVEY_FIGURES: Final = ("asked", "responses", "response_rate", "csat")

FIGURES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "queues": QUEUE_FIGURES,
    "agents": AGENT_FIGURES,
    "survey": SURVEY_FIGURES,
}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a report: its id, its names, and the formula by which anybody can check it."""

    id: str
    name: str
    zh: str
    unit: str
    formula: str
    version: int


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The figures of one queue, agent or survey from `from_` until `until` (local, ISO 8601).

    `name` None is all of them together. `values` are by id, in the column's unit; `reasons` says of
    each that is null what is missing. `states` are an agent's seconds by state; `answers` those to
    a survey by meaning.
    """

    name: str | None
    from_: str
    until: str
    values: dict[str, float | None]
    reasons: dict[str, str] = {}
    states: dict[str, float] = {}
    answers: dict[str, int] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report: what each figure means, and the rows."""

    kind: Kind
    timezone: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """Which report: from `since` (seconds since the epoch; None: midnight) until `until` (None:
    now), by hour, by day, or all of it in one row."""

    kind: Kind
    since: float | None = None
    until: float | None = None
    by: By | None = None


class _Page:
    """What was counted in one hour or day, or in all of the time; its bounds are milliseconds."""

    def __init__(self, rules: Rules, first: int, last: int) -> None:
        self.first = first
        self.last = last
        self.tally = Tally(rules)
        self.states: dict[str, Counter[str]] = {}
        self.surveys: dict[str, tuple[Counts, Counter[str]]] = {}

    def add_state(self, agent: str, state: str, length: int) -> None:
        self.states.setdefault(agent, Counter())[state] += length
        counts = self.tally.agent(agent)
        counts.available = (counts.available or 0) + (length if state in REACHABLE else 0)


_Contacts = dict[tuple[str, str], tuple[Counts, int]]
"""Caller and queue → where the last answered call counts, and when it came."""


class Ledger:
    """Counts of the time from `since` until `until`, milliseconds since the epoch.

    Without `contacts` nobody looks whether callers call again: where that cannot be known yet.
    """

    def __init__(
        self, rules: Rules, since: int, until: int, by: By | None, *, contacts: bool = True
    ) -> None:
        self.rules = rules
        self.since = since
        self.until = until
        self.zone = ZoneInfo(rules.timezone)
        self._by = by
        self._pages: dict[int, _Page] = {}
        self._quarters: dict[int, _Page] = {}
        self._page = _Page(rules, 0, 0)
        self._track: _Contacts | None = {} if contacts else None

    @property
    def pages(self) -> list[_Page]:
        """Return what was counted, in the order of time."""
        return [self._pages[first] for first in sorted(self._pages)]

    def add(self, figures: Figures) -> None:
        """Count a call, for queues, agents and surveys; calls come in the order of their
        beginning."""
        self._add_callers(figures)
        self._add_agents(figures)
        self.add_opinion(figures)

    def add_for_queues(self, figures: Figures) -> None:
        """Count a call as far as it is about queues."""
        self._add_callers(figures)
        if figures.opinion is not None:
            self.add_opinion(figures)

    def add_for_agents(self, figures: Figures) -> None:
        """Count a call as far as it is about agents."""
        self._add_agents(figures)
        if figures.opinion is not None:
            self.add_opinion(figures)

    # A year is some 400,000 calls: what is asked of each stands here in as few steps as can be.

    def _add_callers(self, figures: Figures) -> None:
        page, track = self._page, self._track
        for visit in figures.visits:
            at = visit.at
            if track is not None:
                self._note_repeated(track, figures, visit)
            if not page.first <= at < page.last:
                if not self.since <= at < self.until:
                    continue
                page = self.page(at)
            counts = page.tally.add_visit(visit)
            if track is not None and visit.result == "answered" and figures.caller:
                counts.contacts += 1
                track[figures.caller, visit.queue] = counts, at
        for part in figures.parts:
            at = part.at
            if not page.first <= at < page.last:
                if not self.since <= at < self.until:
                    continue
                page = self.page(at)
            page.tally.add_work(part)

    def _note_repeated(self, track: _Contacts, figures: Figures, visit: Visit) -> None:
        """Note that an earlier call of the same caller solved nothing."""
        before = track.get((figures.caller, visit.queue))
        if before is not None and figures.began > before[1]:
            del track[figures.caller, visit.queue]
            if visit.at - before[1] <= FCR_MS:
                before[0].repeated = (before[0].repeated or 0) + 1

    def _add_agents(self, figures: Figures) -> None:
        page = self._page
        for part in figures.parts:
            at = part.at
            if not page.first <= at < page.last:
                if not self.since <= at < self.until:
                    continue
                page = self.page(at)
            page.tally.add_agent(part)

    def add_stretch(self, agent: str, state: str, since: int, until: int) -> None:
        """Count what an agent did, in each hour or day that it lasted."""
        at, until = max(since, self.since), min(until, self.until)
        while at < until:
            page = self.page(at)
            end = min(until, page.last)
            page.add_state(agent, state, end - at)
            at = end

    def add_state(self, agent: str, state: str, length: int) -> None:
        """Count how long an agent was in a state, all of the time together."""
        self.page(self.since).add_state(agent, state, length)

    def page(self, at: int) -> _Page:
        """Return where what happened at a moment counts."""
        quarter = at // QUARTER
        page = self._quarters.get(quarter)
        if page is None:
            page = self._quarters[quarter] = self._page_of(at)
        self._page = page
        return page

    def local(self, at: int) -> str:
        """Write a moment as the clock on the office's wall, with its offset."""
        return datetime.fromtimestamp(at / 1000, self.zone).isoformat(timespec="minutes")

    def add_opinion(self, figures: Figures) -> None:
        """Count what the caller answered to a survey."""
        opinion = figures.opinion
        at = _end(figures)
        if opinion is None or at is None or not self.since <= at < self.until:
            return
        page = self.page(at)
        page.tally.add_opinion(figures)
        counts, answers = page.surveys.setdefault(opinion.name, (Counts(), Counter()))
        counts.add_opinion(opinion, self.rules.satisfied)
        answers[opinion.meaning or ""] += 1

    def _page_of(self, at: int) -> _Page:
        first, last = self.since, self.until
        if self._by is not None:
            begin, end = _hour(at, self.zone) if self._by == "hour" else _day(at, self.zone)
            first, last = max(begin, first), min(end, last)
        page = self._pages.get(first)
        if page is None:
            page = self._pages[first] = _Page(self.rules, first, last)
        return page


def report_of(kind: Kind, ledger: Ledger, now: int) -> Report:
    """Return the rows of what was counted; `now` in milliseconds since the epoch."""
    rows = [
        row for page in ledger.pages for row in _ROWS[kind](ledger, page, page.last + FCR_MS <= now)
    ]
    columns = tuple([_column(id_, ledger.rules) for id_ in FIGURES[kind]])
    return Report(kind=kind, timezone=ledger.rules.timezone, columns=columns, rows=tuple(rows))


def _queue_rows(ledger: Ledger, page: _Page, settled: bool) -> Iterator[Row]:
    together = Counts()
    for name in sorted(page.tally.queues):
        counts = page.tally.queues[name]
        if settled and counts.repeated is None:
            counts.repeated = 0
        elif not settled:
            counts.repeated = None
        together.add(counts)
        yield _row(ledger, page, name, counts, QUEUE_FIGURES)
    if len(page.tally.queues) > 1:
        yield _row(ledger, page, None, together, QUEUE_FIGURES)


def _agent_rows(ledger: Ledger, page: _Page, _settled: bool) -> Iterator[Row]:
    for name in sorted(page.tally.agents):
        states = {state: ms / 1000 for state, ms in page.states.get(name, {}).items()}
        row = _row(ledger, page, name, page.tally.agents[name], AGENT_FIGURES)
        yield msgspec.structs.replace(row, states=states)


def _survey_rows(ledger: Ledger, page: _Page, _settled: bool) -> Iterator[Row]:
    for name, (counts, answers) in sorted(page.surveys.items()):
        row = _row(ledger, page, name, counts, SURVEY_FIGURES)
        given = {meaning: count for meaning, count in answers.items() if meaning}
        yield msgspec.structs.replace(row, answers=given)


_ROWS: Final[Mapping[Kind, Callable[[Ledger, _Page, bool], Iterator[Row]]]] = {
    "queues": _queue_rows,
    "agents": _agent_rows,
    "survey": _survey_rows,
}


def _row(
    ledger: Ledger, page: _Page, name: str | None, counts: Counts, wanted: Iterable[str]
) -> Row:
    counts.period = page.last - page.first
    figures = {id_: KPIS[id_].of(counts) for id_ in wanted}
    return Row(
        name=name,
        from_=ledger.local(page.first),
        until=ledger.local(page.last),
        values={id_: figure.value for id_, figure in figures.items()},
        reasons={id_: figure.reason for id_, figure in figures.items() if figure.reason},
    )


def _column(id_: str, rules: Rules) -> Column:
    kpi = KPIS[id_]
    name = kpi.en
    if kpi in SERVICE_LEVELS:
        name = f"SL({within(rules)}), {kpi.en}"
    return Column(
        id=id_, name=name, zh=kpi.zh, unit=kpi.unit, formula=kpi.formula, version=kpi.version
    )


def within(rules: Rules) -> str:
    """Write the service level's times: `20 s`, or `20 s; vip 10 s` where queues differ."""
    own = sorted(rules.service_level_s.items())
    usual = Counter(seconds for _, seconds in own).most_common(1)
    common = usual[0][0] if usual else rules.within_s("")
    others = [f"{name} {seconds:g} s" for name, seconds in own if seconds != common]
    return "; ".join([f"{common:g} s", *others])


def _end(figures: Figures) -> int | None:
    """Return when the visit, or the part, began to which the caller's opinion belongs."""
    moments: Sequence[int] = [visit.at for visit in figures.visits] or [
        part.at for part in figures.parts
    ]
    return moments[-1] if moments else figures.began


def _hour(at: int, zone: ZoneInfo) -> tuple[int, int]:
    begin = at - round(_into_hour(at, zone) * 1000)
    return begin, begin + 3_600_000


def _into_hour(at: int, zone: ZoneInfo) -> float:
    local = datetime.fromtimestamp(at / 1000, zone)
    return local.minute * 60 + local.second + local.microsecond / 1_000_000


def _day(at: int, zone: ZoneInfo) -> tuple[int, int]:
    day = datetime.fromtimestamp(at / 1000, zone).date()
    midnight = datetime.min.time()
    begin, end = (
        datetime.combine(each, midnight, zone).timestamp()
        for each in (day, day + timedelta(days=1))
    )
    return round(begin * 1000), round(end * 1000)
