"""W020: what no call ever comes to: flows, menus, queues, steps behind a `goto`, unused prompts.

Of things that only an unreachable one leads to, nothing is said: whoever mends the first, mends
them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pbx.ivr.check.graph import Graph, Place
from pbx.ivr.check.names import named_at
from pbx.ivr.check.reach import reached
from pbx.ivr.check.subject import Subject, problem
from pbx.marks.problem import UNREACHABLE, Problem
from pbx.plan.destination import Destination
from pbx.plan.names import SECTION_OF
from pbx.plan.step import NOWHERE, Branch, Mark, Steps

UNUSED: Final = {"prompt": "is never said", "lookup": "is never asked", "hours": "is never asked"}
"""What is said of things that no step names, and that are no places."""


def check_unreached(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each place, step, prompt, lookup and schedule that is of no use."""
    if not subject.whole:
        return
    for kind, name in _first_of(subject.graph, _lost(subject)):
        sentence = f"{SECTION_OF[kind]}.{name}: no call gets here"
        advice = f"lead to it with {kind}:{name}, or remove it"
        mark = subject.graph.points[subject.graph.places[kind, name]].mark
        yield problem(mark, UNREACHABLE, sentence, advice)
    yield from _unused(subject)
    for name, flow in subject.plan.flows.items():
        if subject.graph.places["flow", name] in subject.reached:
            yield from _dead_steps(subject, flow.steps)


def _lost(subject: Subject) -> list[Place]:
    """Return the places that no call reaches, in the order of the plan."""
    return [
        place
        for place, index in subject.graph.places.items()
        if index not in subject.reached and place[0] not in subject.undefined
    ]


def _first_of(graph: Graph, lost: list[Place]) -> Iterator[Place]:
    """Yield those of the `lost` places from which all others of them are reached."""
    behind = {place: _places_behind(graph, place) for place in lost}
    led_to = {other for place, others in behind.items() for other in others if other != place}
    left = set(lost)
    for place in (*(each for each in lost if each not in led_to), *lost):
        if place in left:
            yield place
            left -= behind[place]


def _places_behind(graph: Graph, place: Place) -> set[Place]:
    """Return the places that a call would come to from one, itself among them."""
    points = (graph.points[index] for index in reached(graph, [graph.places[place]]))
    return {point.owner for point in points if point.is_place}


def _unused(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for what nothing names at all, not even what is lost itself."""
    plan = subject.plan
    used = {
        (named.kind, named.name)
        for point in subject.graph.points
        for named in named_at(plan, point)
    }
    sections: Mapping[str, Mapping[str, object]] = {
        "prompt": plan.prompts,
        "lookup": plan.lookups,
        "hours": plan.hours,
    }
    for kind, things in sections.items():
        for name, thing in things.items():
            if (kind, name) not in used and kind not in subject.undefined:
                mark: Mark = getattr(thing, "mark", NOWHERE)
                sentence = f"{SECTION_OF[kind]}.{name} {UNUSED[kind]}"
                yield problem(mark, UNREACHABLE, sentence, "use it, or remove it")


def _dead_steps(subject: Subject, branch: Branch) -> Iterator[Problem]:
    """Yield a problem for the first step of a list that no call comes to."""
    steps: Steps = () if isinstance(branch, Destination) else branch
    for number, step in enumerate(steps):
        if subject.graph.of(step) not in subject.reached:
            before = steps[number - 1]
            leads = "never comes back" if before.verb == "do" else "leads elsewhere"
            at = f"{before.verb} on line {before.mark.line}"
            sentence = f"{step.verb} is never reached: {at} {leads}"
            yield problem(step.mark, UNREACHABLE, sentence, "move it up, or remove it")
            return
        for outcome in step.outcomes.values():
            yield from _dead_steps(subject, outcome)
