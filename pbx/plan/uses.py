"""Who asks for a schedule, and where it leads them: the branches of every `hours` step.

For people who look at a calendar: what happens to a caller in each of its slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pbx.plan.destination import Destination
from pbx.plan.hours import State
from pbx.plan.model import Choice, Menu, Plan
from pbx.plan.step import Branch, Mark, Step, Steps

VERB: Final = "hours"
"""The verb that asks for a schedule."""

GOES_ON: Final = "next step"
"""Where a state leads that has no outcome of its own."""


@dataclass(frozen=True, slots=True)
class Use:
    """One `hours` step: the flow or menu that it is in, and where open, closed and holiday lead."""

    place: str
    mark: Mark
    open: str
    closed: str
    holiday: str

    def lead(self, state: State) -> str:
        """Return where a state leads."""
        leads: dict[State, str] = {
            "open": self.open,
            "closed": self.closed,
            "holiday": self.holiday,
        }
        return leads[state]


def uses_of(plan: Plan, schedule: str) -> tuple[Use, ...]:
    """Return every use of the schedule of that name, in the order of the plan."""
    return tuple(
        _use(place, step)
        for place, step in steps_of(plan)
        if step.verb == VERB and schedule in step.arguments.values()
    )


def steps_of(plan: Plan) -> Iterator[tuple[str, Step]]:
    """Yield every step of a plan with the flow or menu that it is in."""
    for place, steps in _places(plan):
        for step in _all(steps):
            yield place, step


def _use(place: str, step: Step) -> Use:
    closed = _lead(step.outcomes.get("closed"))
    holiday = step.outcomes.get("holiday")
    return Use(
        place,
        step.mark,
        _lead(step.outcomes.get("open")),
        closed,
        closed if holiday is None else _lead(holiday),  # a holiday is closed, where nothing is said
    )


def _lead(branch: Branch | None) -> str:
    """Return where a branch ends in words: its place, else what its last step does."""
    if branch is None:
        return GOES_ON
    if isinstance(branch, Destination):
        return str(branch)
    if not branch:
        return GOES_ON
    last = branch[-1]
    named = [value for value in last.arguments.values() if isinstance(value, Destination | str)]
    if last.verb == "goto" and named:
        return str(named[0])
    ends = last.verb if last.verb == "hangup" else f"{last.verb}, then {GOES_ON}"
    return f"{last.verb}:{named[0]}" if last.verb == "voicemail" and named else ends


def _places(plan: Plan) -> Iterator[tuple[str, Steps]]:
    for flow in plan.flows.values():
        yield f"flow:{flow.name}", flow.steps
    for menu in plan.menus.values():
        for choice in _choices(menu):
            if not isinstance(choice, Destination):
                yield f"menu:{menu.name}", choice


def _choices(menu: Menu) -> Iterator[Choice]:
    yield from menu.keys.values()
    yield from menu.no_input
    yield from menu.invalid
    if menu.give_up is not None:
        yield menu.give_up


def _all(steps: Steps) -> Iterator[Step]:
    """Yield the steps and those in their outcomes."""
    for step in steps:
        yield step
        for branch in step.outcomes.values():
            if not isinstance(branch, Destination):
                yield from _all(branch)
