"""An in-memory network on the virtual clock that joins user agents by their addresses.

Every datagram takes `delay` seconds; `loses` decides which ones never arrive. The same network
carries streams: a flow whose transport is tcp opens when something is first sent on it, fails when
nobody listens there, and closes by `cut`. Everything that passed is kept, so that a failing test
prints its ladder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pbx.errors import MessageError
from pbx.sip.flow import Address, Flow, host_port
from pbx.sip.message import Request, parse_message
from pbx.sip.user_agent import UserAgent

Loses = Callable[[bytes, Flow], bool]


@dataclass(frozen=True, slots=True)
class Carried:
    """One datagram that was sent, whether or not it arrived."""

    at: float
    octets: bytes
    flow: Flow
    lost: bool

    def __str__(self) -> str:
        line = self.octets.partition(b"\r\n")[0].decode("latin-1")
        arrow = "--x" if self.lost else "-->"
        source, target = host_port(*self.flow.local), host_port(*self.flow.remote)
        return f"{self.at:9.3f}  {source:>16} {arrow} {target:<16} {line}"


class Network:
    """Joins nodes; `delay` is one way, in seconds."""

    def __init__(self, *, delay: float = 0.001) -> None:
        self.delay = delay
        self.loses: Loses = lambda octets, flow: False
        self.carried: list[Carried] = []
        self._nodes: dict[Address, Node] = {}

    def join(self, node: Node) -> None:
        """Let `node` be reached at its address."""
        self._nodes[node.address] = node

    def carry(self, octets: bytes, flow: Flow) -> None:
        """Take a datagram from the sender of `flow` and deliver it, or lose it."""
        loop = asyncio.get_running_loop()
        lost = self.loses(octets, flow)
        self.carried.append(Carried(loop.time(), octets, flow, lost))
        target = self._nodes.get(flow.remote)
        if target is None or (flow.reliable and not target.takes(reverse(flow))):
            if flow.reliable:
                loop.call_soon(self._nodes[flow.local].refused, flow)
        elif not lost:
            loop.call_later(self.delay, target.arrived, octets, reverse(flow))

    def cut(self, one: Address, other: Address) -> None:
        """Close the connection between two nodes."""
        flow = Flow("tcp", one, other)
        self._nodes[one].closed(flow)
        self._nodes[other].closed(reverse(flow))

    def ladder(self) -> str:
        """Return everything that was carried, a line each."""
        return "\n".join(map(str, self.carried))


class Node:
    """One user agent on the network, driven by the running loop."""

    def __init__(
        self, network: Network, address: Address, ua: UserAgent, pump: Callable[[], None]
    ) -> None:
        self.network = network
        self.address = address
        self.ua = ua
        self.listens = True
        """Whether others may open connections to it."""
        self.on_closed: Callable[[Flow], object] = lambda flow: None
        self._pump = pump
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False
        self._open: set[Flow] = set()
        network.join(self)

    def flow_to(self, remote: Address, transport: str = "udp") -> Flow:
        """Return the flow from here to `remote`."""
        return Flow(transport, self.address, remote)

    def arrived(self, octets: bytes, flow: Flow) -> None:
        """Take what the network delivers."""
        now = asyncio.get_running_loop().time()
        if flow.reliable:
            self._opened(flow)
            try:
                self.ua.receive_message(parse_message(octets), flow, now)
            except MessageError as error:
                self.ua.receive_message(error, flow, now)
        else:
            self.ua.receive(octets, flow, now)
        self._pump()
        self.transmit()

    def takes(self, flow: Flow) -> bool:
        """Tell whether something may come on that stream."""
        return self.listens or flow in self._open

    def refused(self, flow: Flow) -> None:
        """Nobody listens where a stream was to be opened."""
        self._open.discard(flow)
        self.ua.flow_failed(flow, asyncio.get_running_loop().time())
        self._pump()
        self.transmit()

    def closed(self, flow: Flow) -> None:
        """A connection is gone."""
        self._open.discard(flow)
        self.ua.flow_closed(flow, asyncio.get_running_loop().time())
        self.on_closed(flow)
        self._pump()
        self.transmit()

    def transmit(self) -> None:
        """Send what the user agent has and wake again when its next timer is due."""
        self._soon = False
        for octets, flow in self.ua.datagrams_to_send():
            if flow.reliable:
                self._opened(flow)
            self.network.carry(octets, flow)
        due = self.ua.next_timer()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._wake)

    def transmit_soon(self) -> None:
        """Send once the current work is done."""
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self.transmit)

    def close(self) -> None:
        """Leave the network."""
        if self._timer is not None:
            self._timer.cancel()

    def _opened(self, flow: Flow) -> None:
        if flow not in self._open:
            self._open.add(flow)
            self.ua.flow_opened(flow, asyncio.get_running_loop().time())

    def _wake(self) -> None:
        self.ua.advance(asyncio.get_running_loop().time())
        self._pump()
        self.transmit()


def reverse(flow: Flow) -> Flow:
    """Return the same way seen from the other end."""
    return Flow(flow.transport, flow.remote, flow.local)


def method_or_status(octets: bytes) -> str:
    """Return `INVITE`, `200 INVITE` …: what a ladder says of a message."""
    message = parse_message(octets)
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.cseq.method}"
