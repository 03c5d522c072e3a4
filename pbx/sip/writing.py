"""Writes requests and responses as bytes, from parts that were rendered once.

A `RequestHead` is what an INVITE, its CANCEL and the ACK to its failure have in common (RFC 3261
§9.1, §17.1.1.3), and what all attempts to send one request have in common; a `ResponseHead` is what
all responses to one request repeat (§8.2.6.2). Reading and typed values are `message` and
`headers`; here is text alone, because every message of every call passes through.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pbx.errors import MessageError, UsageError
from pbx.sip.headers import read_tag
from pbx.sip.reasons import REASON_PHRASES

if TYPE_CHECKING:
    from pbx.sip.headers import NameAddr
    from pbx.sip.message import Request


def header_lines(headers: Iterable[tuple[str, str]]) -> str:
    """Write header fields as lines; raise UsageError where one would break out of its line."""
    lines = []
    for name, value in headers:
        if "\n" in value or "\r" in value or "\0" in value:
            raise UsageError(f"the value of {name} would break the header: {value!r}")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)


def body_lines(content_type: str | None, body: bytes | None) -> str:
    """Write the header line that describes a body, nothing where there is none."""
    return header_lines((("Content-Type", content_type),)) if body and content_type else ""


def tagged(address: NameAddr, tag: str) -> str:
    """Write an address with a tag of its own."""
    return f"{address};tag={tag}" if address.tag is None else str(address.with_tag(tag))


class RequestHead:
    """The parts of a request that do not change with the destination.

    `lead` holds the lines Route, Max-Forwards and From. `to` is a raw value, `number` that of CSeq.
    """

    __slots__ = ("call_id", "lead", "method", "number", "to", "uri")

    def __init__(
        self, method: str, uri: str, *, lead: str, to: str, call_id: str, number: int
    ) -> None:
        self.method = method
        self.uri = uri
        self.lead = lead
        self.to = to
        self.call_id = call_id
        self.number = number

    def again(self) -> RequestHead:
        """Return a copy with the next CSeq number."""
        return RequestHead(
            self.method,
            self.uri,
            lead=self.lead,
            to=self.to,
            call_id=self.call_id,
            number=self.number + 1,
        )

    def write(
        self,
        method: str,
        via: str,
        *,
        to: str | None = None,
        extra: str = "",
        body: bytes | None = None,
    ) -> bytes:
        """Write the request, or the ACK or CANCEL that belongs to it, with one Via.

        `extra` holds whole header lines. `to` replaces To where it has got a tag meanwhile.
        """
        text = (
            f"{method} {self.uri} SIP/2.0\r\nVia: {via}\r\n{self.lead}To: {to or self.to}\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: {self.number} {method}\r\n{extra}"
            f"Content-Length: {len(body) if body else 0}\r\n\r\n"
        )
        written = text.encode("utf-8", "surrogateescape")
        return written + body if body else written


class ResponseHead:
    """The parts of a request that all its responses repeat; the request may be malformed."""

    __slots__ = ("after", "before", "has_tag", "record_route", "to")

    def __init__(self, request: Request) -> None:
        headers = request.headers
        before = [f"Via: {via}\r\n" for via in headers.get_all("Via")]
        from_ = headers.get("From")
        if from_ is not None:
            before.append(f"From: {from_}\r\n")
        self.before = "".join(before)
        self.to = headers.get("To")
        self.has_tag = self.to is None or _has_tag(self.to)
        self.after = _copied(request, "Call-ID") + _copied(request, "CSeq")
        routes = headers.get_all("Record-Route")
        self.record_route = "".join(f"Record-Route: {route}\r\n" for route in routes)

    def write(
        self,
        status: int,
        *,
        tag: str = "",
        reason: str | None = None,
        extra: str = "",
        body: bytes | None = None,
    ) -> bytes:
        """Write a response. `tag` is added to To where it has none and the status is not 100."""
        phrase = REASON_PHRASES.get(status, "") if reason is None else reason
        to = f"To: {self.to}" if self.to is not None else ""
        if tag and not self.has_tag and status != 100:
            to = f"{to};tag={tag}"
        text = (
            f"SIP/2.0 {status} {phrase}\r\n{self.before}{to}{to and _END}{self.after}{extra}"
            f"Content-Length: {len(body) if body else 0}\r\n\r\n"
        )
        written = text.encode("utf-8", "surrogateescape")
        return written + body if body else written


_END = "\r\n"


def _copied(request: Request, name: str) -> str:
    value = request.headers.get(name)
    return "" if value is None else f"{name}: {value}\r\n"


def _has_tag(to: str) -> bool:
    try:
        return read_tag(to) is not None
    except MessageError:
        return ";tag=" in to
