"""Where a call goes next: destinations, their registry, and the order in which a number is looked
up.

A destination is always `kind:name`. Each kind has one coroutine, put into the registry by
`server.py`; verbs, queues and transfers all ask the same question, `await call.go(destination)`.
Which number means which destination is architecture §7: from an extension emergency (the whole
number) → feature code → `numbers` → extension, room → `outbound` → 404; from a trunk `numbers` →
`anything_else` → 404, and never anything that is not named. What a country has for help is dialled
where the dialplan forgot it, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pbx.call.features import UNKNOWN_CODE, Features
from pbx.call.outcome import Outcome
from pbx.errors import UsageError
from pbx.plan.destination import Destination
from pbx.plan.dialling import emergency_rule, is_help, rule_for
from pbx.plan.model import Plan

if TYPE_CHECKING:
    from pbx.call.call import Call

Route = Callable[..., Awaitable[Outcome]]
"""`async def route(call, name, **overrides) -> Outcome`."""


class Destinations:
    """The registry kind → coroutine. A kind registered twice is a defect and raises at once."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def register(self, kind: str, route: Route) -> None:
        """Bind `kind` to the coroutine that takes a call there."""
        if kind in self._routes:
            raise UsageError(f"destination kind {kind!r} is registered twice")
        self._routes[kind] = route

    def __contains__(self, kind: str) -> bool:
        """Tell whether somebody registered `kind`."""
        return kind in self._routes

    def kinds(self) -> tuple[str, ...]:
        """Return all kinds, sorted."""
        return tuple(sorted(self._routes))

    async def go(self, call: Call, destination: Destination, **overrides: Any) -> Outcome:
        """Take `call` to `destination` and return what became of it."""
        route = self._routes.get(destination.kind)
        if route is None:
            raise UsageError(f"no destination kind {destination.kind!r}")
        return await route(call, destination.name, **overrides)


def from_extension(
    number: str,
    *,
    features: Features,
    plan: Plan,
    extensions: Callable[[str], object],
) -> Destination | None:
    """Return where `number` leads when an extension dials it; None means 404.

    A code that starts with `*` or `#` and is not known goes to the announcement that says so.
    """
    if emergency_rule(plan, number) is not None:
        return Destination("number", number)
    feature = features.codes(plan).get(number)
    if feature is not None:
        return Destination("feature", feature)
    if plan.number(number) is not None:
        return Destination("numbers", number)
    if extensions(number) is not None:
        return Destination("ext", number)
    if plan.conference(number) is not None:
        return Destination("conference", number)
    if rule_for(plan, number) is not None or is_help(plan, number):
        return Destination("number", number)
    if number.startswith(("*", "#")):
        return Destination("feature", UNKNOWN_CODE)
    return None


def from_trunk(number: str, *, plan: Plan) -> Destination | None:
    """Return where `number` leads when a carrier sends it; None means 404."""
    route = plan.inbound(number)
    return None if route is None else Destination("numbers", route.number)
