"""A leg's two sockets: who may speak to them, and where answers go.

Until the source is known every RTP packet is received with its address and judged by `SourceLock`;
from the lock on the socket is connected, the kernel drops everybody else, and the leg is a route of
the loop. What strangers had put into the socket's queue before that is judged too. RTCP is taken
from the remote's IP alone and answered to where it came from.

A closed port at the far end (ECONNREFUSED) means nothing: it may open any moment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from pbx.media.ports import PortPair
from pbx.media.relay import MAX_PACKET
from pbx.media.rtp import HEADER_SIZE, read_header
from pbx.media.source import Address, LockState, SourceLock, Verdict, canonical_host
from pbx.media.tick import OnFailure, TickLoop

Send = Callable[[memoryview], object]
"""Sends one packet; raises OSError."""


class Listener(Protocol):
    """What a wire tells its leg."""

    def take_packet(self, size: int, now: float) -> None:
        """The remote's RTP is in the first `size` octets of the loop's buffer."""

    def take_report(self, datagram: bytes, now: float) -> bool:
        """The remote's IP sent this as RTCP; return whether it was valid."""

    def take_lock(self, remote: Address, ssrc: int, sequence: int, now: float) -> None:
        """The source is locked; the packet that did it follows."""


def nowhere(packet: memoryview) -> None:
    """Send to somebody whose address is not known."""


class Wire:
    """The sockets of one leg."""

    __slots__ = (
        "_learned_rtcp",
        "_listener",
        "_loop",
        "_pair",
        "_remote_rtcp",
        "_source",
        "send",
        "strangers",
    )

    def __init__(self, pair: PortPair, loop: TickLoop, listener: Listener) -> None:
        self.send: Send = nowhere
        """Sends one packet to the far end."""
        self.strangers = 0
        """Packets that came from elsewhere."""
        self._pair = pair
        self._loop = loop
        self._listener = listener
        self._source = SourceLock()
        self._remote_rtcp: Address | None = None
        self._learned_rtcp: Address | None = None
        loop.watch(pair.rtp.fileno(), self._read_rtp)
        loop.watch(pair.rtcp.fileno(), self._read_rtcp)

    @property
    def target(self) -> Address | None:
        """Return where RTP goes, None while that is not known."""
        return self._source.target

    @property
    def locked(self) -> bool:
        """Return whether the source is known and was heard lately."""
        return self._source.state is LockState.LOCKED

    def expect(
        self,
        remote: Address | None,
        remote_rtcp: Address | None,
        also_from: str | None,
        *,
        relearn: bool,
    ) -> None:
        """Take over what the description says about addresses."""
        if self._source.expect(remote, also_from, relearn=relearn):
            self._pair.disconnect()
            self._learned_rtcp = None
        self._remote_rtcp = remote_rtcp
        self._choose_send()

    def silent(self) -> None:
        """Hear the remote's other ports out again: nothing came for a while."""
        self._source.silent()
        self._pair.disconnect()
        self._choose_send()

    def route(
        self, rewrite: Callable[[bytearray, int, float], bool], send: Send, on_failure: OnFailure
    ) -> None:
        """Let packets from the locked source go through `rewrite` to `send`."""
        descriptor = self._pair.rtp.fileno()
        if self._pair.connected:
            self._loop.route(descriptor, (self._pair.rtp.recv_into, rewrite, send), on_failure)
        else:
            self._loop.unroute(descriptor)

    def send_report(self, datagram: bytes) -> bool:
        """Send RTCP; return false when there is nowhere to send it, or no way."""
        target = self._rtcp_target()
        if target is None:
            return False
        try:
            self._pair.rtcp.sendto(datagram, target)
        except OSError:
            return False
        return True

    def close(self) -> PortPair:
        """Leave the loop; return the sockets, still bound."""
        self._loop.forget(self._pair.rtp.fileno())
        self._loop.forget(self._pair.rtcp.fileno())
        return self._pair

    def _choose_send(self) -> None:
        target = self._source.target
        if target is None:
            self.send = nowhere
        elif self._pair.connected:
            self.send = self._pair.rtp.send
        else:
            send_to = self._pair.rtp.sendto
            self.send = lambda packet: send_to(packet, target)

    def _rtcp_target(self) -> Address | None:
        """Return where reports go: where they come from, else where the description says."""
        if self._source.target is None:
            return None
        host, port = self._source.target
        if self._learned_rtcp is not None and self._learned_rtcp[0] == host:
            return self._learned_rtcp
        described = self._remote_rtcp
        if described is not None and canonical_host(described[0]) == host:
            return host, described[1]
        return host, port + 1

    def _read_rtp(self, now: float) -> None:
        """Take one packet while the socket is not connected."""
        with suppress(OSError):  # nothing there after all, or the far end's port is closed
            size, source = self._pair.rtp.recvfrom_into(self._loop.buffer)
            self._judge(source[:2], size, now)

    def _judge(self, source: Address, size: int, now: float) -> None:
        buffer = self._loop.buffer
        if not HEADER_SIZE < size < MAX_PACKET or buffer[0] >> 6 != 2:
            self.strangers += 1
            return
        _, sequence, _, ssrc = read_header(buffer)
        verdict = self._source.offer(source, ssrc, sequence)
        if verdict is Verdict.IGNORED:
            self.strangers += 1
        elif verdict is Verdict.COUNTS:
            self._listener.take_packet(size, now)
        else:
            with suppress(OSError):  # no route just now: go on judging every packet
                self._pair.connect(source)
            self._choose_send()
            self._listener.take_lock(source, ssrc, sequence, now)
            self._listener.take_packet(size, now)
            self._empty_queue(now)

    def _empty_queue(self, now: float) -> None:
        """Judge what came before the kernel knew whom to drop."""
        with suppress(OSError):
            while self._pair.connected:
                size, source = self._pair.rtp.recvfrom_into(self._loop.buffer)
                self._judge(source[:2], size, now)

    def _read_rtcp(self, now: float) -> None:
        buffer = self._loop.buffer
        with suppress(OSError):
            size, source = self._pair.rtcp.recvfrom_into(buffer)
            if not self._source.allows_host(source[0]):
                self.strangers += 1
            elif self._listener.take_report(bytes(buffer[:size]), now):
                self._learned_rtcp = source[:2]
