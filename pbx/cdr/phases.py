"""The phases of a call as far as its record is concerned, and the segments that they leave.

At each moment a call is in one phase, or in none; fold.py says which event may change it and calls
`settle`. Ringing is more than a phase: each number that is rung leaves a segment of its own.
"""

from __future__ import annotations

from pbx import events
from pbx.cdr.open_call import OpenCall, Phase, Span


def _phase_of(call: OpenCall) -> tuple[Phase, str]:
    """Return the phase that the legs are in, and whom the caller talks to or who holds."""
    if call.room:
        return "conference", call.room
    if not call.bridges:
        if call.queue_visit is not None and call.caller_leg in call.live:
            return "queue", ""
        return ("ring" if call.rung else ""), ""
    for leg in call.holding:
        if any(leg in pair for pair in call.bridges):
            return "hold", call.parties[leg].number
    return "talk", _partner(call)


def _partner(call: OpenCall) -> str:
    """Return the number that the caller is bridged to: who began the call, or who has it now; else
    the last of those who are bridged."""
    for caller in (call.origin, call.caller_leg):
        for one, other in call.bridges:
            if one == caller:
                return call.parties[other].number
            if other == caller:
                return call.parties[one].number
    return call.parties[call.bridges[-1][1]].number


def settle(call: OpenCall, *, leaving: str = "ended") -> None:
    """Close the phase that is over and open the one that the legs are in now."""
    phase, party = _phase_of(call)
    if phase == call.phase and (phase == "hold" or party == call.partner):
        return
    _count(call)
    if call.current is not None:
        result = _LEAVING.get((call.phase, phase), leaving)
        call.closed = (*call.closed, call.current.over(call.now, result))
        call.current = None
    if phase in ("talk", "hold", "conference"):
        call.current = Span(phase, party, call.now)
    call.phase, call.partner = phase, party


_LEAVING: dict[tuple[Phase, Phase], str] = {
    ("talk", "hold"): "held",
    ("hold", "talk"): "resumed",
    ("talk", "talk"): "transferred",
}
"""How a segment ended when another one follows at once."""


def _count(call: OpenCall) -> None:
    elapsed = call.now - call.phase_since
    call.phase_since = call.now
    if call.phase == "ring":
        call.ring_ms += elapsed
    elif call.phase == "queue":
        call.wait_ms += elapsed
    elif call.phase in ("talk", "conference"):
        call.talk_ms += elapsed
    elif call.phase == "hold":
        call.hold_ms += elapsed


def stop_ringing(call: OpenCall, number: str, result: str) -> None:
    """Note how ringing the phones of a number ended."""
    for ring in call.rings:
        if ring.number == number:
            call.closed = (*call.closed, ring.over(call.now, result))
    call.rings = tuple(ring for ring in call.rings if ring.number != number)


_RING_RESULTS = frozenset(
    {"answered_elsewhere", "no_answer", "busy", "rejected", "unavailable", "cancelled", "failed"}
)
_RING_RESULT_OF_STATUS = {
    408: "unavailable",
    480: "unavailable",
    486: "busy",
    487: "cancelled",
    600: "busy",
    603: "rejected",
}


def ring_result(call: OpenCall, event: events.LegEnded) -> str:
    """Say how ringing one party ended without an answer."""
    if event.reason in _RING_RESULTS:
        return event.reason
    if event.by == "remote":
        return _RING_RESULT_OF_STATUS.get(event.sip_status, "failed")
    # We gave up: because the caller had gone, or because nobody answered in time.
    gone = call.caller_leg is not None and call.caller_leg not in call.live
    return "cancelled" if gone else "no_answer"


def without(leg: int, legs: tuple[int, ...]) -> tuple[int, ...]:
    """Return `legs` without `leg`."""
    return tuple([other for other in legs if other != leg])


def apart(leg: int, bridges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Return the bridges that `leg` is not in."""
    return tuple([pair for pair in bridges if leg not in pair])
