"""What makes a request acceptable before anybody looks at its method (RFC 3261 §8.1.1, §8.2, RFC 4475 §3.3).

Decided here: mandatory headers are there, once, and can be read; Contact, Route and Content-Type can be read; the
Request-URI is a SIP URI without headers. Not decided here, because it depends on who answers: methods (405, 501),
extensions (420), bodies (415, 406), hops (483), credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import MessageError

if TYPE_CHECKING:
    from pbx.sip.message import Request

_SINGLE = (
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Content-Type",
    "Expires",
    "Event",
    "Refer-To",
    "Replaces",
    "Session-Expires",
)


def validate_request(request: Request) -> None:
    """Raise `MessageError` 400 or 416, with the request as `partial`, unless the request is acceptable."""
    try:
        _check(request)
    except MessageError as error:
        error.partial = request
        raise


def _check(request: Request) -> None:
    headers = request.headers
    for name in _SINGLE:
        if len(headers.get_all(name)) > 1:
            raise MessageError(400, "repeated_header", name)
    request.vias  # noqa: B018
    if not request.call_id:
        raise MessageError(400, "no_call_id")
    if request.cseq.method != request.method:
        raise MessageError(400, "cseq_method_mismatch")
    sender, to = request.from_, request.to
    request.max_forwards, request.contacts, request.routes, request.record_routes  # noqa: B018
    request.content_type  # noqa: B018
    uri = request.uri
    if not uri.is_sip:
        raise MessageError(416, "unsupported_uri_scheme", uri.scheme)
    if uri.headers:
        raise MessageError(400, "headers_in_request_uri")
    if request.method == "REGISTER" and not (to.uri.is_sip or to.uri.scheme == "tel"):
        raise MessageError(400, "no_address_of_record", sender.uri.scheme)
