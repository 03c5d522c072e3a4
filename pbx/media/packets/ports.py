"""[io] The stock of bound RTP/RTCP port pairs, so that taking one never waits.

RTP gets an even port, RTCP the odd one above (RFC 3550 §11). Per family a number of pairs is bound
ahead and announced; `take` gives one to a leg, `give_back` keeps its ports for two seconds, so that
packets of the call before fall away, and puts them into the stock again. Pairs are bound a few at
a time; a port that somebody else has is passed over; a range without any free pair is reported
once, and again only after it had recovered.

A stock socket is watched by nobody: what strangers send to it stays in the kernel and is thrown
away when a leg takes it. Port numbers are unique over both families, because legs are given ports
by number alone.

A leg that moves to another worker takes its pair along. The worker that gave it counts the port as
somebody else's from then on, and may bind it again once it is free; the one that took it closes the
pair when the leg is freed and announces nothing, for the port is of the other's range.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import Final

from pbx.media.descriptors import close_all
from pbx.media.engine import Family
from pbx.media.packets.source import Address
from pbx.media.protocol import PortsExhausted, PortsReady

RECEIVE_BUFFER: Final = 262_144
"""Octets asked for per RTP socket: seconds of sound, so that a stalled moment loses nothing."""

QUARANTINE: Final = 2.0
"""Seconds that the ports of a freed leg rest."""

STEP: Final = 16
"""Pairs bound at a time: under a millisecond."""

TRIES: Final = 64
"""Ports tried at a time when others have them."""

PAUSE: Final = 0.005
"""Seconds between two steps; packets are relayed meanwhile."""

RETRY: Final = 1.0
"""Seconds until a range that had nothing is tried again."""

MAX_DRAIN: Final = 10_000
"""Datagrams thrown away at most when a pair is taken."""

_FAMILIES: Final[Mapping[Family, socket.AddressFamily]] = {4: socket.AF_INET, 6: socket.AF_INET6}
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPFNOSUPPORT)

_libc = ctypes.CDLL(None, use_errno=True)
_UNSPECIFIED = bytes(28)  # struct sockaddr with AF_UNSPEC: dissolves a UDP socket's connection


class PortPair:
    """Two bound, non-blocking UDP sockets: RTP and RTCP."""

    __slots__ = ("borrowed", "connected", "family", "port", "rtcp", "rtp")

    def __init__(self, family: Family, port: int, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.family: Family = family
        self.port = port
        self.rtp = rtp
        self.rtcp = rtcp
        self.connected = False
        """Whether the kernel drops RTP that is not from the connected address."""
        self.borrowed = False
        """Whether it came from another worker, to whose range the port belongs."""

    def connect(self, remote: Address) -> None:
        """Let the kernel drop RTP from anybody but `remote`; raises OSError when it has no route.

        Datagrams that were in the queue before stay there.
        """
        self.rtp.connect(remote)
        self.connected = True

    def disconnect(self) -> None:
        """Take RTP from anybody again; the socket stays bound to its port."""
        if self.connected:
            self.connected = False
            if _libc.connect(self.rtp.fileno(), _UNSPECIFIED, len(_UNSPECIFIED)) != 0:
                raise OSError(ctypes.get_errno(), "cannot dissolve the connection of a socket")

    def drain(self) -> None:
        """Throw away what strangers sent."""
        for sock in (self.rtp, self.rtcp):
            with suppress(BlockingIOError):
                for _ in range(MAX_DRAIN):
                    with suppress(ConnectionRefusedError):
                        sock.recv(1)

    def close(self) -> None:
        """Close both sockets."""
        self.rtp.close()
        self.rtcp.close()


def bind_pair(family: Family, host: str, port: int) -> PortPair:
    """Bind `port` and the one above on `host`; raises OSError."""
    rtp = _bind(family, host, port)
    try:
        rtcp = _bind(family, host, port + 1)
    except OSError:
        rtp.close()
        raise
    rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return PortPair(family, port, rtp, rtcp)


def _bind(family: Family, host: str, port: int) -> socket.socket:
    sock = socket.socket(_FAMILIES[family], socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _adopt_pair(descriptors: Sequence[int]) -> PortPair:
    """Return the pair that these descriptors are; raises OSError, and then closes them."""
    sockets: list[socket.socket] = []
    try:
        for descriptor in descriptors:
            sockets.append(socket.socket(fileno=descriptor))
            sockets[-1].setblocking(False)
        rtp, rtcp = sockets
        family: Family = 6 if rtp.family == socket.AF_INET6 else 4
        return PortPair(family, rtp.getsockname()[1], rtp, rtcp)
    except (OSError, ValueError) as error:
        for sock in sockets:
            sock.close()
        close_all(descriptors[len(sockets) :])
        raise OSError(f"{len(descriptors)} descriptors are no pair of sockets") from error


class _Range:
    """One family's part of the stock: where to bind next, and whether there is anything."""

    def __init__(self, host: str, start: int) -> None:
        self.host = host
        self.next = start
        self.ready = 0
        self.misses = 0
        self.exhausted = False
        self.retry_at = 0.0


class PortStock:
    """Bound pairs in the range `low`…`high` (both included), `target` of them ready per family.

    `hosts` names the local address to bind for each family that is wanted.
    """

    def __init__(self, *, low: int, high: int, target: int, hosts: Mapping[Family, str]) -> None:
        self._first = low + low % 2
        self._count = max(0, (high - self._first + 1) // 2)
        self._target = target
        self._ready: dict[int, PortPair] = {}
        self._bound: set[int] = set()
        self._resting: deque[tuple[float, PortPair]] = deque()
        halves = len(hosts)
        self._ranges = {
            family: _Range(host, n * self._count // halves)
            for n, (family, host) in enumerate(sorted(hosts.items()))
        }

    def take(self, port: int) -> PortPair | None:
        """Return an announced pair without the datagrams that came meanwhile; None if unknown."""
        pair = self._ready.pop(port, None)
        if pair is None:
            return None
        self._ranges[pair.family].ready -= 1
        pair.drain()
        return pair

    def give_back(self, pair: PortPair, now: float) -> None:
        """Let the ports of a freed leg rest; they come back by `top_up`."""
        try:
            pair.disconnect()
        except OSError:
            self._drop(pair)
        else:
            self._resting.append((now + QUARANTINE, pair))

    def part_with(self, pair: PortPair) -> None:
        """Forget a pair that a leg takes to another worker; the sockets are the caller's."""
        if not pair.borrowed:
            self._bound.discard(pair.port)

    def adopt(self, descriptors: Sequence[int]) -> PortPair:
        """Return the pair that a leg brought from another worker; raises OSError.

        One that comes back to its own range is like any other of it.
        """
        pair = _adopt_pair(descriptors)
        pair.borrowed = not self._owns(pair.port) or pair.port in self._bound
        if not pair.borrowed:
            self._bound.add(pair.port)
        return pair

    def top_up(self, now: float) -> list[PortsReady | PortsExhausted]:
        """Bind a few more pairs where they are wanted; return what is to be announced."""
        fresh: dict[Family, list[int]] = {family: [] for family in self._ranges}
        while self._resting and self._resting[0][0] <= now:
            pair = self._resting.popleft()[1]
            if not pair.borrowed and self._wanted(pair.family):
                self._stock(pair, fresh)
            else:
                self._drop(pair)
        exhausted = [family for family in self._ranges if self._fill(family, fresh, now)]
        ready = [PortsReady(family, tuple(ports)) for family, ports in fresh.items() if ports]
        return [*ready, *map(PortsExhausted, exhausted)]

    def due(self, now: float) -> float:
        """Return when `top_up` has something to do: infinity while all is well."""
        times = [
            max(now + PAUSE, part.retry_at)
            for family, part in self._ranges.items()
            if self._wanted(family)
        ]
        if self._resting:
            times.append(self._resting[0][0])
        return min(times, default=inf)

    def close(self) -> None:
        """Close every socket that no leg has."""
        for pair in [*self._ready.values(), *(pair for _, pair in self._resting)]:
            pair.close()
        self._ready.clear()
        self._resting.clear()

    def _owns(self, port: int) -> bool:
        return self._first <= port < self._first + 2 * self._count and port % 2 == 0

    def _wanted(self, family: Family) -> bool:
        return self._ranges[family].ready < self._target

    def _fill(self, family: Family, fresh: dict[Family, list[int]], now: float) -> bool:
        """Bind up to STEP pairs; return whether it turned out now that there are none."""
        part = self._ranges[family]
        if part.retry_at > now:
            return False
        for _ in range(TRIES):
            if not self._wanted(family) or len(fresh[family]) >= STEP:
                return False
            port = self._next_port(part)
            if port is None:
                return self._exhaust(part, now)
            try:
                pair = bind_pair(family, part.host, port)
            except OSError as error:
                if error.errno in _NO_SUCH_FAMILY:
                    part.retry_at = inf
                    return True
                if error.errno in _OUT_OF_DESCRIPTORS:
                    return self._exhaust(part, now)
            else:
                self._bound.add(port)
                self._stock(pair, fresh)
        return False

    def _exhaust(self, part: _Range, now: float) -> bool:
        """Try again later; return whether this is news."""
        part.retry_at = now + RETRY
        part.misses = 0
        news, part.exhausted = not part.exhausted, True
        return news

    def _next_port(self, part: _Range) -> int | None:
        """Return the next port that is not ours; None once around since the last success."""
        while part.misses < self._count:
            port = self._first + 2 * part.next
            part.next = (part.next + 1) % self._count
            part.misses += 1
            if port not in self._bound:
                return port
        return None

    def _stock(self, pair: PortPair, fresh: dict[Family, list[int]]) -> None:
        part = self._ranges[pair.family]
        part.ready += 1
        part.misses = 0
        part.exhausted = part.exhausted and part.ready < self._target
        self._ready[pair.port] = pair
        fresh[pair.family].append(pair.port)

    def _drop(self, pair: PortPair) -> None:
        pair.close()
        self.part_with(pair)
