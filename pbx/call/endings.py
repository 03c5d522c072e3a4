"""What the SIP core's last event about a leg means: cause, redirections, whose doing it was; and
the last event of a call."""

from __future__ import annotations

from pbx.call.outcome import NORMAL_CLEARING, Ending, LegEnding, cause_of
from pbx.errors import MessageError
from pbx.events import CallEnded, CallJoined
from pbx.sip import events as sip
from pbx.sip.headers import NameAddr
from pbx.sip.message import Request, Response

ANSWERED_ELSEWHERE = "answered_elsewhere"
"""The reason of a leg that lost a race, and of a call whose caller was served elsewhere."""

ELSEWHERE = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
"""What the losers of a race are told (RFC 3326)."""

RELEASED = (("Reason", 'Q.850;cause=16;text="Released by a supervisor"'),)
"""What a party is told that a supervisor let go."""


def last_event(call: str, ending: Ending, *, joined_to: str | None) -> CallEnded | CallJoined:
    """Return the last event of a call that ended so, or went on as part of another."""
    if joined_to is not None:
        return CallJoined(call=call, into=joined_to)
    return CallEnded(
        call=call,
        result=ending.result,
        reason=ending.reason,
        cause=ending.cause,
        sip_status=ending.status,
        ended_by=ending.ended_by,
    )


def ending_of_cancel(event: sip.InviteCancelled) -> LegEnding:
    """Return the ending of a caller who gave up, or whom somebody else has answered."""
    elsewhere = any(
        reason.protocol.upper() == "SIP" and reason.cause == 200 for reason in event.reasons
    )
    reason = ANSWERED_ELSEWHERE if elsewhere else "cancelled"
    return LegEnding("remote", reason, 487, NORMAL_CLEARING)


def ending_of_failure(event: sip.InviteFailed) -> LegEnding:
    """Return the ending of a leg that was never answered, redirections included."""
    contacts: tuple[str, ...] = ()
    if event.response is not None and 300 <= event.status < 400:
        contacts = _redirections(event.response)
    return LegEnding("remote", event.slug, event.status, cause_of(event.status), False, contacts)


def ending_of_dialog(event: sip.InviteEnded) -> LegEnding:
    """Return the ending of a leg that was up: a BYE, or why it went without one."""
    cause = NORMAL_CLEARING
    if event.slug == "bye" and event.request is not None:
        cause = _q850(event.request) or NORMAL_CLEARING
    elif event.slug != "bye":
        cause = cause_of(event.status or 408)
    return LegEnding("remote", event.slug, 200, cause, was_up=True)


def _q850(request: Request) -> int | None:
    """Return the cause that a BYE gives, of those that Q.850 can have (1–127)."""
    try:
        reasons = request.reasons
    except MessageError:
        return None
    causes = (reason.cause for reason in reasons if reason.protocol.upper() == "Q.850")
    return next((cause for cause in causes if cause is not None and 0 < cause < 128), None)


def _redirections(response: Response) -> tuple[str, ...]:
    """Return the numbers that a 3xx names, the best first (RFC 3261 §20.10: q is 1 if absent)."""
    try:
        contacts = response.contacts
    except MessageError:
        return ()
    ranked = sorted(contacts, key=_q_value, reverse=True)
    return tuple(contact.uri.number for contact in ranked)


def _q_value(contact: NameAddr) -> float:
    try:
        return float(contact.parameters.get("q") or "1")
    except ValueError:
        return 0.0
