"""Where a call can go: a plan as points and edges.

Every place of a plan (`flow:night`) and every step is a point; an edge leads to what can follow. A
flow has one more point, its end. Two kinds of edges need care: a `do` step calls a flow, whose end
returns behind the step, and `back` leads to whichever menu the caller was in.

What verbs do beyond their outcomes is in two tables here. A verb that is in neither goes on to the
next step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pbx.ivr.verbs import VOCABULARY
from pbx.plan.destination import OPERATOR, Destination
from pbx.plan.model import NumberRoute, Plan
from pbx.plan.step import NOWHERE, Branch, Mark, Step, Steps

SETTLED: Final[Mapping[str, tuple[str, ...]]] = {
    "if": ("then", "else"),
    "hours": ("open", "closed"),
    "choose": ("else",),
    "ring": ("no_answer", "busy", "failed"),
    "queue": (),
    "callback": ("refused",),
}
"""Verb → the outcomes beside which nothing is left that goes on to the next step."""

LEADS: Final = frozenset({"voicemail", "conference", "survey"})
"""Verbs that are called like the kind of place that their main argument names."""

QUEUE_WAYS: Final = ("if_full", "if_no_agents", "if_timeout")
"""What a queue says, unless the step beside which it stands says otherwise."""

WAITS: Final = frozenset({"if_timeout"})
"""Outcomes before which time has passed."""

AGAIN: Final = ("back", "repeat", "stay", "callback")
"""Words that may lead to a menu in which the caller was before."""

Place = tuple[str, str]
"""Kind and name."""


class Way(Enum):
    """How an edge is travelled."""

    GOES = "goes"
    CALLS = "calls"
    """From a `do` step into its flow."""
    RETURNS = "returns"
    """From a flow's end to behind a `do` step."""
    AGAIN = "again"
    """To a menu where the caller may have been before."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The way from one point to the point `to`; `waits` where time passes on it.

    `word` is the word that the file says for it (`operator`, `back`), at `mark` where that is not
    the point's own.
    """

    to: int
    way: Way = Way.GOES
    waits: bool = False
    word: str = ""
    mark: Mark = NOWHERE


@dataclass(slots=True)
class Point:
    """A place, a step, or a flow's end. `owner` is the place that it belongs to: `flow:night`.

    For a `do` step `behind` is the point that follows once its flow has ended.
    """

    owner: Place
    mark: Mark
    step: Step | None = None
    ends: bool = False
    edges: list[Edge] = field(default_factory=list)
    behind: int | None = None

    @property
    def is_place(self) -> bool:
        """Tell whether it is the place itself."""
        return self.step is None and not self.ends

    @property
    def asks(self) -> bool:
        """Tell whether the caller is asked here, or time passes."""
        if self.step is not None:
            return VOCABULARY.verbs[self.step.verb].asks
        return self.is_place and self.owner[0] in ("menu", "survey", "voicemail")


class Graph:
    """The points of a plan. `starts` are those to which numbers lead, `ends` the ends of flows;
    `over` stands for all places behind which no call goes on, `again` for whichever menu a caller
    was in before."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.points: list[Point] = []
        self.places: dict[Place, int] = {}
        self.ends: dict[str, int] = {}
        self._steps: dict[int, int] = {}
        self.over = self._new(Point(("hangup", ""), NOWHERE, ends=True))
        self.again = self._new(Point(("menu", ""), NOWHERE, ends=True))
        self._enter_places()
        self.starts = tuple(map(self._start, (*plan.numbers.values(), plan.other)))
        self.roots = (*self.starts, self._target(OPERATOR))
        """Where calls begin, and where whoever takes too long is given to."""
        for name, flow in plan.flows.items():
            first = self._chain(flow.steps, ("flow", name), self.ends[name])
            self._lead(self.places["flow", name], first)
        self._join_menus()
        self._join_rest()

    def of(self, step: Step) -> int:
        """Return the point of a step."""
        return self._steps[id(step)]

    def called(self, point: Point) -> int | None:
        """Return the point of the flow that a `do` step calls."""
        return next((edge.to for edge in point.edges if edge.way is Way.CALLS), None)

    def _new(self, point: Point) -> int:
        self.points.append(point)
        return len(self.points) - 1

    def _lead(self, source: int, to: int, way: Way = Way.GOES, *, waits: bool = False) -> None:
        self.points[source].edges.append(Edge(to, way, waits))

    def _go(
        self, source: int, destination: Destination, *, waits: bool = False, mark: Mark = NOWHERE
    ) -> None:
        """Lead to a destination of the file."""
        way = Way.AGAIN if destination.kind in AGAIN else Way.GOES
        word = "" if destination.name else destination.kind
        edge = Edge(self._target(destination), way, waits, word, mark)
        self.points[source].edges.append(edge)

    def _start(self, route: NumberRoute | None) -> int:
        if route is None:
            return self.over
        point = self._new(Point(("numbers", route.number), route.mark))
        self._go(point, route.destination)
        return point

    def _enter_places(self) -> None:
        plan = self.plan
        sections: Mapping[str, Mapping[str, object]] = {
            "flow": plan.flows,
            "menu": plan.menus,
            "ring": plan.ring_groups,
            "queue": plan.queues,
            "voicemail": plan.voicemail,
            "survey": plan.surveys,
        }
        for kind, things in sections.items():
            for name, thing in things.items():
                mark: Mark = getattr(thing, "mark", NOWHERE)
                self.places[kind, name] = self._new(Point((kind, name), mark))
        for name, flow in plan.flows.items():
            self.ends[name] = self._new(Point(("flow", name), flow.mark, ends=True))

    def _target(self, destination: Destination) -> int:
        """Return the point of a destination: `over` where no further menu or step can follow."""
        meant = self.plan.resolved(destination)
        if meant is None:
            return self.over
        if meant.kind in AGAIN:
            return self.again
        return self.places.get((meant.kind, meant.name), self.over)

    # -- steps -------------------------------------------------------------------------------

    def _chain(self, steps: Steps, owner: Place, after: int) -> int:
        """Enter steps, behind which `after` follows; return the first of them."""
        for step in reversed(steps):
            after = self._step(step, owner, after)
        return after

    def _step(self, step: Step, owner: Place, after: int) -> int:
        point = self._new(Point(owner, step.mark, step))
        self._steps[id(step)] = point
        for word, branch in step.outcomes.items():
            self._branch(point, branch, owner, after, waits=word in WAITS)
        for destination in self._leads(step):
            self._go(point, destination)
        if step.verb == "queue":
            self._wait_in(point, step, after)
        flow = step.arguments.get("flow") if step.verb == "do" else None
        if flow is not None:
            self.points[point].behind = after
            if flow in self.ends:
                self._lead(point, self.places["flow", flow], Way.CALLS)
                self._lead(self.ends[flow], after, Way.RETURNS)
        elif self._goes_on(step):
            self._lead(point, after)
        return point

    def _branch(
        self,
        source: int,
        branch: Branch,
        owner: Place,
        after: int,
        *,
        waits: bool = False,
        mark: Mark = NOWHERE,
    ) -> None:
        if isinstance(branch, Destination):
            self._go(source, branch, waits=waits, mark=mark)
        else:
            self._lead(source, self._chain(branch, owner, after), waits=waits)

    def _leads(self, step: Step) -> Iterator[Destination]:
        """Yield where a step leads beside its outcomes."""
        if step.verb == "goto":
            yield step.arguments["to"]
        elif step.verb in LEADS:
            main = VOCABULARY.verbs[step.verb].main
            yield Destination(step.verb, step.arguments[main or ""])
        elif step.verb == "callback":
            yield Destination("callback")
        elif step.verb == "lookup":
            lookup = self.plan.lookups.get(step.arguments["name"])
            for word in ("if_empty", "if_error"):
                instead = getattr(lookup, word, None)
                if isinstance(instead, Destination) and word not in step.outcomes:
                    yield instead

    def _wait_in(self, point: int, step: Step, after: int) -> None:
        """Lead a `queue` step into its queue, and to what that says of outcomes not beside it."""
        queue = self.plan.queues.get(step.arguments["name"])
        if queue is None:
            return
        self._lead(point, self.places["queue", queue.name], waits=True)
        for word in QUEUE_WAYS:
            following = getattr(queue, word)
            if following is not None and word not in step.outcomes:
                self._branch(point, following, ("queue", queue.name), after, waits=word in WAITS)

    @staticmethod
    def _goes_on(step: Step) -> bool:
        """Tell whether the next step can follow."""
        if VOCABULARY.verbs[step.verb].ends:
            return False
        settled = SETTLED.get(step.verb)
        return settled is None or any(word not in step.outcomes for word in settled)

    # -- places ------------------------------------------------------------------------------

    def _join_menus(self) -> None:
        for name, menu in self.plan.menus.items():
            place = self.places["menu", name]
            self._lead(self.again, place, Way.AGAIN)
            for key, choice in menu.keys.items():
                mark = menu.key_marks.get(key, menu.mark)
                self._branch(place, choice, ("menu", name), place, mark=mark)
            for choice in (*menu.no_input, *menu.invalid):
                self._branch(place, choice, ("menu", name), place)
            if menu.give_up is not None:
                self._branch(place, menu.give_up, ("menu", name), self._target(OPERATOR))

    def _join_rest(self) -> None:
        for name, group in self.plan.ring_groups.items():
            if group.no_answer is not None:
                self._go(self.places["ring", name], group.no_answer)
        for name, queue in self.plan.queues.items():
            place = self.places["queue", name]
            for word in QUEUE_WAYS:
                following = getattr(queue, word)
                if following is not None:
                    self._go(place, following, waits=word in WAITS)
            for key, choice in queue.keys.items():
                mark = queue.key_marks.get(key, queue.mark)
                self._branch(place, choice, ("queue", name), place, waits=True, mark=mark)
            if queue.offer_menu is not None:
                self._go(place, Destination("menu", queue.offer_menu), waits=True)
            if queue.survey is not None:
                self._go(place, Destination("survey", queue.survey), waits=True)
