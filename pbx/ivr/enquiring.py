"""The verb `lookup`: asks the outside and keeps what it says as variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pbx.events import LookupFinished
from pbx.ivr.registry import Following
from pbx.ivr.run import Run
from pbx.ivr.world import Answer, Failure, Found
from pbx.plan.destination import Destination
from pbx.plan.model import Lookup


async def look_up(run: Run, lookup: Lookup) -> Following:
    """Ask, keep the fields as `LOOKUP.FIELD`, and return the outcome of nothing and failure."""
    began = run.world.monotonic()
    answer = await run.world.look_up(lookup, run.values())
    took = run.world.monotonic() - began
    if isinstance(answer, Found):
        fields = _saved(lookup, answer)
        _keep(run, lookup, fields)
        _report(run, lookup, "found", took, answer)
        shown = " ".join(f"{name}={value}" for name, value in fields.items())
        run.tell(lookup.name, f"{answer.source or 'found'} {shown}".rstrip())
        return None
    failed = isinstance(answer, Failure)
    outcome: Literal["if_error", "if_empty"] = "if_error" if failed else "if_empty"
    _report(run, lookup, "error" if failed else "empty", took, answer)
    what = "failed" if failed else "nothing found"
    reason = f": {answer.reason}" if answer.reason else ""
    if outcome in run.step.outcomes:
        run.tell(lookup.name, f"{what}{reason} → {outcome}")
        return outcome
    instead = lookup.if_error if failed else lookup.if_empty
    if isinstance(instead, Destination):
        run.tell(lookup.name, f"{what}{reason} → {instead}")
        return instead
    _keep(run, lookup, instead)
    values = " ".join(f"{name}={value}" for name, value in instead.items())
    run.tell(lookup.name, f"{what}{reason} {values}".rstrip())
    return None


def _saved(lookup: Lookup, answer: Found) -> dict[str, str]:
    if not lookup.save:
        return dict(answer.fields)
    return {variable: answer.fields.get(field, "") for variable, field in lookup.save.items()}


def _keep(run: Run, lookup: Lookup, fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        run.keep(f"{lookup.name}.{name}", value)


def _report(
    run: Run,
    lookup: Lookup,
    result: Literal["found", "empty", "error"],
    took: float,
    answer: Answer,
) -> None:
    run.world.emit(
        LookupFinished(
            call=run.world.caller.call,
            lookup=lookup.name,
            result=result,
            seconds=took,
            reason="" if isinstance(answer, Found) else answer.reason,
        )
    )
