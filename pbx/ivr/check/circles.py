"""E017: circles in which nobody is asked and nothing waits, so that a call would go round for ever.

A circle ends where a menu, an `ask` or a `pause` is in it, or where a condition on something that
is set in it leads out. Ringing phones is no such thing: phones that are off ring for no time.
"""

from __future__ import annotations

from collections.abc import Iterator

from pbx.ivr.check.graph import Graph, Point
from pbx.ivr.check.reach import flows_without, following
from pbx.ivr.check.subject import Subject, problem
from pbx.ivr.check.values import needed_by
from pbx.marks.problem import ENDLESS, Problem
from pbx.plan.step import Mark

FIX = "put a menu, ask: or pause: into the circle"


def check_circles(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each endless circle, at the first step or place that leads on in it."""
    if not subject.whole:
        return  # what is left out may have been the question
    graph = subject.graph
    silent = _silent_ways(graph, subject.reached)
    for circle in _circles(silent):
        if not _is_left_by_choice(graph, circle):
            yield _tell(subject, circle)


def _silent_ways(graph: Graph, reached: frozenset[int]) -> dict[int, list[int]]:
    """Return for each point the points that follow it with nobody asked and no time passed."""
    through = flows_without(graph, lambda point: point.asks)
    return {
        index: [
            to for to in following(graph, index, through, at_once=True) if not graph.points[to].asks
        ]
        for index in reached
        if not graph.points[index].asks
    }


def _circles(ways: dict[int, list[int]]) -> list[frozenset[int]]:
    """Return the strongly connected parts that hold a circle (Tarjan's algorithm, unrolled)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[frozenset[int]] = []
    for root in ways:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(ways[root]))]
        while work:
            point, rest = work[-1]
            to = next(rest, None)
            if to is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[point])
                if low[point] == number[point]:
                    part = _popped(stack, on_stack, point)
                    if len(part) > 1 or point in ways[point]:
                        found.append(frozenset(part))
            elif to not in number:
                number[to] = low[to] = len(number)
                stack.append(to)
                on_stack.add(to)
                work.append((to, iter(ways.get(to, ()))))
            elif to in on_stack:
                low[point] = min(low[point], number[to])
    return found


def _popped(stack: list[int], on_stack: set[int], last: int) -> list[int]:
    part = []
    while True:
        point = stack.pop()
        on_stack.discard(point)
        part.append(point)
        if point == last:
            return part


def _is_left_by_choice(graph: Graph, circle: frozenset[int]) -> bool:
    """Tell whether a decision in the circle leads out of it by something that is set in it."""
    steps = [(graph.points[index], graph.points[index].step) for index in circle]
    given = {
        name
        for _, step in steps
        if step is not None and step.verb == "set"
        for name in step.arguments["values"]
    }
    return any(
        step is not None
        and step.verb in ("if", "choose")
        and given & set(needed_by(step))
        and any(edge.to not in circle for edge in point.edges)
        for point, step in steps
    )


def _tell(subject: Subject, circle: frozenset[int]) -> Problem:
    graph = subject.graph
    places: list[str] = []
    points = sorted((graph.points[index] for index in circle), key=lambda point: _key(point.mark))
    for point in points:
        place = ":".join(point.owner)
        if place not in places:
            places.append(place)
    leading = [point for point in points if _leads_on(graph, point, circle)] or points
    way = " → ".join((*places, places[0]))
    sentence = f"{way} goes round without end: nobody is asked, and nothing waits"
    return problem(_mark(subject, leading[0], circle), ENDLESS, sentence, FIX)


def _key(mark: Mark) -> tuple[str, int, int]:
    return mark.file, mark.line, mark.column


def _leads_on(graph: Graph, point: Point, circle: frozenset[int]) -> bool:
    """Tell whether a point leads to a place of the circle, rather than to the step behind it."""
    return any(
        edge.to in circle and graph.points[edge.to].is_place and not edge.waits
        for edge in point.edges
    )


def _mark(subject: Subject, point: Point, circle: frozenset[int]) -> Mark:
    """Return where the file says that the circle goes on."""
    kind, name = point.owner
    if point.step is not None:
        return point.step.mark
    outcomes = {"queue": ("if_full", "if_no_agents"), "ring": ("no_answer",)}.get(kind, ())
    section = {"queue": "queues", "ring": "ring_groups"}.get(kind, "")
    for edge in point.edges:
        target = subject.graph.points[edge.to]
        for word in outcomes if edge.to in circle else ():
            mark = subject.at(*target.owner, f"{section}.{name} {word}", point.mark)
            if mark != point.mark:
                return mark
    return point.mark
