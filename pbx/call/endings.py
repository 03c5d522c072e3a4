"""What the SIP core's last event about a leg means: cause, redirections, whose doing it was."""

from __future__ import annotations

from pbx.call.outcome import NORMAL_CLEARING, LegEnding, cause_of
from pbx.errors import MessageError
from pbx.sip import events as sip
from pbx.sip.headers import NameAddr
from pbx.sip.message import Request, Response


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
    try:
        reasons = request.reasons
    except MessageError:
        return None
    return next((reason.cause for reason in reasons if reason.protocol.upper() == "Q.850"), None)


def _redirections(response: Response) -> tuple[str, ...]:
    try:
        contacts = response.contacts
    except MessageError:
        return ()
    ranked = sorted(contacts, key=lambda contact: -_q_value(contact))
    return tuple(contact.uri.number for contact in ranked if contact.uri.is_sip)


def _q_value(contact: NameAddr) -> float:
    try:
        return float(contact.parameters.get("q") or "1")
    except ValueError:
        return 0.0
