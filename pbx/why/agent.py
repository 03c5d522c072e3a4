"""Why an agent got the calls that it got: its states, and the offers in which it was weighed. Pure.

An offer names 20 candidates at most. Of one that does not name the agent, the test that spoke
against is known from what the agent was doing at that moment: its state; while it was free, that it
lacks a skill or that others came first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pbx import events
from pbx.acd.keeping import Stretch
from pbx.api.views import utc_text
from pbx.api.why_views import AgentWhy, Spent
from pbx.events.bus import Stamped
from pbx.sentences.words import DECLINED, STATES, TESTS, counted, length, listed

UNNAMED: Final = "unnamed"
"""The test of offers that do not name the agent although it was free: a skill, or others."""

UNKNOWN: Final = "unknown"
"""The test of offers that do not name the agent at a time of which nothing is stored."""

SHORTEST: Final = 0.5
"""Seconds: what took less stands in the table alone."""

_TEST_OF_STATE: Final = {
    "available": UNNAMED,
    "reserved": "reserved",
    "ringing": "busy",
    "talking": "busy",
    "hold": "busy",
    "wrap_up": "wrap_up",
    "paused": "paused",
    "unreachable": "unreachable",
    "logged_out": "logged_out",
}

_WORDS: Final = {
    **TESTS,
    UNNAMED: "free, but it lacks a skill or others come first",
    UNKNOWN: "not among the candidates, and nothing is stored of what it did",
}


def explain_agent(
    agent: str,
    since: float,
    until: float,
    *,
    stretches: Sequence[Stretch],
    story: Iterable[Stamped],
) -> AgentWhy:
    """Return why an agent got the calls that it got from `since` until `until` (wall).

    `stretches` are what it did, in order; `story` holds events of all calls of that time, in any
    order within different calls.
    """
    spent = _spent(stretches, since, until)
    doing = [each.since for each in stretches]
    tests: Counter[str] = Counter()
    declined: Counter[str] = Counter()
    callers = decisions = chosen = took = 0
    for stamped in story:
        if not since <= stamped.at < until:
            continue
        match stamped.event:
            case events.QueueEntered():
                callers += 1
            case events.AgentDeclined(agent=who, reason=reason) if who == agent:
                declined[reason] += 1
            case events.AgentConnected(agent=who) if who == agent:
                took += 1
            case events.OfferDecided():
                decisions += 1
                if agent in stamped.event.chosen:
                    chosen += 1
                else:
                    tests[_test(agent, stamped.event, _at(stamped.at, doing, stretches))] += 1
    why = AgentWhy(
        agent=agent,
        since=utc_text(since),
        until=utc_text(until),
        summary="",
        spent=spent,
        callers=callers,
        decisions=decisions,
        chosen=chosen,
        took=took,
        declined=dict(declined.most_common()),
        tests=dict(tests.most_common()),
    )
    return _with_summary(why, until - since)


def _test(agent: str, decision: events.OfferDecided, doing: Stretch | None) -> str:
    """Return the first test that spoke against an agent who was not chosen."""
    for candidate in decision.candidates:
        if candidate.agent == agent:
            return candidate.failed or "later"
    return UNKNOWN if doing is None else _TEST_OF_STATE.get(doing.state, UNKNOWN)


def _at(moment: float, begins: list[float], stretches: Sequence[Stretch]) -> Stretch | None:
    """Return what the agent was doing at a moment."""
    index = bisect_right(begins, moment) - 1
    return stretches[index] if index >= 0 and stretches[index].until >= moment else None


def _spent(stretches: Sequence[Stretch], since: float, until: float) -> tuple[Spent, ...]:
    """Return how long it did what within the time, the longest first."""
    totals: Counter[tuple[str, str]] = Counter()
    for stretch in stretches:
        inside = min(stretch.until, until) - max(stretch.since, since)
        if inside > 0:
            # Of calls the reason is the call: one sum for all of them.
            reason = stretch.reason if stretch.state in ("paused", "unreachable") else ""
            totals[stretch.state, reason] += round(inside * 1000)
    return tuple(
        Spent(state=state, reason=reason, seconds=milliseconds / 1000)
        for (state, reason), milliseconds in totals.most_common()
    )


# -- summary ---------------------------------------------------------------------------------


def _with_summary(why: AgentWhy, period: float) -> AgentWhy:
    sentences = [_did(why, period), _calls(why), _share(why)]
    if why.tests:
        passed = [f"{count} × {_WORDS.get(test, test)}" for test, count in why.tests.items()]
        times = counted(sum(why.tests.values()), "time")
        sentences.append(f"It was passed over {times}: {listed(passed)}.")
    return AgentWhy(
        **{
            **{name: getattr(why, name) for name in AgentWhy.__struct_fields__ if name != "kind"},
            "summary": " ".join(filter(None, sentences)),
        }
    )


def _did(why: AgentWhy, period: float) -> str:
    if all(each.seconds < SHORTEST for each in why.spent):
        return f"Nothing is stored of what {why.agent} did in this time."
    parts = [
        f"{STATES.get(each.state, each.state)}{f' ({each.reason})' if each.reason else ''} "
        f"for {length(each.seconds)}"
        for each in why.spent
        if each.seconds >= SHORTEST
    ]
    rest = period - sum(each.seconds for each in why.spent)
    unknown = f" Of {length(rest)} nothing is stored." if rest >= 1 else ""
    return f"Within {length(period)}, {why.agent} was {listed(parts)}.{unknown}"


def _calls(why: AgentWhy) -> str:
    if not why.callers and not why.decisions:
        return "No caller came into any queue, and none was offered to anybody."
    offers = (
        "no call was offered to anybody"
        if not why.decisions
        else (f"calls were offered {counted(why.decisions, 'time')}")
    )
    return f"{counted(why.callers, 'caller')} came into queues, and {offers}."


def _share(why: AgentWhy) -> str:
    if not why.decisions:
        return ""
    if not why.chosen:
        return f"{why.agent} was never chosen."
    parts = [
        f"{count} × it {DECLINED.get(reason, reason)}" for reason, count in why.declined.items()
    ]
    refused = f"; {listed(parts)}" if parts else ""
    return f"{why.agent} was chosen {counted(why.chosen, 'time')} and took {why.took}{refused}."
