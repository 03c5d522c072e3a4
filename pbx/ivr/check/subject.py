"""What is examined: a plan as it was read, what is known beside it, and what analyses share.

An analysis is a function from a `Subject` to problems. What is expensive and wanted by several is
made once here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

from pbx.ivr.check.facts import Facts
from pbx.ivr.check.graph import Graph
from pbx.ivr.check.reach import reached
from pbx.marks.problem import KEY_IS_EXTENSION, OVERLAP, UNDEFINED, Problem
from pbx.plan.loader import Reading
from pbx.plan.model import Plan
from pbx.plan.names import SECTION_OF
from pbx.plan.step import Mark

HARMLESS: Final = frozenset({OVERLAP, KEY_IS_EXTENSION, UNDEFINED})
"""Errors after which everything that was written is still in the plan."""


class Subject:
    """One plan under examination."""

    def __init__(self, reading: Reading, facts: Facts) -> None:
        self.reading = reading
        self.plan: Plan = reading.plan
        self.facts = facts

    @cached_property
    def whole(self) -> bool:
        """Tell whether the plan has all that was written: no mistake made the loader leave a part
        out. Of less, nobody can say what is never reached or set."""
        return all(
            problem.severity != "error" or problem.code in HARMLESS
            for problem in self.reading.problems
        )

    @cached_property
    def undefined(self) -> frozenset[str]:
        """Return the kinds of which something is named that does not exist."""
        return frozenset(
            reference.kind
            for reference in self.reading.references
            if reference.kind in SECTION_OF
            and reference.name not in getattr(self.plan, SECTION_OF[reference.kind])
        )

    @cached_property
    def graph(self) -> Graph:
        """Return where calls can go."""
        return Graph(self.plan)

    @cached_property
    def reached(self) -> frozenset[int]:
        """Return the points of the graph that calls can come to."""
        return frozenset(reached(self.graph, self.graph.roots))

    def at(self, kind: str, name: str, within: str, otherwise: Mark) -> Mark:
        """Return the place where `within` (`queues.service if_full`) names a thing."""
        for reference in self.reading.references:
            if (reference.kind, reference.name) == (kind, name) and reference.what == within:
                return Mark(reference.node.file, reference.node.line, reference.node.column)
        return otherwise


Analysis = Callable[[Subject], Iterable[Problem]]


def problem(mark: Mark, code: str, sentence: str, suggestion: str | None = None) -> Problem:
    """Return a problem at a place."""
    return Problem(code, mark.file, mark.line, mark.column, sentence, suggestion)
