"""The one place where SIP meets sockets, the clock and the event loop. [io]

Everything the user agent decides goes through here and nothing is decided here: datagrams and
stream messages go in with their flow, then its events are handed out, then what it wants sent is
sent, then one timer is set for its next deadline. What a banned source sends is dropped unread.

    datagram_transport  one UDP socket: batches, buffers, which send errors mean what
    stream_transport    TCP and TLS connections: reuse, opening, limits, keep-alive
    tls                 certificates, and what is spoken under them
    resolve             which of our addresses a remote sees, and the addresses of names

No message and no send error may raise out of here. Should the layers above fail, that is a defect:
it is logged and counted in `defects`, and the next message is taken as if nothing had been.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, Protocol

from pbx.errors import MessageError, Refused
from pbx.sip.datagram_transport import DatagramSocket
from pbx.sip.flow import Address, Flow, host_port
from pbx.sip.message import Message, Request, Response
from pbx.sip.resolve import LocalAddresses, NameResolver, numeric_family
from pbx.sip.stream_transport import StreamLimits, StreamTransport
from pbx.sip.tls import Tls
from pbx.sip.uri import Uri
from pbx.sip.user_agent import UserAgent

__all__ = ["Listen", "LocalAddresses", "NameResolver", "SipTransport", "StreamLimits", "Tap"]

log = logging.getLogger(__name__)

SWEEP_INTERVAL = 5.0
"""Seconds between two looks at the connections' limits."""

TIMER_SLACK = 0.02
"""Seconds that a deadline is missed on purpose, so that one wake-up serves those of many calls: at
100 calls/s there are 0.7 a call instead of 2.7."""

FORGET_ROUTES = 60.0
"""Seconds for which the kernel's routes are trusted without asking again."""

BEHIND = 0.4
"""Seconds without an empty socket after which new work should be refused."""

CLOSE_GRACE = 1.0
"""Seconds that the last messages have to leave when we close."""

LOGGED_DEFECTS = 20
"""Tracebacks that are logged; further ones are counted only."""

Tap = Callable[[Literal["in", "out"], bytes, Flow, float], None]
"""Sees every message with its flow and the loop's time. A stream's are written anew for it."""


class ListenAddress(Protocol):
    """Where to listen: `transport` is "udp", "tcp" or "tls", `host` a numeric address, port 0
    any."""

    @property
    def transport(self) -> str:
        """Return "udp", "tcp" or "tls"."""

    @property
    def host(self) -> str:
        """Return an IP address; that of all interfaces is 0.0.0.0 or ::."""

    @property
    def port(self) -> int:
        """Return the port; 0 lets the kernel choose."""


class Listen(NamedTuple):
    """A `ListenAddress`."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}://{host_port(self.host, self.port)}"


class SipTransport:
    """Drives a `UserAgent` over UDP, TCP and TLS, IPv4 and IPv6."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        listen: Iterable[ListenAddress],
        addresses: LocalAddresses,
        on_events: Callable[[], None],
        dropped: Callable[[str, float], bool] = lambda address, now: False,
        tap: Tap = lambda direction, message, flow, now: None,
        bound: Callable[[Flow], bool] = lambda flow: False,
        closed: Callable[[Flow], None] = lambda flow: None,
        names: NameResolver | None = None,
        limits: StreamLimits | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        `addresses` is what `ua` was given `advertise` of; it learns here where we listen.
        `on_events` takes the user agent's events and acts on them, without awaiting. `dropped` is
        asked with the source address before anything of it is read. `bound` tells whether a phone
        is registered over a flow, `closed` hears of connections that are gone. `tls` is needed to
        listen on TLS, and TLS is spoken with nobody unless somebody can speak it with us.
        """
        self._ua = ua
        self._listen = tuple(listen)
        self._on_events = on_events
        self._dropped = dropped
        self._tap = tap
        self._bound = bound
        self._closed = closed
        self._addresses = addresses
        self._names = names or NameResolver()
        self._limits = limits or StreamLimits()
        self._tls = tls
        self._streams: StreamTransport | None = None
        self._sockets: list[DatagramSocket] = []
        self._senders: dict[Address, DatagramSocket | None] = {}  # by our side of the flow
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._sweeper: asyncio.TimerHandle | None = None
        self._routes_at = 0.0
        self._scheduled = False
        self._running = False
        self._behind: dict[DatagramSocket, float] = {}  # since when each was not read empty
        self.dropped = self.unsent = self.defects = 0

    # Life.

    async def start(self) -> None:
        """Open all sockets; raise `Refused` naming the one that cannot be had, and open none."""
        self._loop = asyncio.get_running_loop()
        self._streams = StreamTransport(self, self._addresses, self._limits, tls=self._tls)
        self._running = True
        try:
            for listen in self._listen:
                await self._open(listen, self._streams)
        except Refused:
            await self.close()
            raise
        for udp in self._sockets:
            self._loop.add_reader(udp.socket, self._readable, udp)
        self._routes_at = self._loop.time()
        self._sweep()

    def reload_certificates(self) -> None:
        """Read the certificates anew for connections from now on; those that are open stay.

        Raises Refused where they are of no use; the old ones then stay too.
        """
        if self._tls is not None:
            self._tls.reload()

    async def close(self) -> None:
        """Send what is queued and close everything; afterwards nothing is called any more."""
        if self._streams is None:
            return
        self.transmit()
        self._running = False
        for timer in (self._timer, self._sweeper):
            if timer is not None:
                timer.cancel()
        for udp in self._sockets:
            self._loop.remove_reader(udp.socket)
            udp.close()
        self._sockets.clear()
        self._behind.clear()
        self._senders.clear()
        self._addresses.listening.clear()
        await self._streams.close(CLOSE_GRACE)
        self._streams = None

    @property
    def listening(self) -> list[Listen]:
        """Return where we listen, with the ports that the kernel chose."""
        return [Listen(transport, *own) for transport, own in self._addresses.listening]

    # Where things go.

    def flows_for(self, uri: Uri) -> list[Flow] | None:
        """Return the flow to a URI with a numeric host; None when its name must be resolved.

        [] where it cannot be reached from here: a transport or address family we do not have.
        """
        if not uri.is_sip or numeric_family(uri.host):
            return self._addresses.flows(uri, [uri.host])
        return None

    async def resolve(self, uri: Uri) -> list[Flow]:
        """Return the flows to a URI in the order to try them; [] after 5 s without an answer."""
        flows = self.flows_for(uri)
        if flows is None:
            flows = self._addresses.flows(uri, await self._names.addresses(uri.host))
            for flow in flows:
                if flow.transport == "tls" and self._streams is not None:
                    self._streams.expect_name(flow.remote, uri.host)
        return flows

    def advertise(self, flow: Flow) -> Address:
        """Return the host and port that Via, Contact and SDP show to the remote of `flow`."""
        return self._addresses.advertise(flow)

    # The drive: events out, messages out, one timer.

    def is_behind(self) -> bool:
        """Tell whether datagrams come faster than they are taken, for `BEHIND` seconds by now.

        What waits in the kernel makes no loop late; remotes repeat it, and there is ever more.
        """
        now = self._loop.time()
        return any(now - since > BEHIND for since in self._behind.values())

    def transmit(self) -> None:
        """Send what the user agent has queued and set the timer for its next deadline."""
        now = self._loop.time()
        failed = []
        for message, flow in self._ua.datagrams_to_send():
            self._fenced(self._tap, "out", message, flow, now)
            if not self._send(message, flow):
                failed.append(flow)
        for flow in failed:
            self.unsent += 1
            self._fenced(self._ua.flow_failed, flow, now)
        if failed:
            self._deliver_soon()
        self._arm()

    def transmit_soon(self) -> None:
        """Hand out events and transmit once the current work is done; calls are merged."""
        self._deliver_soon()

    def snapshot(self) -> dict[str, object]:
        """Return counts, and the sockets with the bytes that each can hold."""
        return {
            "listening": [str(listen) for listen in self.listening],
            "receive_buffers": [udp.receive_buffer for udp in self._sockets],
            "received": sum(udp.received for udp in self._sockets),
            "sent": sum(udp.sent for udp in self._sockets),
            "keep_alives": sum(udp.keep_alives for udp in self._sockets),
            "lost": sum(udp.lost for udp in self._sockets),
            "unsent": self.unsent,
            "dropped": self.dropped,
            "defects": self.defects,
            "streams": self._streams.snapshot() if self._streams is not None else {},
        }

    # What the connections tell (`stream_transport.StreamOwner`).

    def stream_message(self, message: Request | Response | MessageError, flow: Flow) -> None:
        """Pass a message of a stream on."""
        now = self._loop.time()
        seen = message.partial if isinstance(message, MessageError) else message
        if isinstance(seen, Message):
            self._fenced(self._tap, "in", bytes(seen), flow, now)
        self._fenced(self._ua.receive_message, message, flow, now)

    def stream_opened(self, flow: Flow) -> None:
        """Tell the user agent that a connection is open."""
        self._fenced(self._ua.flow_opened, flow, self._loop.time())
        self._deliver_soon()

    def stream_closed(self, flow: Flow) -> None:
        """Tell the user agent and the bindings that a connection is gone."""
        self._fenced(self._ua.flow_closed, flow, self._loop.time())
        self._fenced(self._closed, flow)
        self._deliver_soon()

    def stream_failed(self, flow: Flow) -> None:
        """Tell the user agent that a connection could not be opened."""
        self._fenced(self._ua.flow_failed, flow, self._loop.time())
        self._deliver_soon()

    def stream_settled(self) -> None:
        """Act on the messages that were passed on."""
        self._deliver()

    def is_dropped(self, address: str) -> bool:
        """Tell whether a source is banned, and count it."""
        banned = self._dropped(address, self._loop.time())
        self.dropped += banned
        return banned

    def is_bound(self, flow: Flow) -> bool:
        """Tell whether a phone is registered over this flow."""
        return self._bound(flow)

    # Inside.

    async def _open(self, listen: ListenAddress, streams: StreamTransport) -> None:
        if listen.transport not in ("udp", "tcp", "tls"):
            raise Refused(f"cannot listen on {listen}: {listen.transport} is not in this version")
        if listen.transport == "tls" and self._tls is None:
            raise Refused(f"cannot listen on {listen}: TLS needs sip: certificate and key")
        try:
            if listen.transport == "udp":
                udp = DatagramSocket(listen.host, listen.port, self._addresses)
                self._sockets.append(udp)
                own = udp.address
            else:
                own = await streams.listen(listen.host, listen.port, kind=listen.transport)
        except OSError as error:
            raise Refused(f"cannot listen on {listen}: {error.strerror or error}") from error
        self._addresses.listen(listen.transport, own)

    def _readable(self, udp: DatagramSocket) -> None:
        now = self._loop.time()
        receive, tap, dropped = self._ua.receive, self._tap, self._dropped
        for datagram, flow in udp.drain():
            if dropped(flow.remote[0], now):
                self.dropped += 1
                continue
            self._fenced(tap, "in", datagram, flow, now)
            self._fenced(receive, datagram, flow, now)
        if udp.drained:
            self._behind.pop(udp, None)
        else:
            self._behind.setdefault(udp, now)
        self._deliver()

    def _deliver_soon(self) -> None:
        if not self._scheduled and self._running:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._running:
            self._scheduled = True  # Whatever asks for it meanwhile is served right below.
            self._fenced(self._on_events)
            self._scheduled = False
            self.transmit()

    def _arm(self) -> None:
        deadline = self._ua.next_timer()
        if deadline is None or not self._running:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return  # it fires too early, and is then set anew
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_at(deadline + TIMER_SLACK, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._fenced(self._ua.advance, self._loop.time())
        self._deliver()

    def _sweep(self) -> None:
        now = self._loop.time()
        if now - self._routes_at >= FORGET_ROUTES:
            self._routes_at = now
            self._addresses.forget()
            for udp in self._sockets:
                udp.forget()
        if self._streams is not None:
            self._streams.sweep()
        self._sweeper = self._loop.call_later(SWEEP_INTERVAL, self._sweep)

    def _send(self, message: bytes, flow: Flow) -> bool:
        if flow.transport == "udp":
            try:
                udp = self._senders[flow.local]
            except KeyError:
                udp = self._senders[flow.local] = self._sender_for(flow)
            return udp is not None and udp.send(message, flow.remote)
        if flow.transport in ("tcp", "tls") and self._streams is not None:
            return self._streams.send(message, flow)
        return False

    def _sender_for(self, flow: Flow) -> DatagramSocket | None:
        family = numeric_family(flow.remote[0])
        suited = [udp for udp in self._sockets if udp.family == family]
        suited.sort(
            key=lambda udp: (
                udp.address != flow.local,
                udp.address[1] != flow.local[1],
                not udp.wildcard,
            )
        )
        return suited[0] if suited else None

    def _fenced(self, call: Callable[..., object], *args: object) -> None:
        """Call a layer above; what it raises is its defect, and the misfortune of one message."""
        try:
            call(*args)
        except Exception:
            self.defects += 1
            if self.defects <= LOGGED_DEFECTS:
                log.exception("%s failed", getattr(call, "__qualname__", call))
