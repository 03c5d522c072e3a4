"""What the plan asks of the world around it: an answered call before it asks web servers (W024),
agents with the skills (W025), a way out for emergency calls (E018, W026), what callpbx.yaml should
provide (W027)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pbx.ivr.check.graph import Point
from pbx.ivr.check.names import title
from pbx.ivr.check.reach import reached_without
from pbx.ivr.check.subject import Subject, problem
from pbx.marks.problem import (
    LOOKUP_BEFORE_ANSWER,
    NO_AGENT,
    NO_EMERGENCY,
    NO_EMERGENCY_LINE,
    Problem,
)
from pbx.plan.outward import unconfigured
from pbx.plan.step import Mark

ANSWERING: Final = frozenset({"answer", "say", "ask", "music", "survey", "queue"})
"""Verbs after which a caller hears something."""

EMERGENCY_FIX: Final = "emergency: {match: [110, 119, 120], trunks: [NAME], emergency: yes}"


def check_early_lookups(subject: Subject) -> Iterator[Problem]:
    """Yield a warning for each step that asks a web server while the caller hears ringing."""
    if not subject.whole:
        return
    graph, lookups = subject.graph, subject.plan.lookups
    for index in reached_without(graph, graph.starts, _is_heard):
        point = graph.points[index]
        if point.step is None or point.step.verb != "lookup":
            continue
        lookup = lookups.get(point.step.arguments["name"])
        if lookup is not None and lookup.http is not None:
            sentence = (
                f"{title(point.owner)}: lookup {lookup.name} comes before the call is answered"
            )
            advice = "write - answer before it: the caller only hears ringing while it takes"
            yield problem(point.mark, LOOKUP_BEFORE_ANSWER, sentence, advice)


def _is_heard(point: Point) -> bool:
    if point.step is not None:
        return point.step.verb in ANSWERING
    return point.is_place and point.owner[0] in ("menu", "queue", "survey", "voicemail")


def check_agents(subject: Subject) -> Iterator[Problem]:
    """Yield a warning for each queue whose skills no agent has."""
    agents = subject.facts.agents
    for queue in subject.plan.queues.values() if agents else ():
        if not any(_suffices(agent, queue.skills) for agent in agents):
            wanted = ", ".join(f"{skill} {level}" for skill, level in queue.skills.items())
            sentence = f"queues.{queue.name}: no agent has {wanted}"
            waits = next((each.after_s for each in queue.relax if not each.skills), None)
            advice = "give an agent the skill"
            if waits is not None:
                advice = f"callers wait {waits:g} s before anybody is asked; {advice}"
            yield problem(queue.mark, NO_AGENT, sentence, advice)


def _suffices(agent: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
    return all(agent.get(skill, 0) >= level for skill, level in wanted.items())


def check_emergency(subject: Subject) -> Iterator[Problem]:
    """Yield one problem where no rule says how emergency calls go out: an error once the office
    can call out at all."""
    rules = subject.plan.outbound
    if not subject.whole or any(rule.emergency for rule in rules.values()):
        return
    first = Mark(subject.plan.files[0] if subject.plan.files else "", 1, 1)
    if not rules and not subject.facts.trunks:
        sentence = "there is no line for emergency calls: phones here cannot call 110, 119 or 120"
        advice = "keep a mobile phone at hand, and say so to all"
        yield problem(first, NO_EMERGENCY_LINE, sentence, advice)
        return
    mark = min((rule.mark for rule in rules.values()), key=lambda each: each.line, default=first)
    sentence = "no rule under outbound takes emergency calls"
    yield problem(mark, NO_EMERGENCY, sentence, f"write outbound: {{{EMERGENCY_FIX}}}")


def check_settings(subject: Subject) -> Iterator[Problem]:
    """Yield a warning for each host, connection, secret and mail server that is not configured."""
    if subject.facts.settings is not None:
        yield from unconfigured(subject.plan, subject.facts.settings)
