"""Rehearsed queues: who waits behind how many, for how long, and what the queue's menu does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pbx.ivr.rehearsal import Circumstances
from pbx.ivr.simulate import Rehearsal, rehearse
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import parse_plan

TEXT = """
version: 1
defaults: {language: en}
numbers: {"400": flow:door}
prompts:
  wait_on: {en: "${queue.name}, ${queue.ahead} ahead, ${queue.wait} minutes: press 1, 2 or 3."}
flows:
  door:
    - language: en
    - queue: tech
      if_full: hangup
menus:
  offer:
    prompt: wait_on
    keys: {1: stay, 2: callback, 3: "voicemail:box"}
    give_up: stay
    tries: 1
queues:
  tech:
    offer: {after: 60s, menu: offer}
    max_wait: 5m
    if_timeout: voicemail:box
    if_no_agents: voicemail:box
    max_callers: 10
    if_full: hangup
voicemail: {box: {}}
"""

TOLD = Circumstances("400", datetime(2026, 9, 28, 2, tzinfo=UTC), agents=2)


def rehearsed(**told: Any) -> Rehearsal:
    plan, problems = parse_plan(TEXT, "made.yaml", VOCABULARY)
    assert plan is not None, problems
    return rehearse(plan, replace(TOLD, **told))


def ended(rehearsal: Rehearsal) -> str:
    return rehearsal.outcome.reason


def seconds(rehearsal: Rehearsal) -> float:
    return (rehearsal.lines[-1].at - TOLD.at).total_seconds()


@pytest.mark.parametrize(
    ("told", "places"),
    [
        ({"agents": None}, "voicemail:box"),
        ({"agents": 0}, "voicemail:box"),
        ({"wait_s": 20.0}, "queue:tech"),
        ({"wait_s": 400.0}, "voicemail:box"),
        ({"ahead": 10}, "flow:door"),
        ({"ahead": 10, "queues": {"tech": "answered"}}, "queue:tech"),
    ],
)
def test_what_becomes_of_a_caller_depends_on_agents_callers_and_time(
    told: dict[str, object], places: str
) -> None:
    rehearsal = rehearsed(**told)
    last = [place for place in rehearsal.places if place.partition(":")[0] != "menu"][-1]
    if places == "flow:door":
        assert ended(rehearsal) == "hung_up_by_dialplan"
    else:
        assert last == places


def test_the_offer_comes_as_often_as_the_wait_is_long_and_knows_the_queue() -> None:
    rehearsal = rehearsed(wait_s=200.0, ahead=3, press=("1", "-"))
    texts = [line.step.text for line in rehearsal.lines if line.step.kind == "menu"]
    assert texts[0] == "wait_on, key 1"
    assert [line.step.text for line in rehearsal.lines if line.step.kind == "stay"]
    assert ended(rehearsal) == "bye"
    assert seconds(rehearsal) >= 200


@pytest.mark.parametrize(("key", "reason"), [("2", "callback_booked"), ("3", "message")])
def test_who_leaves_in_the_offer_does_not_come_back(key: str, reason: str) -> None:
    rehearsal = rehearsed(wait_s=200.0, press=(key,))
    assert ended(rehearsal) == reason
    assert seconds(rehearsal) < 100
