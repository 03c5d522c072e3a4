"""Messages out of a byte stream (RFC 3261 §18.3): Content-Length framing, keep-alives, limits.

The results depend on the bytes alone, never on how they were cut. What cannot be framed breaks the stream: `broken` is
set, later bytes are ignored, and the connection must be closed once the error has been answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from pbx.errors import MessageError
from pbx.sip.message import (
    MAX_MESSAGE,
    Head,
    Request,
    Response,
    check_response,
    parse_head,
)


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The remote sent a double CRLF and wants a single one back (RFC 5626 §4.4.1)."""


_UNFRAMED = ("several_content_lengths", "bad_content_length")

StreamItem = Request | Response | MessageError | KeepAlive


class StreamBuffer:
    """Cuts one connection's bytes into messages."""

    __slots__ = ("_buffer", "_head", "_scanned", "broken")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Head | None = None
        self._scanned = 0
        self.broken = False

    @property
    def incomplete(self) -> bool:
        """Tell whether a message has begun that has not ended; it must within some seconds."""
        return not self.broken and (self._head is not None or bool(self._buffer.strip(b"\r\n")))

    def feed(self, received: bytes) -> list[StreamItem]:
        """Take bytes in; return what they completed, in order. Errors carry `partial` like those of datagrams."""
        items: list[StreamItem] = []
        if not self.broken:
            self._buffer += received
            while not self.broken and self._advance(items):
                pass
        return items

    def finish(self) -> list[StreamItem]:
        """Say that no more will come, or was waited for in vain: the unfinished message, if any, is an error."""
        head, self._head = self._head, None
        unfinished = self.incomplete or head is not None
        self.broken = True
        self._buffer.clear()
        if not unfinished:
            return []
        return [
            _failed(head, head.fault or MessageError(400, "truncated_body"))
            if head
            else MessageError(400, "no_end_of_headers")
        ]

    def _advance(self, items: list[StreamItem]) -> bool:
        if self._head is None:
            return self._read_head(items)
        return self._read_body(self._head, items)

    def _read_head(self, items: list[StreamItem]) -> bool:
        buffer = self._buffer
        if buffer[:1] == b"\r" and self._scanned == 0:
            return self._skip_empty_line(items)
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end > MAX_MESSAGE or (end < 0 and len(buffer) > MAX_MESSAGE):
            self._break(items, MessageError(513, "message_too_large"))
            return False
        if end < 0:
            self._scanned = max(len(buffer) - 3, 0)
            return False
        head = parse_head(bytes(buffer[:end]))
        del buffer[: end + 4]
        self._scanned = 0
        self._head = head
        return True

    def _skip_empty_line(self, items: list[StreamItem]) -> bool:
        buffer = self._buffer
        if buffer[:4] == b"\r\n\r\n":
            items.append(KeepAlive())
            del buffer[:4]
            return True
        if b"\r\n\r\n".startswith(buffer[:4]):
            return False
        if buffer[:2] == b"\r\n":
            del buffer[:2]
            return True
        self._break(items, MessageError(400, "bad_start_line"))
        return False

    def _read_body(self, head: Head, items: list[StreamItem]) -> bool:
        length = head.content_length or 0
        if head.fault is not None and head.fault.slug in _UNFRAMED:
            self._break(items, _failed(head, head.fault))
            return False
        if length > MAX_MESSAGE:
            self._break(items, _failed(head, MessageError(513, "message_too_large")))
            return False
        if len(self._buffer) < length:
            return False
        message = head.message
        message.body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        items.append(_finished(head))
        return True

    def _break(self, items: list[StreamItem], error: MessageError) -> None:
        self.broken = True
        self._buffer.clear()
        items.append(error)


def _finished(head: Head) -> StreamItem:
    message, _, fault = head
    if fault is not None:
        return _failed(head, fault)
    if isinstance(message, Response):
        try:
            check_response(message)
        except MessageError as error:
            return error
    return message


def _failed(head: Head, fault: MessageError) -> MessageError:
    fault.partial = head.message if isinstance(head.message, Request) else None
    return fault
