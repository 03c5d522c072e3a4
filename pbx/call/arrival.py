"""A call that was let in: who it is from, which number it is for, and where that leads.

Carriers write numbers in many ways; here they become what the office would dial, so that look-ups
and call-backs find them. A call to a line's registration names the Contact that we registered: the
number that was dialled is then in To. Which number means what is `routing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pbx.call import routing
from pbx.call.admission import Identity
from pbx.call.outcome import Outcome, failed
from pbx.errors import MessageError
from pbx.plan.destination import Destination
from pbx.plan.dialling import is_help
from pbx.plan.numbering import dialled
from pbx.sip.grammar import printable
from pbx.sip.message import Request

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.exchange import Exchange
    from pbx.call.lines import Lines

OUTSIDE = "number"
"""The destination kind of numbers beyond the lines."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who calls which number, and where it leads; None: nowhere. `urgent` is a call for help."""

    who: Identity
    number: str
    destination: Destination | None
    urgent: bool = False

    async def script(self, call: Call) -> Outcome:
        """Take the call where its number leads: what the caller lives through."""
        if self.destination is None:
            return failed(404, "unknown_number")
        return await call.go(self.destination)


def arrival_of(request: Request, who: Identity, exchange: Exchange) -> Arrival:
    """Return what the call of an INVITE is for."""
    if who.trunk is None:
        return dialled_by(who, printable(request.uri.number), exchange)
    plan = exchange.plan
    country = plan.defaults.country
    number = dialled(_called_at(request, who.trunk, exchange.lines), country)
    who = replace(who, number=dialled(who.number, country))
    return Arrival(who, number, routing.from_trunk(number, plan=plan))


def dialled_by(who: Identity, number: str, exchange: Exchange) -> Arrival:
    """Return what an extension's call is for; one that goes out is told to be outbound."""
    plan = exchange.plan
    destination = routing.from_extension(
        number,
        features=exchange.features,
        plan=plan,
        extensions=exchange.directory.extension,
    )
    if destination is None or destination.kind != OUTSIDE:
        return Arrival(who, number, destination)
    who = replace(who, direction="outbound")
    return Arrival(who, number, destination, urgent=is_help(plan, number))


def _called_at(request: Request, trunk: str, lines: Lines) -> str:
    """Return the number that a carrier's call is for."""
    number = printable(request.uri.number)
    line = lines.of_token(number)
    if line is None or line.name != trunk:
        return number
    try:
        number = printable(request.to.uri.number)
    except MessageError:
        number = ""
    if number in ("", line.entry.username) and line.entry.numbers:
        return line.entry.numbers[0]
    return number
