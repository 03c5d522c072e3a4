"""Who is who in a call: the office's side, the other side, and the name that each is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.leg import Leg


def agent_of(call: Call) -> Leg | None:
    """Return the leg of the party at the office's phone: who was called, or who called where the
    call goes out; None while there is none."""
    caller = call.caller_leg
    return caller if _goes_out(call) else caller and caller.other


def customer_of(call: Call) -> Leg | None:
    """Return the leg of the other party, also of one that waits alone; None while there is none."""
    if not _goes_out(call):
        return call.caller_leg
    return call.kept if call.caller_leg is None else call.caller_leg.other


def _goes_out(call: Call) -> bool:
    """Tell whether a phone of the office talks, or will, to somebody beyond a line."""
    caller = call.caller_leg
    other = None if caller is None else caller.other
    if caller is None or other is None or (caller.trunk is None) == (other.trunk is None):
        outside = caller is not None and caller.trunk is not None
        return call.who.direction == "outbound" and not outside
    return other.trunk is not None


def identity(leg: Leg) -> tuple[str | None, str]:
    """Return the name, where one is known, and the number of a party."""
    call = leg.call
    if leg.role == "caller":
        return call.who.name, call.who.number
    known = call.exchange.directory.extension(leg.number) if leg.is_extension else None
    return None if known is None else known.name, leg.number


def shown_to(call: Call, leg: Leg) -> tuple[str | None, str]:
    """Return the name and the number that a rung party sees."""
    if leg.role == "supervisor":
        return f"{call.who.number} - {call.called}", call.who.number
    if leg.role == "caller":
        called = call.exchange.directory.extension(call.called)
        return called.name if called is not None else None, call.called
    consultation = call.handing.consultation
    if leg.role == "consulted" and consultation is not None:
        return identity(consultation.asking)
    caller = call.caller_leg
    return (call.who.name, call.who.number) if caller is None else identity(caller)
