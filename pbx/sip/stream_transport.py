"""SIP over TCP: connections, found by their remote, opened when a message needs one. [io]

Responses and requests of a dialog go over the connection they belong to, because a phone behind NAT
has no other (RFC 3261 §18, RFC 5626). A request to a remote without a connection opens one; a
response never does, since its connection is gone with the port that asked. CRLF keep-alives get
their pong.

Nothing here grows without bound: connections in all and from one source, connections that are being
opened and what waits for them, bytes that a remote does not take, the time a message may take to
arrive, the time a connection may say nothing. Phones with a binding may be silent for as long as
they like.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import Protocol, cast

from pbx.errors import MessageError
from pbx.sip.flow import Address, Flow
from pbx.sip.guard import source_key
from pbx.sip.message import Request, Response
from pbx.sip.resolve import LocalAddresses, numeric_family
from pbx.sip.stream import KeepAlive, StreamBuffer, StreamItem

log = logging.getLogger(__name__)

BACKLOG = 128
"""Connections that the kernel holds until we accept them."""

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
    take, `message` how long a message from its first byte to its last, and how long a connection
    may take to bring its first one; `stalled` how long a remote may refuse to take bytes, `idle`
    how long a connection without binding may be silent.
    """

    connections: int = 4096
    from_one_source: int = 500
    opening: int = 256
    waiting: int = 256 * 1024
    unsent: int = 1024 * 1024
    connect: float = 4.0
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
    """One TCP connection, accepted (`flow` not known yet) or opened by us."""

    def __init__(self, streams: StreamTransport, flow: Flow | None, now: float) -> None:
        self._streams = streams
        self._flow = flow
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
            self._flow = Flow("tcp", local[:2], remote[:2])
        self.source = source_key(self._flow.remote[0])
        _keep_alive(stream.get_extra_info("socket"))
        stream.set_write_buffer_limits(high=self._streams.limits.unsent // 4)
        self._streams.admit(self)

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


class StreamTransport:
    """All TCP connections of the exchange."""

    def __init__(self, owner: StreamOwner, addresses: LocalAddresses, limits: StreamLimits) -> None:
        self.owner = owner
        self.limits = limits
        self.keep_alives = self.refused = 0
        self._addresses = addresses
        self._loop = asyncio.get_running_loop()
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Address, Connection] = {}
        self._by_source: dict[str, set[Connection]] = {}
        self._opening: dict[Address, tuple[asyncio.Task[None], list[bytes]]] = {}
        self._closed = False
        self._all_closed = asyncio.Event()

    def now(self) -> float:
        """Return the time of the event loop in seconds."""
        return self._loop.time()

    async def listen(self, host: str, port: int) -> Address:
        """Accept connections at a numeric address; return it with its port. Raises OSError."""
        family = numeric_family(host)
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, port))
            server = await self._loop.create_server(
                lambda: Connection(self, None, self.now()), sock=listener, backlog=BACKLOG
            )
        except OSError:
            listener.close()
            raise
        self._servers.append(server)
        return host, listener.getsockname()[1]

    def send(self, message: bytes, flow: Flow) -> bool:
        """Send over the flow's connection, opening it for a request; False where it cannot go.

        Nothing is opened while we do not listen ourselves: a remote may want to call back.
        """
        connection = self._connections.get(flow.remote)
        if connection is not None and connection.open:
            connection.write(message)
            return True
        if message.startswith(b"SIP/2.0 ") or self._closed or not self._servers:
            return False
        opening = self._opening.get(flow.remote)
        if opening is None:
            if len(self._opening) >= self.limits.opening:
                return False
            task = self._loop.create_task(self._open(flow))
            opening = self._opening[flow.remote] = (task, [])
        waiting = opening[1]
        if sum(map(len, waiting)) + len(message) > self.limits.waiting:
            return False
        waiting.append(message)
        return True

    def admit(self, connection: Connection) -> None:
        """Take an open connection in, or refuse it: banned, or too many."""
        address = connection.flow.remote
        if connection.accepted and not self._has_room(connection):
            self.refused += 1
            connection.abort()
            return
        old = self._connections.get(address)
        if old is not None:  # the remote has forgotten it, or it could not open another
            old.abort()
            self.lost(old)
        self._connections[address] = connection
        self._by_source.setdefault(connection.source, set()).add(connection)
        self.owner.stream_opened(connection.flow)
        if connection.accepted:
            return
        for message in self._opening.get(address, (None, []))[1]:
            connection.write(message)

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed; tell it once."""
        siblings = self._by_source.get(connection.source, set())
        if connection not in siblings:  # refused, or told already
            return
        siblings.discard(connection)
        if not siblings:
            del self._by_source[connection.source]
        if self._connections.get(connection.flow.remote) is connection:
            del self._connections[connection.flow.remote]
        if not self._closed:
            self.owner.stream_closed(connection.flow)
        elif not self._connections:
            self._all_closed.set()

    def sweep(self) -> None:
        """Close what has outstayed a limit; call every few seconds."""
        now = self.now()
        for connection in tuple(self._connections.values()):
            connection.check(now)

    async def close(self, grace: float) -> None:
        """Close everything; what was written has `grace` seconds to leave."""
        self._closed = True
        for server in self._servers:
            server.close()
        for task, _ in tuple(self._opening.values()):
            task.cancel()
        for connection in tuple(self._connections.values()):
            connection.close()
        if not self._connections:
            return
        try:
            async with asyncio.timeout(grace):
                await self._all_closed.wait()
        except TimeoutError:
            for connection in tuple(self._connections.values()):
                connection.abort()
            await self._all_closed.wait()

    def snapshot(self) -> dict[str, int]:
        """Return how many connections there are and what was refused."""
        return {
            "connections": len(self._connections),
            "opening": len(self._opening),
            "refused": self.refused,
            "keep_alives": self.keep_alives,
        }

    async def _open(self, flow: Flow) -> None:
        host, port = flow.remote
        opened = False
        try:
            async with asyncio.timeout(self.limits.connect):
                await self._loop.create_connection(
                    lambda: Connection(self, flow, self.now()), host, port
                )
            opened = True
        except (OSError, TimeoutError) as error:
            log.debug("no connection to %s: %s", flow, error)
        finally:
            del self._opening[flow.remote]
        if not opened:
            self.owner.stream_failed(flow)

    def _has_room(self, connection: Connection) -> bool:
        owner, limits = self.owner, self.limits
        if self._closed or owner.is_dropped(connection.flow.remote[0]):
            return False
        if len(self._connections) >= limits.connections:
            return False
        siblings = self._by_source.get(connection.source, ())
        if len(siblings) < limits.from_one_source:
            return True
        unbound = sum(1 for other in siblings if not owner.is_bound(other.flow))
        return unbound < limits.from_one_source


def _keep_alive(stream: socket.socket) -> None:
    for level, name, value in _KEEP_ALIVE_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):  # the remote has gone again
                stream.setsockopt(level, option, value)
