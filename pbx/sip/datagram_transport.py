"""One UDP socket for SIP: bytes with their flow in, bytes out. [io]

Each wake-up of the event loop takes at most 64 datagrams, so that a flood cannot keep timers and
calls waiting. Receive buffers are asked to hold 4 MB: a burst of registrations must not be lost
while Python is busy. A refused datagram is either lost, which SIP's retransmissions cure, or proof
that the remote cannot be reached; `send` tells the two apart.

A socket bound to all addresses answers from the address that the kernel routes to the remote from;
an office with several addresses in one network lists each of them under `listen`.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

from pbx.sip.flow import Address, Flow
from pbx.sip.resolve import MAX_REMOTES, LocalAddresses, is_wildcard, numeric_family

BATCH = 64
"""Datagrams of one wake-up."""

BUFFER_SIZE = 4 * 1024 * 1024
"""Bytes that the kernel is asked to hold for us, in either direction."""

MAX_KEEP_ALIVE = 4
"""Bytes of the longest keep-alive: phones send CRLF, CRLFCRLF or zeros to hold NAT open."""

_SO_RCVBUFFORCE = 33  # Linux; the socket module does not name them
_SO_SNDBUFFORCE = 32

_LOST = frozenset(
    {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EPERM, errno.ECONNREFUSED, errno.EINTR}
)
"""Send errors that say nothing about the remote: full buffers, a packet filter, an old ICMP."""


class DatagramSocket:
    """A bound, non-blocking UDP socket, IPv4 or IPv6 alone."""

    def __init__(self, host: str, port: int, addresses: LocalAddresses) -> None:
        """Bind to a numeric address; port 0 lets the kernel choose. Raises OSError."""
        self.family = numeric_family(host)
        self._addresses = addresses
        self._flows: dict[Any, Flow] = {}
        self._scopes: dict[str, int] = {}
        self._buffer = bytearray(65_536)
        self.received = self.sent = self.keep_alives = self.lost = 0
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            if self.family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.receive_buffer = self._enlarge(_SO_RCVBUFFORCE, socket.SO_RCVBUF)
            self._enlarge(_SO_SNDBUFFORCE, socket.SO_SNDBUF)
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.address: Address = (host, self.socket.getsockname()[1])
        self.wildcard = is_wildcard(host)
        self.drained = True
        """Whether the last `drain` left nothing behind."""

    def drain(self) -> Iterator[tuple[bytes, Flow]]:
        """Yield what has arrived, at most `BATCH` datagrams; keep-alives are left out."""
        receive, buffer = self.socket.recvfrom_into, self._buffer
        view = memoryview(buffer)
        self.drained = False
        for _ in range(BATCH):
            try:
                length, source = receive(buffer)
            except BlockingIOError:
                self.drained = True
                return
            except OSError:  # an ICMP error of an earlier datagram
                continue
            self.received += 1
            if length <= MAX_KEEP_ALIVE:
                self.keep_alives += 1
                continue
            flow = self._flows.get(source)
            yield bytes(view[:length]), flow or self._new_flow(source)

    def send(self, datagram: bytes, remote: Address) -> bool:
        """Send; False where the remote cannot be reached from here, or not with so many bytes."""
        scope = self._scopes.get(remote[0]) if self._scopes else None
        try:
            self.socket.sendto(datagram, remote if scope is None else (*remote, 0, scope))
        except OSError as error:
            self.lost += 1
            return error.errno in _LOST
        self.sent += 1
        return True

    def forget(self) -> None:
        """Ask anew which address flows have on our side: routes change."""
        self._flows.clear()

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def _new_flow(self, source: Any) -> Flow:
        if len(self._flows) >= MAX_REMOTES:
            self._flows.clear()
        if len(source) == 4 and source[3]:
            if len(self._scopes) >= MAX_REMOTES:
                self._scopes.clear()
            self._scopes[source[0]] = source[3]
        host, port = self.address
        if self.wildcard:
            host = (self._addresses.local_for("udp", source[0]) or self.address)[0]
        flow = self._flows[source] = Flow("udp", (host, port), source[:2])
        return flow

    def _enlarge(self, force: int, ask: int) -> int:
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, force, BUFFER_SIZE)
        except OSError:  # not root
            self.socket.setsockopt(socket.SOL_SOCKET, ask, BUFFER_SIZE)
        return self.socket.getsockopt(socket.SOL_SOCKET, ask) // 2  # the kernel doubles it
