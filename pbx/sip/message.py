"""`Request` and `Response` (RFC 3261 §7), and `parse_message`, which makes them of a datagram.

A message holds its header fields as text. Typed properties read what is asked for, when it is asked
for, and raise `MessageError` 400 where a value cannot be read. Those that every layer asks for are
read once: they do not see what is written into `headers` later. Text is UTF-8, other bytes survive
as surrogate escapes; a body is bytes and never looked into. `bytes(message)` computes
Content-Length, which is never among `headers`.

Bytes become a start line and fields in `framing`; whether a request makes sense is `validation`;
messages out of a stream are `stream`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, overload

from pbx.errors import MessageError
from pbx.sip.fields import Headers
from pbx.sip.framing import MAX_MESSAGE, Head, read_head
from pbx.sip.grammar import is_token, parse_number, read_seconds, split_tokens
from pbx.sip.headers import CSeq, MediaType, NameAddr, Reason, Uri, Via, read_tag
from pbx.sip.reasons import REASON_PHRASES
from pbx.sip.validation import validate_request

__all__ = ["Headers", "Message", "Request", "Response", "parse_message", "validate_request"]

_MATCHED_BY = ("via", "cseq", "call_id", "from_tag", "to_tag")
"""What transactions and dialogs find a response by (RFC 3261 §17.1.3, §12.2)."""

Fields = Iterable[tuple[str, str]]
T = TypeVar("T")


class read_once(Generic[T]):
    """A property whose value, once read, is an attribute of the message like any other.

    (`functools.cached_property` takes a lock before Python 3.12 and is three times as slow.)
    """

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, message: None, owner: type[Message]) -> read_once[T]: ...

    @overload
    def __get__(self, message: Message, owner: type[Message]) -> T: ...

    def __get__(self, message: Message | None, owner: type[Message]) -> T | read_once[T]:
        if message is None:
            return self
        value = message.__dict__[self._name] = self._read(message)
        return value


class Message:
    """What requests and responses have in common: header fields and a body."""

    def __init__(self, headers: Headers | Fields = (), body: bytes = b"") -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body

    @property
    def start_line(self) -> str:
        """Return the first line, without its end."""
        raise NotImplementedError

    @read_once
    def via(self) -> Via:
        """Return the top Via."""
        text = self._required("Via")
        return Via.parse_many(text)[0] if "," in text else Via.parse(text)

    @property
    def vias(self) -> list[Via]:
        """Return all Vias, from the top."""
        return [via for text in self.headers.get_all("Via") for via in Via.parse_many(text)]

    @read_once
    def cseq(self) -> CSeq:
        """Return the CSeq."""
        return CSeq.parse(self._required("CSeq"))

    @read_once
    def call_id(self) -> str:
        """Return the Call-ID; it is compared as it is (§20.8)."""
        return self._required("Call-ID")

    @read_once
    def from_(self) -> NameAddr:
        """Return the From address."""
        return NameAddr.parse(self._required("From"))

    @read_once
    def to(self) -> NameAddr:
        """Return the To address."""
        return NameAddr.parse(self._required("To"))

    @read_once
    def from_tag(self) -> str | None:
        """Return the tag of From, None where there is none (RFC 2543)."""
        return read_tag(self._required("From"))

    @read_once
    def to_tag(self) -> str | None:
        """Return the tag of To, None before a dialog."""
        return read_tag(self._required("To"))

    @read_once
    def contacts(self) -> list[NameAddr]:
        """Return the Contact addresses; none for `Contact: *`."""
        return [] if self.contact_is_wildcard else self._addresses("Contact")

    @property
    def contact_is_wildcard(self) -> bool:
        """Tell whether the message has `Contact: *` and no other (§10.2.2)."""
        return self.headers.get_all("Contact") == ["*"]

    @property
    def routes(self) -> list[NameAddr]:
        """Return the Route addresses, topmost first."""
        return self._addresses("Route")

    @property
    def record_routes(self) -> list[NameAddr]:
        """Return the Record-Route addresses, topmost first."""
        return self._addresses("Record-Route")

    @property
    def paths(self) -> list[NameAddr]:
        """Return the Path addresses, topmost first (RFC 3327)."""
        return self._addresses("Path")

    @read_once
    def content_type(self) -> MediaType | None:
        """Return the type of the body, None where it is not given."""
        text = self.headers.get("Content-Type")
        return None if text is None else MediaType.parse(text)

    @property
    def accept(self) -> list[MediaType] | None:
        """Return what the sender accepts: None without the header, empty if it is empty (§20.1)."""
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
        return [each for text in self.headers.get_all("Reason") for each in Reason.parse_many(text)]

    @property
    def expires(self) -> int | None:
        """Return Expires in seconds, at most 2**32 - 1; None if absent or no number (§20.19)."""
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

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and self.start_line == other.start_line
            and self.headers == other.headers
            and self.body == other.body
        )

    def __repr__(self) -> str:
        return f"<{self.start_line}>"

    def _required(self, name: str) -> str:
        text = self.headers.get(name)
        if text is None:
            raise MessageError(400, f"no_{name.lower().replace('-', '_')}")
        return text

    def _addresses(self, name: str) -> list[NameAddr]:
        texts = self.headers.get_all(name)
        return [address for text in texts for address in NameAddr.parse_many(text)] if texts else []

    def _tokens(self, name: str) -> list[str]:
        return [token for text in self.headers.get_all(name) for token in split_tokens(text)]


class Request(Message):
    """A request. `uri_text` is the Request-URI as written, `uri` reads it."""

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

    @read_once
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
        via = self.via
        stamped = via.stamped(host, port)
        if stamped is via:
            return
        text = self._required("Via")
        below = [str(other) for other in Via.parse_many(text)[1:]] if "," in text else []
        self.headers.set_first("Via", ", ".join([str(stamped), *below]))
        self.__dict__["via"] = stamped


class Response(Message):
    """A response. `reason` is its phrase, which is for people alone."""

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
        """Begin the response to `request`: Via, From, To, Call-ID and CSeq as written (§8.2.6.2).

        `to_tag` is added to To where it has no tag. A 100 repeats Timestamp (§8.2.6.1), 101 … 299
        repeat Record-Route (§12.1.1). Works for malformed requests too: what they lack is left out.
        """
        response = cls(status, reason)
        headers = response.headers
        headers.copy_from(request.headers, "Via", "From", "To", "Call-ID", "CSeq")
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


def parse_message(datagram: bytes) -> Request | Response:
    """Read the one message that a datagram holds.

    Empty lines before it are skipped (§7.5), bytes behind Content-Length are ignored (§18.3), and
    without Content-Length the rest is the body. Raises `MessageError`, for a request with all that
    could be read of it as `partial`.
    """
    if len(datagram) > MAX_MESSAGE:
        raise MessageError(513, "message_too_large")
    if datagram.startswith((b"\r", b"\n")):
        datagram = datagram.lstrip(b"\r\n")
    end = datagram.find(b"\r\n\r\n")
    if end < 0:
        raise endless(datagram)
    head = read_head(datagram[:end])
    message = open_message(head)
    if isinstance(message, MessageError):
        raise message
    body = datagram[end + 4 :]
    length = head.content_length
    if length is not None:
        if length > len(body):
            raise failed(message, 400, "truncated_body")
        body = body[:length]
    message.body = body
    return message


def open_message(head: Head) -> Request | Response | MessageError:
    """Make the message that `head` begins, still without its body, or say what is wrong."""
    message = _read_start_line(head.start_line, head.headers)
    if isinstance(message, MessageError):
        return message
    if head.fault:
        return failed(message, head.fault.status, head.fault.slug, head.fault.detail)
    if isinstance(message, Response):
        try:
            _check_response(message)
        except MessageError as error:
            return error
    return message


def endless(head: bytes) -> MessageError:
    """Make the error for a head that the empty line never ended."""
    message = open_message(read_head(head.removesuffix(b"\r\n")))
    if isinstance(message, MessageError):
        return message
    return failed(message, 400, "no_end_of_headers")


def failed(message: Request | Response, status: int, slug: str, detail: str = "") -> MessageError:
    """Make the error that answers a request, or drops a response."""
    partial = message if isinstance(message, Request) else None
    return MessageError(status, slug, detail, partial=partial)


def _read_start_line(line: str, headers: Headers) -> Request | Response | MessageError:
    first, _, rest = line.partition(" ")
    if first[:4].upper() == "SIP/":
        return _read_status_line(first, rest, headers)
    uri, _, version = rest.rpartition(" ")
    request = Request(first, uri, headers)
    if version.upper() == "SIP/2.0":
        if uri and " " not in uri and is_token(first):
            return request
    elif version[:4].upper() == "SIP/":
        return failed(request, 505, "bad_version", version[:40])
    return failed(request, 400, "bad_start_line", line[:40])


def _read_status_line(version: str, rest: str, headers: Headers) -> Response | MessageError:
    text, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        return MessageError(400, "bad_version", version[:40])
    if len(text) == 3 and text.isdecimal() and text.isascii() and 100 <= int(text) < 700:
        return Response(int(text), reason, headers)
    return MessageError(400, "bad_status_line", rest[:40])


def _check_response(response: Response) -> None:
    """Raise `MessageError` unless all that a response is matched by can be read."""
    for name in _MATCHED_BY:
        getattr(response, name)


def _has_tag(text: str) -> bool:
    try:
        return read_tag(text) is not None
    except MessageError:
        return ";tag=" in text
