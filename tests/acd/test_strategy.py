"""Strategies: properties that all have, and what each promises."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from pbx.acd.agent import Agent
from pbx.acd.line import Caller, Line
from pbx.acd.model import Profile, Waiting
from pbx.acd.requirement import Requirements
from pbx.acd.strategy import STRATEGIES, rank
from pbx.plan.model import Queue
from pbx.plan.sections import queues


def agent(number: str, **facts: Any) -> Agent:
    made = Agent(
        Profile(number=number, skills=facts.pop("skills", {}), weight=facts.pop("weight", 1)),
        0.0,
    )
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def caller(strategy: str, **options: Any) -> Caller:
    queue = Queue("q", strategy=strategy, **options)
    ladder = Requirements().ladder(queue, {})
    waiting = Waiting(call="c", queue="q", joined_at=0.0)
    return Caller(waiting, Line(queue, ladder), ladder, (0, 0.0, 1), 0.0)


def asked(strategy: str, *agents: Agent, **options: Any) -> list[list[str]]:
    tiers = rank(agents, caller(strategy, **options), 100.0, random.Random(1))
    return [[one.number for one in tier] for tier in tiers]


def test_the_dialplan_knows_the_same_strategies() -> None:
    assert tuple(STRATEGIES) == queues.STRATEGIES


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_everybody_is_asked_once_and_nobody_where_nobody_is(strategy: str) -> None:
    agents = [agent(str(number), idle_since=float(number % 7)) for number in range(100, 130)]
    tiers = asked(strategy, *agents)
    assert sorted(number for tier in tiers for number in tier) == [one.number for one in agents]
    assert asked(strategy) == []


@pytest.mark.parametrize(
    "strategy", sorted(set(STRATEGIES) - {"random", "weighted", "round_robin"})
)
def test_ties_go_to_the_longest_idle_then_the_lowest_number(strategy: str) -> None:
    agents = agent("9", idle_since=5.0), agent("102", idle_since=1.0), agent("10", idle_since=5.0)
    expected = ["9", "10", "102"] if strategy == "in_order" else ["102", "9", "10"]
    assert [number for tier in asked(strategy, *agents) for number in tier] == expected


@pytest.mark.parametrize(
    ("strategy", "best"),
    [
        ("longest_idle", {"idle_since": 1.0}),
        ("fewest_calls", {"calls": 2}),
        ("least_talk_time", {"talk_s": 10.0}),
        ("skills", {"skills": {"tech": 9}}),
    ],
)
def test_what_comes_first(strategy: str, best: dict[str, Any]) -> None:
    others = {"idle_since": 5.0, "calls": 3, "talk_s": 60.0, "skills": {"tech": 3, "english": 9}}
    agents = agent("101", **others), agent("102", **{**others, **best})
    assert asked(strategy, *agents, skills={"tech": 3})[0] == ["102"]


def test_all_are_rung_together_even_those_who_did_not_answer() -> None:
    somebody = caller("ring_all")
    agents = agent("101"), agent("102")
    somebody.tried[agents[0]] = 1
    assert rank(agents, somebody, 0.0, random.Random(1)) == [[*agents]]


def test_those_who_did_not_answer_come_after_the_others() -> None:
    somebody = caller("longest_idle")
    agents = agent("101", idle_since=1.0), agent("102", idle_since=2.0)
    somebody.tried[agents[0]] = 1
    assert rank(agents, somebody, 9.0, random.Random(1)) == [[agents[1]], [agents[0]]]


def test_a_round_goes_on_after_the_one_asked_last() -> None:
    somebody = caller("round_robin")
    agents = [agent(number) for number in ("9", "101", "102")]
    order = []
    for _ in range(6):
        first = rank(agents, somebody, 0.0, random.Random(1))[0][0]
        somebody.line.last = first
        order.append(first.number)
    assert order == ["9", "101", "102"] * 2


def test_those_of_double_weight_come_first_twice_as_often() -> None:
    agents = agent("101"), agent("102", weight=2)
    somebody, rng = caller("weighted"), random.Random(1)
    first = Counter(rank(agents, somebody, 0.0, rng)[0][0].number for _ in range(3000))
    assert 1.8 < first["102"] / first["101"] < 2.2


def test_chance_is_even() -> None:
    agents = [agent(str(number)) for number in (101, 102, 103)]
    somebody, rng = caller("random"), random.Random(1)
    first = Counter(rank(agents, somebody, 0.0, rng)[0][0].number for _ in range(3000))
    assert all(900 < times < 1100 for times in first.values())
