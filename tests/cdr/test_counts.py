"""How callers, agents' parts and opinions are counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.cdr.counts import Counts, Rules, Tally
from pbx.cdr.figures import Figures, Opinion, Part, Visit
from pbx.cdr.reconcile import RESULTS, missing

VISITS = st.builds(
    Visit, st.just("q"), st.just(0), st.integers(0, 60_000), st.sampled_from(sorted(RESULTS))
)


def counted(result: str, wait: float) -> Counts:
    counts = Counts()
    counts.add_visit(Visit("q", 0, round(wait * 1000), result))
    return counts


@pytest.mark.parametrize(
    ("result", "wait", "where"),
    [
        ("answered", 20.0, ("answered", "answered_in_sl")),
        ("answered", 20.001, ("answered",)),
        ("abandoned", 5.0, ("short_abandons", "abandoned_in_sl")),
        ("abandoned", 5.001, ("abandoned", "abandoned_in_sl")),
        ("abandoned", 21.0, ("abandoned",)),
        ("interrupted", 1.0, ("abandoned", "abandoned_in_sl")),
        ("callback", 40.0, ("callbacks",)),
        ("timeout", 40.0, ("overflowed",)),
        ("full", 0.0, ("overflowed",)),
        ("moved", 40.0, ("overflowed",)),
        ("left", 40.0, ("overflowed",)),
    ],
)
def test_a_caller_counts_in_one_result(result: str, wait: float, where: tuple[str, ...]) -> None:
    counts = counted(result, wait)
    names = ("answered", "answered_in_sl", "short_abandons", "abandoned", "abandoned_in_sl")
    found = [name for name in (*names, "overflowed", "callbacks") if getattr(counts, name)]
    assert tuple(found) == where
    assert missing(counts) == 0


def test_a_result_that_nothing_knows_is_missed() -> None:
    assert missing(counted("vanished", 1.0)) == 1


@given(st.lists(VISITS), st.lists(VISITS))
def test_whatever_happens_adds_up_in_any_order(one: list[Visit], other: list[Visit]) -> None:
    there, back, left, right = Counts(), Counts(), Counts(), Counts()
    for visit in [*one, *other]:
        there.add_visit(visit)
    for visit in reversed([*one, *other]):
        back.add_visit(visit)
    for counts, visits in ((left, one), (right, other)):
        for visit in visits:
            counts.add_visit(visit)
    left.add(right)
    assert there == back == left
    assert missing(there) == 0


def test_what_is_not_known_of_one_is_that_of_the_other() -> None:
    counts = Counts(available=None, repeated=3)
    counts.add(Counts(available=5, longest_wait=9))
    counts.add(Counts())
    assert (counts.available, counts.repeated, counts.paid) == (5, 3, None)
    assert counts.longest_wait == 9


def part(result: str, ring: int = 3_000) -> Part:
    return Part("102", "q", 0, ring, result, 60_000, 5_000, 10_000)


def test_an_agents_offers_and_a_colleagues_part() -> None:
    tally = Tally(Rules())
    for each in (part("answered"), part("answered", 5_001), part("no_answer"), part("rejected")):
        tally.add_part(each)
    tally.add_part(part("busy"))
    tally.add_part(part("transferred"))
    tally.add_part(part("withdrawn"))
    agent, queue = tally.agents["102"], tally.queues["q"]
    assert (agent.offers, agent.rung, agent.missed, agent.rejected) == (6, 2, 1, 2)
    assert (agent.handled, agent.answered_in_3, agent.answered_in_5) == (3, 1, 1)
    assert (agent.talk, agent.hold, agent.wrap_up) == (180_000, 15_000, 30_000)
    assert queue.handled == 2


def test_each_queue_has_its_own_service_level() -> None:
    tally = Tally(Rules(service_level_s={"vip": 10.0}))
    for queue in ("vip", "other"):
        tally.add_visit(Visit(queue, 0, 15_000, "answered"))
    assert (tally.queues["vip"].answered_in_sl, tally.queues["other"].answered_in_sl) == (0, 1)


def test_an_opinion_is_the_last_queues_and_the_last_agents() -> None:
    tally = Tally(Rules())
    parts = (part("no_answer"), part("answered"))
    visits = (Visit("a", 0, 0, "moved"), Visit("b", 0, 0, "answered"))
    for meaning in ("满意", "不满意", None):
        tally.add_opinion(Figures("1", 0, visits, parts, Opinion("csat", meaning)))
    tally.add_opinion(Figures("1", 0, visits, parts))
    for counts in (tally.queues["b"], tally.agents["102"]):
        assert (counts.asked, counts.responses, counts.satisfied) == (3, 2, 1)
    assert "a" not in tally.queues
