"""Addresses, ours and theirs: which of ours a remote reaches us at, and which a host name has. [io]

Ours is, for each remote, the one that the kernel routes to it from, found by connecting a datagram
socket, which sends nothing; remotes beyond `local_networks` are told the external address instead.
Names are looked up by the system's resolver (A and AAAA), which blocks, so each look-up has a
thread of its own, and there are few of them: a dead resolver costs nothing but the calls that need
it. An answer is good for a minute, and as long as no newer one can be had. RFC 3263 without
NAPTR and SRV: a URI says its transport and port, or means UDP and 5060; a sips URI means TLS.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache

from pbx.sip.flow import Address, Flow
from pbx.sip.uri import Uri

DEFAULT_PORT = 5060
DEFAULT_TLS_PORT = 5061

PRIVATE_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
)
"""Remotes that reach us without NAT unless the office says otherwise."""

MAX_REMOTES = 8_192
"""Remotes whose routes are remembered."""

MAX_NAMES = 1_024
"""Host names whose addresses are remembered."""

NAME_LIFETIME = 60.0
"""Seconds for which an answer of the resolver is used unasked."""

RETRY_AFTER = 5.0
"""Seconds until a failed look-up is tried again."""

LOOKUP_TIMEOUT = 5.0
"""Seconds that a caller waits for the resolver."""

MAX_LOOKUPS = 8
"""Look-ups that run at a time."""

_ANY_PORT = 5060  # connect needs one; nothing is sent to it


@lru_cache(maxsize=4096)
def numeric_family(host: str) -> int:
    """Return AF_INET or AF_INET6 where `host` is an address (IPv6 without brackets), else 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host.partition("%")[0])
    except (OSError, ValueError):
        return 0
    return family


def is_wildcard(host: str) -> bool:
    """Tell whether `host` stands for all our addresses."""
    return host in ("0.0.0.0", "::")


def routed_from(remote: str) -> str | None:
    """Return the local address that the kernel sends to `remote` from; None without a route."""
    try:
        with socket.socket(numeric_family(remote), socket.SOCK_DGRAM) as probe:
            probe.connect((remote, _ANY_PORT))
            return str(probe.getsockname()[0])
    except OSError:
        return None


class LocalAddresses:
    """What remotes reach us at. Routes change: call `forget` now and then."""

    def __init__(
        self,
        *,
        external_address: str | None = None,
        local_networks: Iterable[str] = PRIVATE_NETWORKS,
        route: Callable[[str], str | None] = routed_from,
    ) -> None:
        """Make a table that listens nowhere yet.

        `external_address` is told to remotes of its family outside `local_networks` (CIDR); without
        it every remote is told the routed one. `route` is how that is found.
        """
        self._external = external_address
        self._networks = [ipaddress.ip_network(network) for network in local_networks]
        self._route = route
        self._routed: dict[str, str | None] = {}
        self._advertised: dict[Flow, Address] = {}
        self.listening: list[tuple[str, Address]] = []

    def listen(self, transport: str, address: Address) -> None:
        """Note that we listen there, with the port as it really is."""
        self.listening.append((transport, address))

    def local_for(self, transport: str, remote: str) -> Address | None:
        """Return our side of a flow to the address `remote`; None where there is no way."""
        own = self._own(transport, remote)
        routed = self._routed_from(remote) if own else None
        for host, port in own:
            if host == routed or (is_wildcard(host) and routed is not None):
                return routed, port
        return own[0] if own and not is_wildcard(own[0][0]) else None

    def flows(self, uri: Uri, hosts: Iterable[str]) -> list[Flow]:
        """Return the flows to a SIP URI at these addresses, by UDP unless it says otherwise.

        Those that cannot be had are left out; a sips URI is reached by TLS or not at all.
        """
        wanted = _transports(uri)
        port = DEFAULT_TLS_PORT if wanted == ("tls",) else DEFAULT_PORT
        port = port if uri.port is None else uri.port
        flows = []
        for host in hosts:
            for transport in wanted:
                local = self.local_for(transport, host)
                if local is not None:
                    flows.append(Flow(transport, local, (host, port)))
                    break
        return flows

    def advertise(self, flow: Flow) -> Address:
        """Return the host and port that Via, Contact and SDP show to the remote of `flow`."""
        shown = self._advertised.get(flow)
        if shown is None:
            if len(self._advertised) >= MAX_REMOTES:
                self._advertised.clear()
            host, port = flow.local
            ports = [own[1] for own in self._own(flow.transport, flow.remote[0])]
            if ports and port not in ports:  # made from a flow of another transport
                port = ports[0]
            if self._external is not None and self._is_beyond(flow.remote[0]):
                host = self._external
            shown = self._advertised[flow] = host, port
        return shown

    def forget(self) -> None:
        """Ask the kernel anew from now on."""
        self._routed.clear()
        self._advertised.clear()

    def _own(self, transport: str, remote: str) -> list[Address]:
        six = ":" in remote
        return [own for kind, own in self.listening if kind == transport and (":" in own[0]) == six]

    def _routed_from(self, remote: str) -> str | None:
        if remote not in self._routed:
            if len(self._routed) >= MAX_REMOTES:
                self._routed.clear()
            self._routed[remote] = self._route(remote)
        return self._routed[remote]

    def _is_beyond(self, remote: str) -> bool:
        if numeric_family(self._external or "") != numeric_family(remote):
            return False
        address = ipaddress.ip_address(remote)
        return not any(address in network for network in self._networks)


def _transports(uri: Uri) -> tuple[str, ...]:
    """Return what a URI can be reached by, best first."""
    if uri.scheme == "sips":  # `transport=tcp` is what TLS runs over (RFC 3261 §26.2.2)
        return ("tls",) if uri.transport in (None, "tcp", "tls") else ()
    if uri.scheme != "sip":
        return ()
    return (uri.transport,) if uri.transport else ("udp", "tcp")


def look_up(host: str) -> list[str]:
    """Return the addresses of a host name as the system orders them. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class NameResolver:
    """Host names to addresses, without ever blocking the event loop."""

    def __init__(
        self,
        look_up: Callable[[str], list[str]] = look_up,
        *,
        timeout: float = LOOKUP_TIMEOUT,
        max_lookups: int = MAX_LOOKUPS,
    ) -> None:
        self._look_up = look_up
        self._timeout = timeout
        self._max_lookups = max_lookups
        self._known: dict[str, tuple[float, list[str]]] = {}  # good until, addresses
        self._pending: dict[str, asyncio.Future[list[str] | None]] = {}

    async def addresses(self, host: str) -> list[str]:
        """Return the addresses of `host`, [] where it has none or the resolver gives no answer.

        Takes at most `timeout` seconds. When the resolver fails, the last good answer is used.
        """
        loop = asyncio.get_running_loop()
        good_until, known = self._known.get(host, (0.0, []))
        if loop.time() < good_until:
            return known
        found = await self._ask(host, loop)
        if found is None:
            self._remember(host, loop.time() + RETRY_AFTER, known)
            return known
        self._remember(host, loop.time() + NAME_LIFETIME, found)
        return found

    async def _ask(self, host: str, loop: asyncio.AbstractEventLoop) -> list[str] | None:
        pending = self._pending.get(host)
        if pending is None:
            if len(self._pending) >= self._max_lookups:
                return None
            pending = self._pending[host] = loop.create_future()
            # Not an executor's thread: those are waited for when the process ends.
            threading.Thread(target=self._work, args=(host, loop), daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(pending)
        except TimeoutError:
            return None

    def _work(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        found: list[str] | None = None
        try:
            found = self._look_up(host)
        except socket.gaierror as error:
            found = [] if error.errno == socket.EAI_NONAME else None
        except (OSError, UnicodeError):
            found = None
        try:
            loop.call_soon_threadsafe(self._finish, host, found)
        except RuntimeError:  # the loop has ended meanwhile
            return

    def _finish(self, host: str, found: list[str] | None) -> None:
        pending = self._pending.pop(host)
        if not pending.done():
            pending.set_result(found)

    def _remember(self, host: str, until: float, addresses: list[str]) -> None:
        self._known.pop(host, None)
        self._known[host] = (until, addresses)
        if len(self._known) > MAX_NAMES:
            del self._known[next(iter(self._known))]
