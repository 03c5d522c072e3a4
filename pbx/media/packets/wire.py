"""A leg's two sockets: who may speak to them, and where answers go.

Until the source is known every RTP packet is received with its address and judged by `SourceLock`;
from the lock on the socket is connected, the kernel drops everybody else, and the leg is a route of
the loop. What strangers had put into the socket's queue before that is judged too. RTCP is taken
from the remote's IP alone and answered to where it came from.

Where the description agreed on keys, all of it is SRTP on the wire and plain RTP to the leg: what
came is opened before anybody judges it, so that the source is never learned from a packet with a
wrong tag, and what is sent is sealed last.

A closed port at the far end (ECONNREFUSED) means nothing: it may open any moment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from pbx.media.mixing.tick import OnFailure, TickLoop
from pbx.media.packets.ports import PortPair
from pbx.media.packets.relay import MAX_PACKET
from pbx.media.packets.rtp import HEADER_SIZE, read_header
from pbx.media.packets.source import (
    Address,
    LockState,
    SourceLock,
    SourceState,
    Verdict,
    canonical_host,
)
from pbx.media.packets.srtp import Sealer, Srtp, SrtpState
from pbx.media.protocol import SrtpKeys
from pbx.media.terms import Count

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


class WireState(msgspec.Struct, frozen=True, array_like=True):
    """All that one `Wire` knows, for another on the same sockets to go on with."""

    source: SourceState
    connected: bool
    remote_rtcp: Address | None
    learned_rtcp: Address | None
    strangers: Count
    srtp: SrtpState | None


class Wire:
    """The sockets of one leg."""

    __slots__ = (
        "_learned_rtcp",
        "_listener",
        "_loop",
        "_pair",
        "_remote_rtcp",
        "_source",
        "_srtp",
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
        self._srtp: Srtp | None = None
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

    def secure(self, keys: SrtpKeys | None) -> None:
        """Speak SRTP with these keys from now on, or plain RTP; call `route` afterwards.

        A direction whose key stays the same goes on as it is.
        """
        if keys is None:
            self._srtp = None
        elif self._srtp is None:
            self._srtp = Srtp(keys)
        else:
            self._srtp.change(keys)
        self._choose_send()

    @property
    def state(self) -> WireState:
        """Return what `resume` needs where the leg goes on."""
        return WireState(
            source=self._source.memory(),
            connected=self._pair.connected,
            remote_rtcp=self._remote_rtcp,
            learned_rtcp=self._learned_rtcp,
            strangers=self.strangers,
            srtp=self._srtp.state if self._srtp is not None else None,
        )

    def resume(self, state: WireState) -> None:
        """Go on where the wire was that the leg had before; call `route` afterwards."""
        self._source.remember(state.source)
        self._pair.connected = state.connected
        self._remote_rtcp = state.remote_rtcp
        self._learned_rtcp = state.learned_rtcp
        self.strangers = state.strangers
        self._srtp = Srtp.resume(state.srtp) if state.srtp is not None else None
        self._choose_send()

    def silent(self) -> None:
        """Hear the remote's other ports out again: nothing came for a while."""
        self._source.silent()
        self._pair.disconnect()
        self._choose_send()

    def route(
        self,
        rewrite: Callable[[bytearray, int, float], bool],
        send: Send,
        on_failure: OnFailure,
        *,
        hurry: bool = True,
    ) -> None:
        """Let packets from the locked source go through `rewrite` to `send`.

        Without `hurry` they may wait for the next tick.
        """
        descriptor = self._pair.rtp.fileno()
        if self._pair.connected:
            receive = self._pair.rtp.recv_into if self._srtp is None else self._receive_opened
            self._loop.route(descriptor, (receive, rewrite, send), on_failure, hurry=hurry)
        else:
            self._loop.unroute(descriptor)

    def send_report(self, datagram: bytes) -> bool:
        """Send RTCP; return false when there is nowhere to send it, or no way."""
        target = self._rtcp_target()
        if target is None:
            return False
        try:
            if self._srtp is not None:
                datagram = self._srtp.sealer.seal_report(datagram)
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
            return
        send = self._pair.rtp.send if self._pair.connected else self._send_to(target)
        self.send = send if self._srtp is None else _sealing(self._srtp.sealer, send)

    def _send_to(self, target: Address) -> Callable[[memoryview | bytes], object]:
        send_to = self._pair.rtp.sendto
        return lambda packet: send_to(packet, target)

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
        if self._srtp is not None:
            size = self._open(size) if self._source.allows_host(source[0]) else 0
            if size <= HEADER_SIZE:
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

    def _receive_opened(self, buffer: bytearray) -> int:
        """Receive SRTP from the locked source as RTP; return its octets, 0 where it is dropped."""
        return self._open(self._pair.rtp.recv_into(buffer))

    def _open(self, size: int) -> int:
        """Make RTP of the SRTP in the buffer; return its octets, 0 where it is dropped."""
        assert self._srtp is not None
        packet = self._srtp.opener.open(self._loop.views[size])
        if packet is None:
            return 0
        size = len(packet)
        self._loop.buffer[:size] = packet
        return size

    def _read_rtcp(self, now: float) -> None:
        buffer = self._loop.buffer
        with suppress(OSError):
            size, source = self._pair.rtcp.recvfrom_into(buffer)
            report: bytes | None = None
            if self._source.allows_host(source[0]):
                report = bytes(buffer[:size])
                if self._srtp is not None:
                    report = self._srtp.opener.open_report(report)
            if report is None:
                self.strangers += 1
            elif self._listener.take_report(report, now):
                self._learned_rtcp = source[:2]


def _sealing(sealer: Sealer, send: Callable[[memoryview | bytes], object]) -> Send:
    """Return a `Send` that seals first. What was sealed is tried again as it is, never anew."""

    def seal_and_send(packet: memoryview) -> None:
        sealed = sealer.seal(packet)
        try:
            send(sealed)
        except ConnectionRefusedError:  # that was about an earlier packet
            send(sealed)

    return seal_and_send
