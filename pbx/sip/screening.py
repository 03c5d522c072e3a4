"""Which well-formed requests are turned down before anybody looks at what they want (RFC 3261
§8.2).

Methods (405, 501), hops (483), extensions (420), bodies (415, 406), session intervals (422). Which
headers must be there is `validation`; who may call whom is decided above this layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pbx.sip import session_timer

if TYPE_CHECKING:
    from pbx.sip.endpoint import Endpoint
    from pbx.sip.message import Request

KNOWN_METHODS = frozenset(
    {
        *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "INFO", "UPDATE", "PRACK"),
        *("MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH"),
    }
)
"""Methods that exist (RFC 3261 and the IANA registry): not allowed here is 405, unheard of is
501."""


_UNDERSTOOD = {"REGISTER": ("path",)}
"""Option tags that mean something for one method alone: Path is kept by the registrar (RFC
3327)."""


class Refusal(NamedTuple):
    """A response that needs nothing but header lines."""

    status: int
    extra: str = ""


def screen(request: Request, endpoint: Endpoint) -> Refusal | None:
    """Return why a request is refused, None where it is not. Raises MessageError for bad
    headers."""
    settings = endpoint.settings
    if request.method not in settings.allow:
        return Refusal(405 if request.method in KNOWN_METHODS else 501, endpoint.allow_line)
    if "Require" in request.headers:
        understood = (*settings.supported, *_UNDERSTOOD.get(request.method, ()))
        unknown = [tag for tag in request.require if tag.lower() not in understood]
        if unknown:
            return Refusal(420, f"Unsupported: {', '.join(unknown)}\r\n")
    if request.method in ("INVITE", "UPDATE"):
        return _screen_offer(request, endpoint)
    return None


def screen_hops(request: Request) -> Refusal | None:
    """Return 483 for an INVITE that has no hop left: callpbx would have to send one on (§16.3)."""
    exhausted = request.method == "INVITE" and request.max_forwards == 0
    return Refusal(483) if exhausted else None


def _screen_offer(request: Request, endpoint: Endpoint) -> Refusal | None:
    accepted = endpoint.settings.accept
    if request.body:
        if (request.headers.get("Content-Encoding") or "identity").lower() != "identity":
            return Refusal(415, "Accept-Encoding: identity\r\n")
        content_type = request.content_type
        if content_type is None or content_type.full not in accepted:
            return Refusal(415, endpoint.accept_line)
    wanted = request.accept
    if wanted is not None and not any(media.covers(full) for media in wanted for full in accepted):
        return Refusal(406, endpoint.accept_line)
    min_se = endpoint.settings.min_se
    if session_timer.is_too_small(request, min_se):
        return Refusal(422, f"Min-SE: {min_se}\r\n")
    return None
