"""What makes a request acceptable before anybody looks at its method (RFC 3261 §8.1.1, §8.2).

Decided here: mandatory headers are there, once, and can be read; so can Contact, routes and
Content-Type; the Request-URI is a SIP URI and brings no headers along. Not decided here, as it
depends on who answers: methods (405, 501), extensions (420), bodies (415, 406), hops (483), loops
(482), credentials. The cases of RFC 4475 §3.1.2 and §3.3 are the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import MessageError

if TYPE_CHECKING:
    from pbx.sip.message import Request

MAX_VIAS = 70
"""Vias of one request: more hops than Max-Forwards usually allows."""

_ONCE = frozenset(
    {
        *("Call-ID", "CSeq", "Content-Type", "Event", "Expires", "From", "Max-Forwards", "Min-SE"),
        *("Refer-To", "Referred-By", "Replaces", "Session-Expires", "To"),
    }
)
"""Headers that hold one value and come once (§20, RFC 4475 §3.3.8)."""

_READABLE = (
    *("via", "from_", "to", "max_forwards", "contacts"),
    *("routes", "record_routes", "content_type"),
)
"""The properties of a request that raise where its text cannot be read."""


def validate_request(request: Request) -> None:
    """Raise `MessageError` 400 or 416, with the request as `partial`, unless it is acceptable."""
    try:
        _check_fields(request)
        _check_target(request)
    except MessageError as error:
        error.partial = request
        raise


def _check_fields(request: Request) -> None:
    headers = request.headers
    repeated = headers.repeated()
    if not _ONCE.isdisjoint(repeated):
        raise MessageError(400, "repeated_header", ", ".join(_ONCE.intersection(repeated)))
    several = "Via" in repeated or "," in (headers.get("Via") or "")
    if several and len(request.vias) > MAX_VIAS:
        raise MessageError(400, "too_many_vias")
    if not request.call_id:
        raise MessageError(400, "no_call_id")
    if request.cseq.method != request.method:
        raise MessageError(400, "cseq_method_mismatch")
    for name in _READABLE:
        getattr(request, name)


def _check_target(request: Request) -> None:
    uri = request.uri
    if not uri.is_sip:
        raise MessageError(416, "unsupported_uri_scheme", uri.scheme)
    if uri.headers:
        raise MessageError(400, "headers_in_request_uri")
    if request.method == "REGISTER" and not request.to.uri.is_sip:
        raise MessageError(400, "no_address_of_record", request.to.uri.scheme)
