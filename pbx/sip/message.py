"""`Request` and `Response` (RFC 3261 §7), and `parse_message`, which makes them from the bytes of a datagram.

A message holds its header fields as text; typed properties read what is asked for, when it is asked for, and raise
`MessageError` 400 where a value cannot be read. Text is UTF-8, other bytes survive as surrogate escapes, bodies are
bytes and never looked into. `bytes(message)` computes Content-Length itself; it is never among `headers`.
Whether a request makes sense is `validation`; messages on a stream are `stream`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pbx.errors import MessageError
from pbx.sip.fields import Headers
from pbx.sip.grammar import LWS, is_token, parse_number, unquote
from pbx.sip.headers import CSeq, MediaType, NameAddr, Reason, Uri, Via, parse_tokens, read_tag
from pbx.sip.reasons import REASON_PHRASES
from pbx.sip.validation import validate_request

__all__ = ["Headers", "Message", "Request", "Response", "parse_message", "validate_request"]

MAX_MESSAGE = 65_536
"""Bytes of the largest message."""

MAX_LINE = 8_192
"""Characters of the longest header line, unfolded."""

MAX_VIAS = 70
"""Vias of one message: more hops than any request can take."""

MAX_EXPIRES = 2**32 - 1
"""Greater expiry times in seconds count as this (§20.19)."""

Fields = Iterable[tuple[str, str]]


class Message:
    """What requests and responses have in common: header fields and a body."""

    __slots__ = ("_via", "_via_text", "body", "headers")

    def __init__(self, headers: Headers | Fields = (), body: bytes = b"") -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self._via: Via | None = None
        self._via_text: str | None = None

    @property
    def start_line(self) -> str:
        """Return the first line, without its end."""
        raise NotImplementedError

    @property
    def via(self) -> Via:
        """Return the top Via; read once."""
        text = self._require("Via")
        if self._via is None or text is not self._via_text:
            self._via = Via.parse_many(text)[0] if "," in text else Via.parse(text)
            self._via_text = text
        return self._via

    @property
    def vias(self) -> list[Via]:
        """Return all Vias, from the top; more than 70 are a 400."""
        vias = [via for text in self.headers.get_all("Via") for via in Via.parse_many(text)]
        if len(vias) > MAX_VIAS:
            raise MessageError(400, "too_many_vias")
        return vias

    @property
    def cseq(self) -> CSeq:
        """Return the CSeq."""
        return CSeq.parse(self._require("CSeq"))

    @property
    def call_id(self) -> str:
        """Return the Call-ID; it is compared as it is (§20.8)."""
        return self._require("Call-ID")

    @property
    def from_(self) -> NameAddr:
        """Return the From address."""
        return NameAddr.parse(self._require("From"))

    @property
    def to(self) -> NameAddr:
        """Return the To address."""
        return NameAddr.parse(self._require("To"))

    @property
    def from_tag(self) -> str | None:
        """Return the tag of From, None where there is none (RFC 2543)."""
        return read_tag(self._require("From"))

    @property
    def to_tag(self) -> str | None:
        """Return the tag of To, None before a dialog."""
        return read_tag(self._require("To"))

    @property
    def contacts(self) -> list[NameAddr]:
        """Return the Contact addresses; empty for `Contact: *`."""
        texts = self.headers.get_all("Contact")
        return [] if texts == ["*"] else _parse_addresses(texts)

    @property
    def contact_is_wildcard(self) -> bool:
        """Tell whether the message has `Contact: *` and no other (§10.2.2)."""
        return self.headers.get_all("Contact") == ["*"]

    @property
    def routes(self) -> list[NameAddr]:
        """Return the Route set, topmost first."""
        return _parse_addresses(self.headers.get_all("Route"))

    @property
    def record_routes(self) -> list[NameAddr]:
        """Return the Record-Route addresses, topmost first."""
        return _parse_addresses(self.headers.get_all("Record-Route"))

    @property
    def paths(self) -> list[NameAddr]:
        """Return the Path addresses (RFC 3327), topmost first."""
        return _parse_addresses(self.headers.get_all("Path"))

    @property
    def content_type(self) -> MediaType | None:
        """Return the type of the body, None where it is not given."""
        text = self.headers.get("Content-Type")
        return None if text is None else MediaType.parse(text)

    @property
    def accept(self) -> list[MediaType] | None:
        """Return what the sender accepts: None where the header is absent, empty where it is empty (§20.1)."""
        texts = self.headers.get_all("Accept")
        if not texts:
            return None
        return [media for text in texts for media in MediaType.parse_many(text)]

    @property
    def allow(self) -> list[str]:
        """Return the methods that the sender allows."""
        return self._tokens("Allow")

    @property
    def require(self) -> list[str]:
        """Return the option tags of Require."""
        return self._tokens("Require")

    @property
    def supported(self) -> list[str]:
        """Return the option tags of Supported."""
        return self._tokens("Supported")

    @property
    def reasons(self) -> list[Reason]:
        """Return the Reason values (RFC 3326)."""
        return [
            reason for text in self.headers.get_all("Reason") for reason in Reason.parse_many(text)
        ]

    @property
    def expires(self) -> int | None:
        """Return Expires in seconds, at most 2**32 - 1; None where it is absent or no number (§20.19)."""
        return read_seconds(self.headers.get("Expires"))

    @property
    def user_agent(self) -> str | None:
        """Return what the sender calls itself: User-Agent, else Server."""
        return self.headers.get("User-Agent") or self.headers.get("Server")

    def __bytes__(self) -> bytes:
        lines = [self.start_line]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def __str__(self) -> str:
        return bytes(self).decode("utf-8", "replace")

    def _require(self, name: str) -> str:
        text = self.headers.get(name)
        if text is None:
            raise MessageError(400, f"no_{name.lower().replace('-', '_')}")
        return text

    def _tokens(self, name: str) -> list[str]:
        return [token for text in self.headers.get_all(name) for token in parse_tokens(text)]


class Request(Message):
    """A request. `uri_text` is the Request-URI as written, `uri` reads it."""

    __slots__ = ("method", "uri_text")

    def __init__(
        self, method: str, uri: Uri | str, headers: Headers | Fields = (), body: bytes = b""
    ) -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri_text = str(uri)

    @property
    def start_line(self) -> str:
        """Return `METHOD uri SIP/2.0`."""
        return f"{self.method} {self.uri_text} SIP/2.0"

    @property
    def uri(self) -> Uri:
        """Return the Request-URI."""
        return Uri.parse(self.uri_text)

    @property
    def max_forwards(self) -> int | None:
        """Return Max-Forwards, 0 … 255; None where it is absent (RFC 2543)."""
        text = self.headers.get("Max-Forwards")
        return None if text is None else parse_number(text, maximum=255, slug="bad_max_forwards")

    def stamp_source(self, host: str, port: int) -> None:
        """Note in the top Via where the request came from (§18.2.1, RFC 3581 §4)."""
        text = self._require("Via")
        via = self.via
        stamped = via.stamped(host, port)
        if stamped is via:
            return
        below = [str(other) for other in Via.parse_many(text)[1:]] if "," in text else []
        self.headers.set_first("Via", ", ".join([str(stamped), *below]))
        self._via, self._via_text = stamped, self.headers.get("Via")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri_text}>"


class Response(Message):
    """A response. `reason` is its phrase, for people alone."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        headers: Headers | Fields = (),
        body: bytes = b"",
    ) -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = REASON_PHRASES.get(status, "") if reason is None else reason

    @classmethod
    def answering(
        cls, request: Request, status: int, *, reason: str | None = None, to_tag: str | None = None
    ) -> Response:
        """Begin the response to `request` (§8.2.6): Via, From, To, Call-ID and CSeq as they were written.

        `to_tag` is added to To where it has no tag. A 100 repeats Timestamp (§8.2.6.1); 101 … 299 repeat
        Record-Route (§12.1.1). Works for any request that has at least a Via, malformed or not.
        """
        response = cls(status, reason)
        headers = response.headers
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            headers.copy_from(request.headers, name)
        if status == 100:
            headers.copy_from(request.headers, "Timestamp")
        elif status < 300:
            headers.copy_from(request.headers, "Record-Route")
        to = headers.get("To")
        if to_tag is not None and to is not None and not _has_tag(to):
            headers.set("To", f"{to};tag={to_tag}")
        return response

    @property
    def start_line(self) -> str:
        """Return `SIP/2.0 status reason`."""
        return f"SIP/2.0 {self.status} {self.reason}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


class Head(NamedTuple):
    """A message without its body, what is wrong with it, and the length of the body that it announces."""

    message: Request | Response
    content_length: int | None
    fault: MessageError | None


def parse_message(datagram: bytes) -> Request | Response:
    """Read the one message that a datagram holds.

    Empty lines before it are skipped (§7.5), bytes behind Content-Length are ignored (§18.3), without Content-Length
    the rest is the body. Raises `MessageError`: for a request, `partial` is what could be read of it.
    """
    if len(datagram) > MAX_MESSAGE:
        raise MessageError(513, "message_too_large")
    if datagram[:1] in (b"\r", b"\n"):
        datagram = datagram.lstrip(b"\r\n")
    end = datagram.find(b"\r\n\r\n")
    message, length, fault = parse_head(datagram if end < 0 else datagram[:end])
    if fault is None:
        if end < 0:
            fault = MessageError(400, "no_end_of_headers")
        elif length is not None and length > len(datagram) - end - 4:
            fault = MessageError(400, "truncated_body")
    if fault is not None:
        fault.partial = message if isinstance(message, Request) else None
        raise fault
    message.body = datagram[end + 4 :] if length is None else datagram[end + 4 : end + 4 + length]
    if isinstance(message, Response):
        check_response(message)
    return message


def parse_head(head: bytes) -> Head:
    """Read start line and header fields, which end before their empty line. Never raises."""
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")
    fault: MessageError | None = None
    if "\r\n " in text or "\r\n\t" in text:
        lines = _unfold(lines)
    message = _read_start_line(lines[0])
    if isinstance(message, MessageError):
        fault = message
        message = fault.partial if isinstance(fault.partial, Request) else Response(0)
    length = None
    try:
        _check_lines(text, lines)
        message.headers.parse(lines[1:])
    except MessageError as error:
        fault = fault or error
    try:
        length = _take_content_length(message.headers)
    except MessageError as error:
        fault = fault or error
    return Head(message, length, fault)


def check_response(response: Response) -> None:
    """Raise `MessageError` unless the response has what a transaction is found by (§17.1.3)."""
    response.via, response.cseq, response.call_id, response.from_tag, response.to_tag  # noqa: B018


def read_seconds(text: str | None) -> int | None:
    """Read delta-seconds: too many count as 2**32 - 1, None where `text` is None or no number (§20.19)."""
    if text is None:
        return None
    text = text.strip(LWS)
    if not text.isdecimal() or not text.isascii():
        return None
    digits = text.lstrip("0") or "0"
    return MAX_EXPIRES if len(digits) > 10 else min(int(digits), MAX_EXPIRES)


def _unfold(lines: list[str]) -> list[str]:
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] = f"{unfolded[-1]} {line.lstrip(LWS)}"
        else:
            unfolded.append(line)
    return unfolded


def _check_lines(text: str, lines: list[str]) -> None:
    if len(text) > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        raise MessageError(400, "line_too_long")


def _read_start_line(line: str) -> Request | Response | MessageError:
    first, _, rest = line.partition(" ")
    if first[:4].upper() == "SIP/":
        return _read_status_line(first, rest)
    uri, _, version = rest.rpartition(" ")
    request = Request(first, uri)
    if version.upper() == "SIP/2.0" and is_token(first) and uri and " " not in uri:
        return request
    if version[:4].upper() == "SIP/" and version.upper() != "SIP/2.0":
        return MessageError(505, "bad_version", partial=request)
    return MessageError(400, "bad_start_line", line[:40], partial=request)


def _read_status_line(version: str, rest: str) -> Response | MessageError:
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        return MessageError(400, "bad_version")
    if len(status) != 3 or not (
        status.isdecimal() and status.isascii() and 100 <= int(status) < 700
    ):
        return MessageError(400, "bad_status", status[:40])
    return Response(int(status), reason)


def _take_content_length(headers: Headers) -> int | None:
    texts = headers.get_all("Content-Length")
    if not texts:
        return None
    headers.remove("Content-Length")
    if len(texts) > 1:
        raise MessageError(400, "several_content_lengths")
    return parse_number(texts[0], maximum=2**32, slug="bad_content_length")


def _parse_addresses(texts: list[str]) -> list[NameAddr]:
    return [address for text in texts for address in NameAddr.parse_many(text)]


def _has_tag(text: str) -> bool:
    try:
        return read_tag(text) is not None
    except MessageError:
        return ";tag=" in text
