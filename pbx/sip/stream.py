"""Messages out of a byte stream (RFC 3261 §18.3): Content-Length framing, keep-alives, limits.

What comes out depends on the bytes alone, never on how they were cut. A request without
Content-Length has no body here. Where the end of a message cannot be known, `broken` is set: later
bytes are ignored, and the connection must be closed once the last item has been answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from pbx.errors import MessageError
from pbx.sip.framing import MAX_LINE, MAX_MESSAGE, read_head
from pbx.sip.message import Request, Response, endless, failed, open_message

_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The remote sent a double CRLF and wants a single one back (RFC 5626 §4.4.1)."""


Opened = Request | Response | MessageError
"""A message whose head was read, or what is wrong with it."""

StreamItem = Opened | KeepAlive


class StreamBuffer:
    """Cuts the bytes of one connection into messages."""

    __slots__ = ("_buffer", "_length", "_opened", "_scanned", "broken")

    def __init__(self) -> None:
        self.broken = False
        self._buffer = bytearray()
        self._scanned = 0  # bytes in which no end of a head begins
        self._opened: Opened | None = None  # its body is awaited
        self._length = 0  # of that body

    @property
    def incomplete(self) -> bool:
        """Tell whether a message has begun and not ended; it must within some seconds."""
        return self._opened is not None or bool(self._buffer.strip(b"\r\n"))

    def feed(self, received: bytes) -> list[StreamItem]:
        """Take bytes in; return what they completed, in order.

        Errors are returned, not raised, and carry `partial` as those of `parse_message` do.
        """
        items: list[StreamItem] = []
        if not self.broken:
            self._buffer += received
            while self._advance(items):
                pass
        return items

    def finish(self) -> list[StreamItem]:
        """Give up on the message that is incomplete, if any, and return it as an error."""
        items: list[StreamItem] = []
        if self._opened is not None:
            items.append(_as_error(self._opened, 400, "truncated_body"))
        elif self.incomplete:
            items.append(endless(bytes(self._buffer)))
        self._close()
        return items

    def _advance(self, items: list[StreamItem]) -> bool:
        """Take one thing off the buffer; return whether there may be more."""
        if self.broken:
            return False
        if self._opened is not None:
            return self._read_body(self._opened, items)
        if self._buffer.startswith(b"\r"):
            return self._skip_empty_line(items)
        return self._read_head(items)

    def _skip_empty_line(self, items: list[StreamItem]) -> bool:
        buffer = self._buffer
        if buffer.startswith(_END):
            items.append(KeepAlive())
            del buffer[:4]
            return True
        if _END.startswith(buffer):
            return False
        if buffer.startswith(b"\r\n"):
            del buffer[:2]
            return True
        return self._break(items, MessageError(400, "bad_start_line"))

    def _read_head(self, items: list[StreamItem]) -> bool:
        buffer = self._buffer
        fault = None if self._scanned else self._check_first_line()
        if fault is not None:
            return self._break(items, fault)
        end = buffer.find(_END, self._scanned)
        if end > MAX_MESSAGE or (end < 0 and len(buffer) >= MAX_MESSAGE + len(_END)):
            return self._break(items, MessageError(513, "message_too_large"))
        if end < 0:
            if b"\r\n" in buffer:
                self._scanned = len(buffer) - len(_END) + 1
            return False
        head = read_head(bytes(buffer[:end]))
        del buffer[: end + len(_END)]
        self._scanned = 0
        self._opened = open_message(head)
        self._length = head.content_length or 0
        if not head.framed:
            return self._break(items, self._opened)
        if end + len(_END) + self._length > MAX_MESSAGE:
            return self._break(items, _as_error(self._opened, 513, "message_too_large"))
        return True

    def _check_first_line(self) -> MessageError | None:
        """Return why this is no SIP, as soon as the first line tells."""
        end = self._buffer.find(b"\r\n")
        if end > MAX_LINE or (end < 0 and len(self._buffer) >= MAX_LINE + 2):
            return MessageError(400, "line_too_long")
        if end >= 0 and b"SIP/" not in self._buffer[:end].upper():
            return MessageError(400, "bad_start_line")
        return None

    def _read_body(self, opened: Opened, items: list[StreamItem]) -> bool:
        if len(self._buffer) < self._length:
            return False
        if not isinstance(opened, MessageError):
            opened.body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._opened = None
        items.append(opened)
        return True

    def _break(self, items: list[StreamItem], last: StreamItem) -> bool:
        items.append(last)
        self._close()
        return False

    def _close(self) -> None:
        self.broken = True
        self._opened = None
        self._buffer.clear()


def _as_error(opened: Opened, status: int, slug: str) -> MessageError:
    return opened if isinstance(opened, MessageError) else failed(opened, status, slug)
