"""Transfers: a party is handed on to another number, and comes back where nobody answers there.

Whoever transfers (by REFER, by `##`, or an administrator for it) is out of the talk at once. The
other party, whose call it is from then on, hears the target ring for `RECALL_S` seconds, with no
mailbox at the end; a queue, a menu, a flow, a mailbox or a conference is entered for good, and a
ring group rings as it always does. Where nobody takes the call, the transferrer has it back: at
once if its phone still waits (it sent REFER), else it is rung again. If it does not answer either,
the caller waits again in the queue that it came from, or goes to the operator.

The target is what the transferrer could dial itself, toll-fraud limits included; codes are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, Protocol

from pbx.call.contact import Contact
from pbx.call.joining import part, rejoin
from pbx.call.lookup import find_call
from pbx.call.outcome import Outcome, OutcomeKind, answered, failed, no_answer, not_registered
from pbx.call.parties import identity
from pbx.call.routing import from_extension
from pbx.errors import NotFound, Refused
from pbx.events import TransferEnded, TransferStarted
from pbx.plan.destination import KINDS, OPERATOR, Destination

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.exchange import Exchange
    from pbx.call.leg import Leg

RECALL_S: Final = 20.0
"""Seconds that a target rings before the party goes back to whoever transferred it."""

RUNG: Final = frozenset({"ext", "number"})
"""Kinds of destinations that are phones, which ring here and not by their own coroutine."""

ENTERED: Final = frozenset({"queue", "menu", "flow", "voicemail", "conference", "survey"})
"""Kinds that take whoever comes: the transfer is done with the entering."""

_OVER: Final = frozenset({OutcomeKind.ANSWERED, OutcomeKind.LEFT})

_TOLD: Final = frozenset({"busy", "no_answer", "rejected", "unavailable"})

Kind = Literal["blind", "attended"]


class Report(Protocol):
    """Tells the transferrer's phone how it goes."""

    def tell(self, status: int) -> None:
        """Say what SIP status the target gave; 200 ends the transferrer's part."""


@dataclass(eq=False, slots=True)
class Transfer:
    """One transfer. `party` is handed on by `by` to what was said as `to`; `report` is there where
    the transferrer's phone waits to hear what becomes of it."""

    party: Leg
    by: Leg
    to: str
    destination: Destination
    kind: Kind = "blind"
    report: Report | None = None
    ordered: bool = False
    """Whether an administrator wants it, not the party at the phone."""
    done: bool = False

    @property
    def call(self) -> Call:
        """Return the call."""
        return self.party.call

    def begin(self) -> None:
        """Tell everybody that it begins."""
        self.call.emit(
            TransferStarted(
                call=self.call.id,
                leg=None if self.ordered else self.by.id,
                by="" if self.ordered else self.by.number,
                to=self.to,
                kind=self.kind,
            )
        )

    def end(self, result: str) -> None:
        """Tell everybody what became of it, once."""
        if not self.done:
            self.done = True
            leg = None if self.ordered else self.by.id
            self.call.emit(TransferEnded(call=self.call.id, leg=leg, to=self.to, result=result))

    def completed(self) -> None:
        """Note that the party has reached somebody: the transferrer is not needed any more."""
        self.call.handing.reached = _nothing
        if not self.done:
            self.end("completed")
            if self.report is not None:
                self.report.tell(200)


def _nothing() -> None:
    pass


# -- who may, and where to ------------------------------------------------------------------------


def target_of(call: Call, to: str) -> Destination | None:
    """Return where a number leads that somebody transfers to; None where it cannot be."""
    exchange = call.exchange
    found = from_extension(
        to, features=exchange.features, plan=call.plan, extensions=exchange.directory.extension
    )
    if found is None or found.kind == "feature":
        return None
    route = call.plan.number(to) if found.kind == "numbers" else None
    if route is not None and route.destination.kind in (*RUNG, "ring"):
        return route.destination
    return found


def place_of(call: Call, to: str) -> Destination | None:
    """Return where an administrator's word leads: a number, or a destination as in a dialplan."""
    kind, colon, name = to.partition(":")
    if not colon:
        return target_of(call, to)
    if kind not in KINDS or not name or kind not in call.exchange.destinations:
        return None
    known = {
        "queue": call.plan.queues,
        "menu": call.plan.menus,
        "flow": call.plan.flows,
        "conference": call.plan.conferences,
    }.get(kind)
    if known is not None and name not in known:
        return None
    return Destination(kind, name)


def transfer(exchange: Exchange, call_name: str, to: str) -> None:
    """Hand the customer of a call on to `to`: a number, or a place such as `queue:service`.

    The party at the office's phone is let go at once. Raises NotFound and Refused.
    """
    call = find_call(exchange.calls, call_name)
    agent = call.agent
    if agent is None or agent.other is None or not call.handing.ready:
        raise Refused(f"nobody talks in call {call.id} who could be transferred now")
    destination = place_of(call, to)
    if destination is None:
        raise NotFound(f"there is no {to} that a call could be transferred to")
    if call.handing.loops(exchange.now()):
        raise Refused(f"call {call.id} was transferred too often in the last minute")
    start(Transfer(agent.other, agent, to, destination, ordered=True))


def start(transfer: Transfer) -> None:
    """Take the transferrer out of the talk and let the call's script hand the party on.

    Without a report it is let go at once.
    """
    call = transfer.call
    part(transfer.by)
    transfer.begin()
    call.handing.wish(partial(hand_on, transfer))
    if transfer.report is None:
        transfer.by.close(reason="transferred")


# -- in the call's script -------------------------------------------------------------------------


async def hand_on(transfer: Transfer) -> Leg | Outcome:
    """Take the party to the target, or back; the turn of a talk (handing.py)."""
    handing = transfer.call.handing
    handing.reached = transfer.completed
    try:
        taken = await _reach(transfer)
        handing.reached = _nothing
        if not isinstance(taken, Outcome) or taken.kind in _OVER:
            transfer.completed()
            return taken
        return await come_back(transfer, taken)
    finally:
        handing.reached = _nothing
        if transfer.call.ending is not None:
            transfer.end("cancelled")


async def _reach(transfer: Transfer) -> Leg | Outcome:
    """Ring the phones of the target, or let the party enter the place."""
    call, destination = transfer.call, transfer.destination
    if destination.kind in RUNG:
        call.routed(str(destination))
        contacts = await contacts_of(call, destination, by=transfer.by)
        return contacts if isinstance(contacts, Outcome) else await ring(call, contacts, RECALL_S)
    if _takes_all(call, destination):
        transfer.completed()
    return await call.go(destination)


def _takes_all(call: Call, destination: Destination) -> bool:
    """Tell whether a place takes whoever comes, so that the transfer is done with the entering."""
    route = call.plan.number(destination.name) if destination.kind == "numbers" else None
    place = destination if route is None else call.plan.resolved(route.destination)
    return place is not None and place.kind in ENTERED


async def contacts_of(call: Call, destination: Destination, *, by: Leg) -> list[Contact] | Outcome:
    """Return what to ring for an extension or a number of the outside, on behalf of `by`."""
    exchange = call.exchange
    if destination.kind == "number":
        payer = by.number if by.is_extension else None
        shown = None if call.queued is None else call.queued.caller_id
        line = await exchange.lines.dial(
            destination.name, plan=call.plan, by=payer, caller_id=shown
        )
        return line if isinstance(line, Outcome) else [line]
    entry = exchange.directory.extension(destination.name)
    if entry is None:
        return failed(404, "unknown_number")
    return await exchange.contacts(entry) or not_registered()


async def ring(call: Call, contacts: list[Contact], seconds: float) -> Leg | Outcome:
    """Ring phones for the party that is handed on; who answers talks to it."""
    async with call.ring() as ringing:
        for contact in contacts:
            ringing.add(contact)
        first = await ringing.first(seconds)
    if isinstance(first, Outcome):
        return first
    if not first.up:
        return no_answer()
    rejoin(call.caller, first)
    return first


def result_of(refusal: Outcome) -> str:
    """Return what a transfer came to whose target did not take the party."""
    return refusal.result if refusal.result in _TOLD else "failed"


async def come_back(transfer: Transfer, refusal: Outcome) -> Leg | Outcome:
    """Give the party back to whoever transferred it, since the target did not take it."""
    call, by = transfer.call, transfer.by
    result = result_of(refusal)
    if by.up and by.ending is None and transfer.report is not None and not transfer.done:
        transfer.end(result)
        transfer.report.tell(refusal.status)
        rejoin(transfer.party, by, shown=True)
        return by
    again = await _recall(transfer)
    transfer.end("recalled" if again is not None else result)
    if again is not None:
        return again
    return await _elsewhere(call, refusal)


async def _recall(transfer: Transfer) -> Leg | None:
    """Ring the phones of the transferrer again; None where it does not answer."""
    call, by = transfer.call, transfer.by
    entry = call.exchange.directory.extension(by.number) if by.is_extension else None
    if entry is None:
        return None
    name, number = identity(transfer.party)
    shown = f"Recall: {name or number}"
    contacts = [
        replace(contact, caller_name=shown) for contact in await call.exchange.contacts(entry)
    ]
    if not contacts:
        return None
    call.routed(f"ext:{entry.number}")
    taken = await ring(call, contacts, entry.no_answer_s)
    return None if isinstance(taken, Outcome) else taken


async def _elsewhere(call: Call, refusal: Outcome) -> Outcome:
    """Let the party wait again in the queue that it came from, or ask the operator."""
    over = replace(
        refusal, kind=OutcomeKind.ANSWERED, result="answered", status=200, ended_by="system"
    )
    if call.queued is not None:
        call.queued.again()
        return over
    operator = call.plan.resolved(OPERATOR)
    if operator is None:
        return over
    taken = await call.go(operator)
    return taken if taken.kind in _OVER else over


def gone(leg: Leg) -> Outcome:
    """Return the outcome of a talk whose transferrer left before it had said where to."""
    assert leg.ending is not None
    return answered(leg.ending, "caller" if leg.role == "caller" else "called")


__all__ = [
    "ENTERED",
    "RECALL_S",
    "RUNG",
    "Report",
    "Transfer",
    "come_back",
    "contacts_of",
    "gone",
    "hand_on",
    "place_of",
    "result_of",
    "ring",
    "start",
    "target_of",
    "transfer",
]
