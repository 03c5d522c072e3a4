"""E012: variables that nothing sets, or nothing before they are used.

A variable that some ways set and others do not is no mistake: it is empty then, which a default
(`${name or "friend"}`) or a condition takes care of.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import or_

from pbx.ivr.check.graph import Graph, Point
from pbx.ivr.check.names import named_at, title
from pbx.ivr.check.subject import Subject, problem
from pbx.ivr.check.values import (
    ANY,
    SUPPLIED,
    fields_of,
    given_by,
    is_given,
    lookup_of,
    needed_by,
    needed_by_lookup,
    needed_by_prompt,
)
from pbx.marks.problem import UNKNOWN_VARIABLE, Problem, did_you_mean
from pbx.plan.model import Plan, PromptText
from pbx.plan.step import Mark


@dataclass(frozen=True, slots=True)
class Need:
    """The place `mark` says variable `name`; `what` says it in a sentence."""

    name: str
    mark: Mark
    what: str


def check_variables(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each variable that is not there where it is used."""
    if not subject.whole or "lookup" in subject.undefined:
        return
    plan = subject.plan
    given = _all_given(subject.graph)
    for need in dict.fromkeys(_written(subject)):
        if not is_given(need.name, given):
            sentence = f'{need.what}: unknown variable "{need.name}"'
            yield problem(need.mark, UNKNOWN_VARIABLE, sentence, _advice(plan, need.name, given))
    if subject.undefined.isdisjoint(("flow", "menu", "queue", "ring")):
        yield from _too_early(subject, given)


def _all_given(graph: Graph) -> frozenset[str]:
    """Return every variable that there is anywhere."""
    steps = (point.step for point in graph.points)
    set_somewhere = (given_by(graph.plan, step) for step in steps if step is not None)
    fields = map(fields_of, graph.plan.lookups.values())
    return frozenset((*SUPPLIED, *chain.from_iterable(set_somewhere), *chain.from_iterable(fields)))


def _written(subject: Subject) -> Iterator[Need]:
    """Yield every variable where the file has it."""
    for prompt in subject.plan.prompts.values():
        for language, said in prompt.spoken.items():
            if isinstance(said, PromptText):
                what = f"prompts.{prompt.name} ({language})"
                for name in needed_by_prompt(subject.plan, prompt.name, language):
                    yield Need(name, said.mark, what)
    for lookup in subject.plan.lookups.values():
        for name in needed_by_lookup(lookup):
            yield Need(name, lookup.mark, f"lookups.{lookup.name}")
    for point in subject.graph.points:
        if point.step is not None:
            for name in needed_by(point.step):
                yield Need(name, point.mark, f"{title(point.owner)} {point.step.verb}")


def _advice(plan: Plan, name: str, given: frozenset[str]) -> str:
    lookup, _, _ = name.partition(".")
    if lookup in plan.lookups:
        fields = [each for each in given if each.startswith(f"{lookup}.")]
        near = did_you_mean(name, fields)
        return near or f"the lookup saves {', '.join(sorted(fields)) or 'nothing'}"
    known = [each for each in given if not each.endswith(ANY)]
    return did_you_mean(name, sorted(known)) or "set it before: set: {NAME: TEXT}, ask or lookup"


# -- in the order of calls -------------------------------------------------------------------


def _too_early(subject: Subject, given: frozenset[str]) -> Iterator[Problem]:
    """Yield a problem for each use that no way comes to with the variable set."""
    graph = subject.graph
    bits = {name: 1 << number for number, name in enumerate(sorted(given))}
    there = _given_before(graph, subject.reached, bits)
    for index in sorted(subject.reached):
        point = graph.points[index]
        for need in dict.fromkeys(_needs(subject.plan, point)):
            if is_given(need.name, SUPPLIED) or not is_given(need.name, given):
                continue
            if not there[index] & _bits_of((need.name, lookup_of(need.name)), bits):
                sentence = f'{need.what} needs "{need.name}", which nothing before it sets'
                advice = _setters(graph, need.name)
                yield problem(need.mark, UNKNOWN_VARIABLE, sentence, advice)


def _needs(plan: Plan, point: Point) -> Iterator[Need]:
    """Yield what a point needs when a call comes to it."""
    verb = f" {point.step.verb}" if point.step is not None else ""
    what = f"{title(point.owner)}{verb}"
    if point.step is not None:
        for name in needed_by(point.step):
            yield Need(name, point.mark, what)
    for named in named_at(plan, point):
        if named.kind == "prompt":
            for name in needed_by_prompt(plan, named.name, named.language):
                yield Need(name, point.mark, f"{what}: prompt {named.name}")
        elif named.kind == "lookup" and (lookup := plan.lookups.get(named.name)) is not None:
            for name in needed_by_lookup(lookup):
                yield Need(name, point.mark, f"{what}: lookup {named.name}")


def _given_before(
    graph: Graph, reached: frozenset[int], bits: Mapping[str, int]
) -> Mapping[int, int]:
    """Return for each point the variables that some way to it sets, a bit for each.

    Each step's point is made after those behind it: the last comes first, as it does for a call, so
    that few are taken twice.
    """
    before = dict.fromkeys((*sorted(reached, reverse=True), graph.again), 0)
    own = {
        index: _bits_of(given_by(graph.plan, step), bits)
        for index in reached
        if (step := graph.points[index].step) is not None
    }
    left = deque(before)
    waiting = set(left)
    while left:
        index = left.popleft()
        waiting.remove(index)
        after = before[index] | own.get(index, 0)
        for edge in graph.points[index].edges:
            if edge.to in before and after & ~before[edge.to]:
                before[edge.to] |= after
                if edge.to not in waiting:
                    waiting.add(edge.to)
                    left.append(edge.to)
    return before


def _bits_of(names: Iterable[str], bits: Mapping[str, int]) -> int:
    """Return the bits of those variables that there are."""
    return reduce(or_, (bits.get(name, 0) for name in names), 0)


def _setters(graph: Graph, name: str) -> str:
    """Return what to do: the first step that would set the variable."""
    for point in graph.points:
        if point.step is None or not is_given(name, set(given_by(graph.plan, point.step))):
            continue
        if point.step.verb == "lookup":
            return f"write - lookup: {point.step.arguments['name']} before it"
        return f"{title(point.owner)} sets it on line {point.mark.line}; lead calls past that"
    return "ask the lookup before it"
