"""Plain counts, of a queue or of an agent, in one stretch of time. Pure.

All figures are functions of these (kpi.py), and both reports and the live boards add up the same
ones in the same way (`add_visit`, `add_part`, `add_opinion`), so they cannot disagree. Lengths are
whole milliseconds, so that the order of adding changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from pbx.cdr.figures import Figures, Opinion, Part, Visit

ABANDONED = frozenset({"abandoned", "interrupted", "ended"})
"""Results of a caller who was lost while waiting: gave up, or was cut off by our own end."""

OVERFLOWED = frozenset({"timeout", "full", "no_agents", "moved", "left"})
"""Results of a caller whom the queue handed on, with or without a key."""

HANDLED = frozenset({"answered", "transferred"})
"""Results of an agent's part in which the agent talked."""

MISSED = frozenset({"no_answer"})
REJECTED = frozenset({"rejected", "busy"})

SATISFIED = frozenset(
    {"满意", "很满意", "非常满意", "滿意", "很滿意", "非常滿意", "好", "很好", "非常好"}
    | {"satisfied", "very satisfied", "good", "very good", "excellent"}
)
"""What an answer of a satisfied customer means, in the words of dialplan.yaml."""

SHORT_ABANDON_S = 5.0
"""Seconds: who leaves earlier had no fair chance to be answered."""

SERVICE_LEVEL_S = 20.0
"""Seconds, where dialplan.yaml says nothing of a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what is counted: the office's settings.

    `service_level_s` is by queue; `service_level` names the method of kpi.py that is shown first.
    """

    timezone: str = "UTC"
    short_abandon_s: float = SHORT_ABANDON_S
    service_level_s: Mapping[str, float] = field(default_factory=dict)
    satisfied: frozenset[str] = SATISFIED

    def within_s(self, queue: str) -> float:
        """Return in how many seconds a caller of this queue should be answered."""
        return self.service_level_s.get(queue, SERVICE_LEVEL_S)


@dataclass(slots=True, kw_only=True)
class Counts:
    """What was counted. Lengths are milliseconds; None is not known.

    `within` is the time of the service level, `short` that of short abandons: by which it was
    counted. `contacts` are answered callers with a number, `repeated` those of them who called the
    same queue again within the days of `kpi.FCR_DAYS`.
    """

    within: int = round(SERVICE_LEVEL_S * 1000)
    short: int = round(SHORT_ABANDON_S * 1000)
    offered: int = 0
    answered: int = 0
    answered_in_sl: int = 0
    short_abandons: int = 0
    abandoned: int = 0
    """Without the short ones."""
    abandoned_in_sl: int = 0
    """With the short ones."""
    overflowed: int = 0
    callbacks: int = 0
    wait_answered: int = 0
    wait_lost: int = 0
    longest_wait: int = 0
    offers: int = 0
    """Times that an agent's phone rang for a queue's caller."""
    rung: int = 0
    """Those of them that were answered."""
    ring: int = 0
    """How long the phone rang in those."""
    answered_in_3: int = 0
    answered_in_5: int = 0
    missed: int = 0
    rejected: int = 0
    handled: int = 0
    talk: int = 0
    hold: int = 0
    wrap_up: int = 0
    available: int | None = None
    paid: int | None = None
    contacts: int = 0
    repeated: int | None = None
    asked: int = 0
    responses: int = 0
    satisfied: int = 0
    period: int = 0
    """How long the stretch of time is in which all of this was counted."""

    def add_visit(self, visit: Visit) -> None:
        """Count a caller of a queue."""
        wait = visit.wait
        self.offered += 1
        if wait > self.longest_wait:
            self.longest_wait = wait
        if visit.result == "answered":
            self.answered += 1
            self.wait_answered += wait
            if wait <= self.within:
                self.answered_in_sl += 1
            return
        self.wait_lost += wait
        if visit.result in ABANDONED:
            if wait <= self.short and visit.result != "interrupted":
                self.short_abandons += 1
            else:
                self.abandoned += 1
            if wait <= self.within:
                self.abandoned_in_sl += 1
        elif visit.result == "callback":
            self.callbacks += 1
        elif visit.result in OVERFLOWED:
            self.overflowed += 1

    def add_part(self, part: Part) -> None:
        """Count what an agent did in a call."""
        result = part.result
        if result in HANDLED:
            self.handled += 1
            self.talk += part.talk
            self.hold += part.hold
            self.wrap_up += part.wrap_up
        if result == "transferred":
            return
        self.offers += 1
        if result == "answered":
            self.rung += 1
            self.ring += part.ring
            self.answered_in_3 += part.ring <= 3_000
            self.answered_in_5 += part.ring <= 5_000
        elif result in MISSED:
            self.missed += 1
        elif result in REJECTED:
            self.rejected += 1

    def add_work(self, part: Part) -> None:
        """Count, for the queue that the caller came from, the work that an agent had."""
        self.handled += part.result == "answered"
        self.talk += part.talk
        self.hold += part.hold
        self.wrap_up += part.wrap_up

    def add_opinion(self, opinion: Opinion, satisfied: frozenset[str]) -> None:
        """Count a caller who was asked; `satisfied` are the meanings of a satisfied answer."""
        self.asked += 1
        if opinion.meaning is not None:
            self.responses += 1
            self.satisfied += opinion.meaning in satisfied

    def add(self, other: Counts) -> None:
        """Add what was counted of others; what is not known of one of them is that of the other."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _MAYBE:
            known = [
                each for each in (getattr(self, name), getattr(other, name)) if each is not None
            ]
            setattr(self, name, sum(known) if known else None)
        self.longest_wait = max(self.longest_wait, other.longest_wait)


_MAYBE = ("available", "paid", "repeated")
"""Counts that may be unknown."""

_SUMS = tuple(
    each.name
    for each in fields(Counts)
    if each.name not in (*_MAYBE, "within", "short", "longest_wait", "period")
)


class Tally:
    """Counts by queue and by agent, all of one stretch of time."""

    def __init__(self, rules: Rules) -> None:
        self.queues: dict[str, Counts] = {}
        self.agents: dict[str, Counts] = {}
        self._rules = rules

    def queue(self, name: str) -> Counts:
        """Return the counts of a queue; they are made for a new one."""
        counts = self.queues.get(name)
        if counts is None:
            rules = self._rules
            counts = self.queues[name] = Counts(
                within=round(rules.within_s(name) * 1000), short=round(rules.short_abandon_s * 1000)
            )
        return counts

    def agent(self, number: str) -> Counts:
        """Return the counts of an agent; they are made for a new one."""
        counts = self.agents.get(number)
        if counts is None:
            counts = self.agents[number] = Counts()
        return counts

    def add_visit(self, visit: Visit) -> Counts:
        """Count a caller of a queue; return where."""
        counts = self.queues.get(visit.queue) or self.queue(visit.queue)
        counts.add_visit(visit)
        return counts

    def add_part(self, part: Part) -> None:
        """Count what an agent did in a call, for the agent and for the queue."""
        self.add_agent(part)
        self.add_work(part)

    def add_agent(self, part: Part) -> None:
        """Count what an agent did in a call, for the agent."""
        (self.agents.get(part.agent) or self.agent(part.agent)).add_part(part)

    def add_work(self, part: Part) -> None:
        """Count what an agent did in a call, for the queue that the caller came from."""
        if part.queue is not None:
            (self.queues.get(part.queue) or self.queue(part.queue)).add_work(part)

    def add_opinion(self, figures: Figures) -> None:
        """Count the caller's opinion: for the queue it was in last, and who talked to it last."""
        opinion = figures.opinion
        if opinion is None:
            return
        satisfied = self._rules.satisfied
        if figures.visits:
            self.queue(figures.visits[-1].queue).add_opinion(opinion, satisfied)
        talked = [part.agent for part in figures.parts if part.result in HANDLED]
        if talked:
            self.agent(talked[-1]).add_opinion(opinion, satisfied)
