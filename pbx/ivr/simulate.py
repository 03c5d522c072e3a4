"""Rehearsals: takes a call through the plan without a phone, and tells each step and its reason.

`rehearse` runs the interpreter itself in a rehearsed world. Its coroutines never wait for anything
real, so they are driven here without an event loop.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pbx.call.outcome import Outcome, failed
from pbx.errors import UsageError
from pbx.events import AnyEvent
from pbx.ivr import interpreter
from pbx.ivr.rehearsal import Circumstances, Line, RehearsedWorld
from pbx.ivr.run import Run
from pbx.ivr.verbs import VERBS
from pbx.plan.destination import Destination
from pbx.plan.model import Plan

T = TypeVar("T")

EARLIEST: Final = 1970
LATEST: Final = 2999
"""Years that a rehearsal may be in; days before and after theirs are days, too."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What became of a rehearsed call: its lines, its events, its outcome."""

    lines: tuple[Line, ...]
    events: tuple[AnyEvent, ...]
    outcome: Outcome

    @property
    def places(self) -> tuple[str, ...]:
        """Return what the call passed, in order: `flow:night`, `say:closed`, `menu:main`."""
        return tuple(f"{line.step.kind}:{line.step.name}" for line in self.lines if line.step.name)


def rehearse(plan: Plan, circumstances: Circumstances) -> Rehearsal:
    """Take a call from a carrier through the plan.

    A number that `numbers` does not name starts at `anything_else`; where that is missing too, the
    call fails as a real one would.
    """
    route = plan.inbound(circumstances.to)
    if route is None:
        return Rehearsal((), (), failed(404, "unknown_number"))
    world = RehearsedWorld(plan, circumstances)
    outcome = _drive(interpreter.route(Run(plan, world, verbs=VERBS), route))
    return Rehearsal(tuple(world.lines), tuple(world.events), outcome)


def rehearse_from(plan: Plan, place: Destination, circumstances: Circumstances) -> Rehearsal:
    """Do the same from any place of the plan."""
    world = RehearsedWorld(plan, circumstances)
    outcome = _drive(interpreter.travel(Run(plan, world, verbs=VERBS), place))
    return Rehearsal(tuple(world.lines), tuple(world.events), outcome)


def local_moment(plan: Plan, text: str) -> datetime:
    """Read `2026-10-01 09:30` or `2026-10-01` as local time of the plan. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{text}" is no time; write "2026-10-01 09:30"') from None
    if not EARLIEST <= moment.year <= LATEST:
        raise ValueError(f'"{text}" is not of the years {EARLIEST} to {LATEST}')
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(plan.defaults.timezone))


def _drive(script: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        script.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    script.close()
    raise UsageError("a rehearsal waited for something real")
