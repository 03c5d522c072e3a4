"""How calls end where the file does not say so: flows that just end (W030), an "operator" that is
nobody, "back" where there was no menu (both E014)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pbx.ivr.check.graph import Edge, Graph, Point, Way
from pbx.ivr.check.names import title
from pbx.ivr.check.reach import flows_without
from pbx.ivr.check.subject import Subject, problem
from pbx.marks.problem import FLOW_ENDS, UNDEFINED, Problem
from pbx.plan.destination import OPERATOR, STAY
from pbx.plan.step import NOWHERE, Mark

MENUS_BEFORE: Final = {"back": 2, "repeat": 1, "stay": 1}
"""Word → how many menus a caller must have come through; in a queue, `stay` means the queue."""

MENUS: Final = "menu"
QUEUES: Final = "queue"


def check_flow_ends(subject: Subject) -> Iterator[Problem]:
    """Yield a warning for each flow behind whose last step a caller is told good-bye.

    A flow that only `do` runs goes on where it was run.
    """
    if not subject.whole:
        return
    graph = subject.graph
    entered = _entered(graph, subject.reached)
    ending = flows_without(graph, lambda point: False)
    for name, flow in subject.plan.flows.items():
        place = graph.places["flow", name]
        if place in entered and flow.steps and name in ending:
            sentence = f"flows.{name} ends here, and with it the call"
            advice = "say where it goes, goto: operator, or end it with hangup"
            yield problem(flow.steps[-1].mark, FLOW_ENDS, sentence, advice)


def _entered(graph: Graph, within: frozenset[int]) -> set[int]:
    """Return the points to which calls go, rather than being run by `do`."""
    ways = {
        edge.to for index in within for edge in graph.points[index].edges if edge.way is Way.GOES
    }
    return ways | set(graph.roots)


def check_operator(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where "operator" is first said, if the defaults do not say who that is."""
    if subject.plan.defaults.operator is not None or not subject.whole:
        return
    marks = [
        _mark(point, edge)
        for point in subject.graph.points
        for edge in point.edges
        if edge.word == OPERATOR.kind
    ]
    order = {file: number for number, file in enumerate(subject.plan.files)}
    for mark in sorted(marks, key=lambda each: (order.get(each.file, 0), each.line))[:1]:
        sentence = '"operator" is nobody: the defaults do not say who it is'
        yield problem(mark, UNDEFINED, sentence, "write defaults: {operator: ext:101}")


def check_way_back(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each `back`, `repeat` or `stay` that no menu comes before."""
    if not subject.whole or not subject.undefined.isdisjoint(("flow", "menu", "queue", "ring")):
        return
    graph = subject.graph
    before = _passed(graph, subject.reached, MENUS)
    waiting = _passed(graph, subject.reached, QUEUES)
    for index in sorted(subject.reached):
        point = graph.points[index]
        waits = waiting[index] or _is_one(point, QUEUES)
        passed = before[index] + _is_one(point, MENUS)
        for edge in point.edges:
            if edge.word == STAY.kind and waits:
                continue
            if passed < MENUS_BEFORE.get(edge.word, 0):
                what = "no menu comes before it" if passed == 0 else "no other menu comes before"
                sentence = f"{title(point.owner)}: {edge.word} leads nowhere, {what}"
                yield problem(_mark(point, edge), UNDEFINED, sentence, "write menu:NAME")


def _passed(graph: Graph, within: frozenset[int], kind: str) -> dict[int, int]:
    """Return for each point how many menus, or queues, the longest way to it has; more than two are
    two."""
    most = dict.fromkeys(within, 0)
    left = set(within)
    while left:
        index = left.pop()
        point = graph.points[index]
        passed = min(2, most[index] + _is_one(point, kind))
        for edge in point.edges:
            if edge.way is not Way.AGAIN and most.get(edge.to, 2) < passed:
                most[edge.to] = passed
                left.add(edge.to)
    return most


def _is_one(point: Point, kind: str) -> bool:
    return point.is_place and point.owner[0] == kind


def _mark(point: Point, edge: Edge) -> Mark:
    return point.mark if edge.mark is NOWHERE else edge.mark
