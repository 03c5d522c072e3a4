"""Section `queues`: skills, waiting and where callers go who need not wait any longer."""

from __future__ import annotations

import pytest

from pbx.plan.destination import HANGUP
from pbx.plan.model import Queue, Relaxation
from tests.kit.broken import loaded, mistake

MORE = """\
prompts: {p: {zh: 请评分。}}
surveys: {csat: {prompt: p, keys: {1: 好}}}
menus: {waiting: {prompt: p, keys: {1: stay}, give_up: stay}}
"""


def test_a_queue_is_read_whole() -> None:
    queue = loaded(
        MORE
        + """\
queues:
  service:
    skills: {service: 3, 粤语: 1}
    strategy: round_robin
    music: soft
    ring: 20s
    wrap_up: 1m
    say_agent_number: yes
    service_level: 90/30
    position: {every: 60s, estimate: yes}
    offer: {after: 45s, menu: waiting}
    relax: {90s: any, 30s: "service 1, 粤语"}
    max_wait: 10m
    max_callers: 50
    if_full: hangup
    if_no_agents: hangup
    if_timeout: hangup
    record: {who: all, percent: 50}
    survey: csat
    caller_id: "02888886666"
"""
    ).queues["service"]
    assert queue == Queue(
        name="service",
        skills={"service": 3, "粤语": 1},
        strategy="round_robin",
        music="soft",
        ring_s=20.0,
        wrap_up_s=60.0,
        say_agent_number=True,
        service_level=(90, 30.0),
        position_every_s=60.0,
        say_estimate=True,
        offer_after_s=45.0,
        offer_menu="waiting",
        relax=(Relaxation(30.0, {"service": 1, "粤语": 1}), Relaxation(90.0, {})),
        max_wait_s=600.0,
        max_callers=50,
        caller_id="02888886666",
        if_full=HANGUP,
        if_no_agents=HANGUP,
        if_timeout=HANGUP,
        record_who="all",
        record_percent=50,
        survey="csat",
        mark=queue.mark,
    )


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("skills: {a: ▸11}", 'E005 queues.q skills a: "11" is no whole number from 1 to 10'),
        ("skills: ▸service", "E005 queues.q skills must hold lines of KEY: VALUE"),
        ("strategy: ▸longest", 'did you mean "longest_idle"?'),
        ("service_level: ▸80", "is no service level — write 80/20"),
        ("service_level: ▸0/20", "is no service level"),
        ("position: ▸{estimate: yes}", "queues.q position has no every — write every: 5s, 2m, 1h"),
        ("offer: {after: 60s, menu: ▸wating}", 'E014 queues.q offer menu: unknown menu "wating"'),
        ("relax: {▸30: any}", 'E005 queues.q relax: "30" is no duration'),
        ("relax: {30s: ▸service one}", 'is no requirement — write "service 1", or any'),
        ("relax: {60s: any, ▸1m: a 1}", "queues.q relax: 1m stands twice"),
        ("▸max_wait: 5m", "E016 queues.q has max_wait and no if_timeout"),
        ("▸max_callers: 5", "E016 queues.q has max_callers and no if_full"),
        ("record: {who: ▸some}", '"some" is none of all, none'),
        ("survey: ▸csta", 'E014 queues.q survey: unknown survey "csta" — did you mean "csat"'),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    assert words in mistake(f"{MORE}queues:\n  q: {{if_no_agents: hangup, {keys}}}\n")


def test_a_queue_says_what_happens_without_agents() -> None:
    assert "E016 queues.q has no if_no_agents" in mistake("queues:\n  ▸q: {ring: 5s}\n")
