"""Transfers in the record: a segment for each, from the wish to what became of it.

Like a menu, a transfer covers no phase: while it lasts the customer is held, hears ringing or
talks, and those are the seconds that count. Talking to somebody who is asked first is no talk of
the customer's, who is held meanwhile. A party that comes from another call is one of this call's
from then on; the caller's number stays that of whoever began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pbx import events
from pbx.cdr.open_call import OpenCall, Party, Span
from pbx.cdr.phases import apart, settle
from pbx.events import Event

TRANSFERRED: Final = "transferred"
"""How a talk or hold ends whose party is handed on."""


def leaving_of(call: OpenCall, leg: int) -> str:
    """Say how a segment ends because a leg did: it may be that of whoever transfers."""
    return TRANSFERRED if call.transfer is not None and leg == call.transferrer else "ended"


def end_transfer(call: OpenCall, result: str) -> None:
    """Close a transfer that goes on when the call ends."""
    _over(call, "cancelled" if result == "ended" else result)


def _started(call: OpenCall, event: events.TransferStarted) -> None:
    _over(call, "cancelled")
    call.transfer = Span("transfer", event.to, call.now)
    call.transferrer = event.leg
    if event.leg is None:
        call.bridges = ()
    elif event.kind == "blind":
        call.bridges = apart(event.leg, call.bridges)
    settle(call, leaving=TRANSFERRED)


def _ended(call: OpenCall, event: events.TransferEnded) -> None:
    if call.transferrer is not None and event.result == "completed":
        call.bridges = apart(call.transferrer, call.bridges)
        settle(call, leaving=TRANSFERRED)
    _over(call, event.result)


def _over(call: OpenCall, result: str) -> None:
    if call.transfer is not None:
        call.closed = (*call.closed, call.transfer.over(call.now, result))
        call.transfer = call.transferrer = None


def _caller_changed(call: OpenCall, event: events.CallerChanged) -> None:
    if event.leg in call.live:
        call.caller_leg = event.leg
        call.caller_over = None


def _brought(call: OpenCall, event: events.LegBrought) -> None:
    leg = event.leg
    if leg in call.parties:
        return
    call.parties = {**call.parties, leg: Party(event.role, event.number, event.trunk is not None)}
    call.live = (*call.live, leg)
    call.answered_legs = (*call.answered_legs, leg)


HANDED_ON: Final[Mapping[type[Event], Callable[[OpenCall, Any], None]]] = {
    events.TransferStarted: _started,
    events.TransferEnded: _ended,
    events.CallerChanged: _caller_changed,
    events.LegBrought: _brought,
}
"""One step per event; fold.py adds them to its own."""
