"""Which points a call can reach, by any way or without passing certain ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pbx.ivr.check.graph import Graph, Point, Way

Stops = Callable[[Point], bool]


def reached(graph: Graph, starts: Iterable[int]) -> set[int]:
    """Return the points that a call from `starts` may come to."""
    found: set[int] = set()
    left = list(starts)
    while left:
        point = left.pop()
        if point in found:
            continue
        found.add(point)
        left += (edge.to for edge in graph.points[point].edges if edge.way is not Way.AGAIN)
    return found


def reached_without(graph: Graph, starts: Iterable[int], stops: Stops) -> set[int]:
    """Return the points that a call may come to before it passes one of the `stops`.

    A stop itself may be reached. Behind a `do` step a call is only where its flow can be run to the
    end without a stop.
    """
    through = flows_without(graph, stops)
    return _spread(graph, starts, stops, through, within=None)


def flows_without(graph: Graph, stops: Stops) -> set[str]:
    """Return the flows that can be run to their end without passing a stop."""
    through: set[str] = set()
    while True:
        more = {
            name
            for name, end in graph.ends.items()
            if name not in through
            and end in _spread(graph, [graph.places["flow", name]], stops, through, within=name)
        }
        if not more:
            return through
        through |= more


def _spread(
    graph: Graph, starts: Iterable[int], stops: Stops, through: set[str], within: str | None
) -> set[int]:
    """Return what is reached before a stop; with `within`, by this flow's own points alone."""
    found: set[int] = set()
    left = list(starts)
    while left:
        index = left.pop()
        point = graph.points[index]
        if index in found or (within is not None and point.owner != ("flow", within)):
            continue
        found.add(index)
        if not stops(point):
            left += following(graph, index, through)
    return found


def following(graph: Graph, index: int, through: set[str], *, at_once: bool = False) -> list[int]:
    """Return the points that come next, where flows in `through` are run in one go; only those to
    which no time passes, if it is `at_once`."""
    point = graph.points[index]
    left = [
        edge.to
        for edge in point.edges
        if edge.way in (Way.GOES, Way.CALLS) and not (edge.waits and at_once)
    ]
    called = graph.called(point)
    passed = called is not None and graph.points[called].owner[1] in through
    if passed and point.behind is not None:
        left.append(point.behind)
    return left
