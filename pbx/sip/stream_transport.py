"""SIP over TCP and TLS: connections, found by their remote, opened when a message needs one. [io]

Responses and requests of a dialog go over the connection they belong to, because a phone behind NAT
has no other (RFC 3261 §18, RFC 5626). A request to a remote without a connection opens one; a
response never does, since its connection is gone with the port that asked. CRLF keep-alives get
their pong.

Nothing here grows without bound: connections in all and from one source, connections that are being
opened and what waits for them, bytes that a remote does not take, the time a message may take to
arrive, the time a connection may say nothing. Phones with a binding may be silent for as long as
they like. A remote that begins TLS counts from its first packet on, not from the end of its
handshake.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter

from pbx.sip.connection import Connection, StreamLimits, StreamOwner
from pbx.sip.flow import Address, Flow
from pbx.sip.resolve import MAX_REMOTES, LocalAddresses, numeric_family
from pbx.sip.tls import Tls
from pbx.sip.tls_listener import BACKLOG, TlsListener

__all__ = ["StreamLimits", "StreamOwner", "StreamTransport"]

log = logging.getLogger(__name__)


class StreamTransport:
    """All connections of the exchange. Without `tls` there is only TCP."""

    def __init__(
        self,
        owner: StreamOwner,
        addresses: LocalAddresses,
        limits: StreamLimits,
        *,
        tls: Tls | None = None,
    ) -> None:
        self.owner = owner
        self.limits = limits
        self._tls = tls
        self._names: dict[Address, str] = {}  # what a remote must prove to be
        self._handshakes: Counter[str] = Counter()
        self.keep_alives = self.refused = 0
        self._addresses = addresses
        self._loop = asyncio.get_running_loop()
        self._servers: list[asyncio.Server | TlsListener] = []
        self._connections: dict[tuple[str, Address], Connection] = {}
        self._by_source: dict[str, set[Connection]] = {}
        self._opening: dict[tuple[str, Address], tuple[asyncio.Task[None], list[bytes]]] = {}
        self._closed = False
        self._all_closed = asyncio.Event()

    def now(self) -> float:
        """Return the time of the event loop in seconds."""
        return self._loop.time()

    async def listen(self, host: str, port: int, *, kind: str = "tcp") -> Address:
        """Accept connections at a numeric address; return it with its port. Raises OSError."""
        family = numeric_family(host)
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, port))
            if kind == "tls" and self._tls is not None:
                self._servers.append(TlsListener(self, listener, self._tls))
                return host, listener.getsockname()[1]
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
        way = flow.transport, flow.remote
        connection = self._connections.get(way)
        if connection is not None and connection.open:
            connection.write(message)
            return True
        if message.startswith(b"SIP/2.0 ") or self._closed or not self._servers:
            return False
        opening = self._opening.get(way)
        if opening is None:
            if len(self._opening) >= self.limits.opening:
                return False
            task = self._loop.create_task(self._open(flow))
            opening = self._opening[way] = (task, [])
        waiting = opening[1]
        if sum(map(len, waiting)) + len(message) > self.limits.waiting:
            return False
        waiting.append(message)
        return True

    def expect_name(self, remote: Address, name: str) -> None:
        """Remember who a remote must prove to be when TLS is opened to it."""
        self._names.pop(remote, None)
        self._names[remote] = name
        if len(self._names) > MAX_REMOTES:
            del self._names[next(iter(self._names))]

    def admit_handshake(self, source: str, address: str) -> bool:
        """Tell whether a remote may begin TLS; if so it counts until `handshake_over`."""
        if not self._has_room(source, address):
            self.refused += 1
            return False
        self._handshakes[source] += 1
        return True

    def handshake_over(self, source: str) -> None:
        """Count it no more: it is a connection now, or nothing."""
        self._handshakes[source] -= 1
        if not self._handshakes[source]:
            del self._handshakes[source]

    def admit(self, connection: Connection) -> None:
        """Take an open connection in, or refuse it: banned, or too many."""
        flow = connection.flow
        way = flow.transport, flow.remote
        if connection.accepted and not self._has_room(connection.source, flow.remote[0]):
            self.refused += 1
            connection.abort()
            return
        old = self._connections.get(way)
        if old is not None:  # the remote has forgotten it, or it could not open another
            old.abort()
            self.lost(old)
        self._connections[way] = connection
        self._by_source.setdefault(connection.source, set()).add(connection)
        self.owner.stream_opened(flow)
        if connection.accepted:
            return
        for message in self._opening.get(way, (None, []))[1]:
            connection.write(message)

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed; tell it once."""
        siblings = self._by_source.get(connection.source, set())
        if connection not in siblings:  # refused, or told already
            return
        siblings.discard(connection)
        if not siblings:
            del self._by_source[connection.source]
        way = connection.flow.transport, connection.flow.remote
        if self._connections.get(way) is connection:
            del self._connections[way]
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
            "handshakes": self._handshakes.total(),
            "refused": self.refused,
            "keep_alives": self.keep_alives,
        }

    async def _open(self, flow: Flow) -> None:
        opened = False
        try:
            async with asyncio.timeout(self.limits.connect):
                await self._connect(flow)
            opened = True
        except ssl.SSLCertVerificationError as error:
            log.warning(
                "%s is not trusted as %s: %s; nothing is sent there",
                flow,
                self._name_of(flow),
                error.verify_message,
            )
        except (OSError, TimeoutError) as error:
            log.debug("no connection to %s: %s", flow, error)
        finally:
            del self._opening[flow.transport, flow.remote]
        if not opened:
            self.owner.stream_failed(flow)

    async def _connect(self, flow: Flow) -> None:
        host, port = flow.remote
        if flow.transport != "tls":
            await self._loop.create_connection(
                lambda: Connection(self, flow, self.now()), host, port
            )
            return
        if self._tls is None:
            raise ConnectionRefusedError("there is no certificate for TLS")
        await self._loop.create_connection(
            lambda: Connection(self, flow, self.now(), kind="tls"),
            host,
            port,
            ssl=self._tls.client,
            server_hostname=self._name_of(flow),
            ssl_handshake_timeout=self.limits.connect,
        )

    def _name_of(self, flow: Flow) -> str:
        """Return what the certificate of a remote must say: the name asked for, or the address."""
        return self._names.get(flow.remote, flow.remote[0])

    def _has_room(self, source: str, address: str) -> bool:
        owner, limits = self.owner, self.limits
        if self._closed or owner.is_dropped(address):
            return False
        if len(self._connections) + self._handshakes.total() >= limits.connections:
            return False
        siblings = self._by_source.get(source, ())
        room = limits.from_one_source - self._handshakes.get(source, 0)
        if len(siblings) < room:
            return True
        unbound = sum(1 for other in siblings if not owner.is_bound(other.flow))
        return unbound < room
