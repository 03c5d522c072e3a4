"""One connection of SIP, by TCP or TLS: what comes in, what goes out, how long it may stay. [io]

`stream_transport.StreamTransport` has all of them and decides which may be. One by TLS begins when
its handshake is over; from there on nothing differs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from pbx.errors import MessageError
from pbx.sip.flow import Flow
from pbx.sip.guard import source_key
from pbx.sip.message import Request, Response
from pbx.sip.stream import KeepAlive, StreamBuffer, StreamItem

if TYPE_CHECKING:
    from pbx.sip.stream_transport import StreamTransport

log = logging.getLogger(__name__)

_PONG = b"\r\n"

_KEEP_ALIVE_OPTIONS = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 60),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 15),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 4),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 30_000),
)
"""So that the kernel notices within two minutes that a phone lost its power (Linux names)."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bounds of the connections. Times are seconds, `unsent` and `waiting` bytes.

    `from_one_source` counts connections without a binding only. `connect` is how long opening may
    take, `handshake` how long a remote may take to begin TLS, `message` how long a message from its
    first byte to its last, and how long a connection may take to bring its first one; `stalled` how
    long a remote may refuse to take bytes, `idle` how long a connection without binding may be
    silent.
    """

    connections: int = 4096
    from_one_source: int = 500
    opening: int = 256
    waiting: int = 256 * 1024
    unsent: int = 1024 * 1024
    connect: float = 4.0
    handshake: float = 10.0
    message: float = 30.0
    stalled: float = 30.0
    idle: float = 600.0


class StreamOwner(Protocol):
    """What the connections tell the transport."""

    def stream_message(self, message: Request | Response | MessageError, flow: Flow) -> None:
        """Take in a message, or what is wrong with one."""

    def stream_opened(self, flow: Flow) -> None:
        """Note that a connection is open, whoever opened it."""

    def stream_closed(self, flow: Flow) -> None:
        """Note that an open connection is gone."""

    def stream_failed(self, flow: Flow) -> None:
        """Note that a connection could not be opened."""

    def stream_settled(self) -> None:
        """Act on the messages: all that one wake-up brought have been told."""

    def is_dropped(self, address: str) -> bool:
        """Tell whether what comes from this address is to be ignored."""

    def is_bound(self, flow: Flow) -> bool:
        """Tell whether a phone is registered over this flow."""


class Connection(asyncio.Protocol):
    """One connection by `kind` ("tcp" or "tls"), accepted (`flow` not known yet) or opened by us.

    `begun` is called once, before the connection is admitted.
    """

    def __init__(
        self,
        streams: StreamTransport,
        flow: Flow | None,
        now: float,
        *,
        kind: str = "tcp",
        begun: Callable[[], None] | None = None,
    ) -> None:
        self._streams = streams
        self._flow = flow
        self._kind = kind
        self._begun = begun
        self._transport: asyncio.Transport | None = None
        self._buffer = StreamBuffer()
        self.accepted = flow is None
        self.source = ""
        self.active_at = now
        self.partial_since: float | None = now if flow is None else None
        self.stalled_since: float | None = None

    @property
    def flow(self) -> Flow:
        """Return the flow; known once the connection is open."""
        assert self._flow is not None
        return self._flow

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn who it is, and let the transport decide whether it may stay."""
        self._transport = stream = cast("asyncio.Transport", transport)
        if self._flow is None:
            remote, local = stream.get_extra_info("peername"), stream.get_extra_info("sockname")
            if not remote or not local:  # gone again
                stream.abort()
                return
            self._flow = Flow(self._kind, local[:2], remote[:2])
        self.source = source_key(self._flow.remote[0])
        _keep_alive(stream.get_extra_info("socket"))
        stream.set_write_buffer_limits(high=self._streams.limits.unsent // 4)
        self.begin()
        self._streams.admit(self)

    def begin(self) -> None:
        """Call `begun`, if nobody has yet."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun()

    def data_received(self, received: bytes) -> None:
        """Cut messages out of the stream and pass them on."""
        if self._streams.owner.is_dropped(self.flow.remote[0]):
            self.abort()
            return
        now = self._streams.now()
        self.active_at = now
        items = self._buffer.feed(received)
        if not self._buffer.incomplete:
            self.partial_since = None
        elif items or self.partial_since is None:
            self.partial_since = now
        self._pass_on(items)
        if self._buffer.broken:
            self.close()

    def eof_received(self) -> bool:
        """Answer what was left unfinished, then close."""
        self._pass_on(self._buffer.finish())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the connection is gone."""
        self._streams.lost(self)

    def pause_writing(self) -> None:
        """Note since when the remote takes no bytes."""
        self.stalled_since = self._streams.now()

    def resume_writing(self) -> None:
        """Note that it takes bytes again."""
        self.stalled_since = None

    def write(self, message: bytes) -> None:
        """Send bytes; a remote that lets too many pile up is cut off."""
        stream = self._transport
        if stream is None or stream.is_closing():
            return
        stream.write(message)
        self.active_at = self._streams.now()
        if stream.get_write_buffer_size() > self._streams.limits.unsent:
            log.info("%s takes no bytes; its connection is cut", self.flow)
            stream.abort()

    def check(self, now: float) -> None:
        """Close the connection where it has outstayed a limit."""
        limits = self._streams.limits
        if self.stalled_since is not None and now - self.stalled_since > limits.stalled:
            self.abort()
        elif self.partial_since is not None and now - self.partial_since > limits.message:
            self._pass_on(self._buffer.finish())
            self.close()
        elif now - self.active_at > limits.idle and not self._streams.owner.is_bound(self.flow):
            self.close()

    @property
    def open(self) -> bool:
        """Tell whether messages can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """Close once what was written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _pass_on(self, items: list[StreamItem]) -> None:
        told = False
        for item in items:
            if isinstance(item, KeepAlive):
                self._streams.keep_alives += 1
                self.write(_PONG)
            else:
                told = True
                self._streams.owner.stream_message(item, self.flow)
        if told:
            self._streams.owner.stream_settled()


def _keep_alive(stream: socket.socket) -> None:
    for level, name, value in _KEEP_ALIVE_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):  # the remote has gone again
                stream.setsockopt(level, option, value)
