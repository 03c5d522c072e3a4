"""The transport on loopback: datagrams and streams to the user agent and back, one timer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

from pbx.errors import MessageError, Refused
from pbx.sip import transport
from pbx.sip.datagram_transport import BATCH, DatagramSocket
from pbx.sip.flow import Address, Flow
from pbx.sip.message import Request, Response
from pbx.sip.resolve import LocalAddresses, NameResolver
from pbx.sip.transport import Listen, SipTransport
from pbx.sip.uri import Uri

T = TypeVar("T")

HOST = "127.0.0.1"
UDP = Listen("udp", HOST, 0)
TCP = Listen("tcp", HOST, 0)
OPTIONS = (
    b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
)


class Agent:
    """Stands in for the user agent: notes what it is told, sends what the test queues."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.outgoing: list[tuple[bytes, Flow]] = []
        self.timer: float | None = None
        self.echo = False
        self.defective = False
        self.changed = asyncio.Event()

    def _tell(self, what: str, about: Any) -> None:
        self.told.append((what, about))
        self.changed.set()

    def receive(self, datagram: bytes, flow: Flow, now: float) -> None:
        if self.defective:
            raise RuntimeError("a defect")
        self._tell("datagram", datagram)
        self._tell("from", flow)
        if self.echo:
            self.outgoing.append((datagram, flow))

    def receive_message(
        self, message: Request | Response | MessageError, flow: Flow, now: float
    ) -> None:
        self._tell("message", message)
        self._tell("from", flow)
        if self.echo:
            self.outgoing.append((b"SIP/2.0 200 OK\r\n\r\n", flow))

    def flow_opened(self, flow: Flow, now: float) -> None:
        self._tell("opened", flow)

    def flow_closed(self, flow: Flow, now: float) -> None:
        self._tell("closed", flow)

    def flow_failed(self, flow: Flow, now: float) -> None:
        self._tell("failed", flow)

    def advance(self, now: float) -> None:
        if self.timer is not None and now >= self.timer:
            self._tell("advanced", now - self.timer)
            self.timer = None
        else:
            self._tell("too early", now)

    def datagrams_to_send(self) -> list[tuple[bytes, Flow]]:
        outgoing, self.outgoing = self.outgoing, []
        return outgoing

    def next_timer(self) -> float | None:
        return self.timer

    def of(self, what: str) -> list[Any]:
        return [about for kind, about in self.told if kind == what]

    async def until(self, what: str, count: int = 1) -> list[Any]:
        while len(self.of(what)) < count:
            self.changed.clear()
            await self.changed.wait()
        return self.of(what)


class House:
    """A started transport with its agent; `remote()` makes datagram sockets that talk to it."""

    def __init__(self, *listen: Listen, **settings: Any) -> None:
        self.agent = Agent()
        self.events = 0
        self.behind: list[bool] = []
        self.taps: list[tuple[str, bytes, Flow]] = []
        self.banned: set[str] = set()
        self.addresses = LocalAddresses()
        self.transport = SipTransport(
            self.agent,
            listen=listen,
            addresses=self.addresses,
            on_events=self._on_events,
            dropped=lambda address, now: address in self.banned,
            tap=lambda direction, message, flow, now: self.taps.append((direction, message, flow)),
            **settings,
        )

    def address(self, transport: str = "udp") -> Address:
        return next((h, p) for kind, h, p in self.transport.listening if kind == transport)

    def _on_events(self) -> None:
        self.events += 1
        self.behind.append(self.transport.is_behind())


@contextlib.asynccontextmanager
async def serving(*listen: Listen, **settings: Any) -> AsyncIterator[House]:
    house = House(*(listen or (UDP,)), **settings)
    await house.transport.start()
    try:
        yield house
    finally:
        await house.transport.close()


@contextlib.contextmanager
def remote(host: str = HOST) -> Any:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.bind((host, 0))
        made.setblocking(False)
        yield made


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(8.0):
            return await work()

    return asyncio.run(bounded())


async def receive(sock: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(sock, 65535)


def test_a_datagram_comes_in_with_its_flow_and_the_answer_goes_back() -> None:
    async def work() -> None:
        async with serving() as house:
            house.agent.echo = True
            with remote() as phone:
                phone.sendto(b"hello", house.address())
                assert await receive(phone) == b"hello"
                flow = Flow("udp", house.address(), phone.getsockname())
            assert house.agent.of("from") == [flow]
            assert house.taps == [("in", b"hello", flow), ("out", b"hello", flow)]
            assert house.events == 1

    run(work)


@pytest.mark.parametrize(("wildcard", "loopback"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
def test_a_wildcard_socket_names_the_routed_address(wildcard: str, loopback: str) -> None:
    async def work() -> None:
        async with serving(Listen("udp", wildcard, 0)) as house:
            house.agent.echo = True
            port = house.address()[1]
            with remote(loopback) as phone:
                phone.sendto(b"hello", (loopback, port))
                assert await receive(phone) == b"hello"
            (flow,) = house.agent.of("from")
            assert flow.local == (loopback, port)
            assert house.transport.advertise(flow) == (loopback, port)

    run(work)


def test_both_families_share_one_port() -> None:
    async def work() -> None:
        async with serving(Listen("udp", "0.0.0.0", 0)) as first:
            port = first.address()[1]
            async with serving(Listen("udp", "::", port)) as second:
                assert second.address() == ("::", port)

    run(work)


def test_many_datagrams_are_taken_in_batches() -> None:
    async def work() -> None:
        async with serving() as house:
            with remote() as phone:
                for number in range(BATCH * 3 + 1):
                    phone.sendto(b"%05d" % number, house.address())
                await house.agent.until("datagram", BATCH * 3 + 1)
            assert house.events == 4
            assert house.transport.snapshot()["received"] == BATCH * 3 + 1

    run(work)


def test_a_socket_that_is_not_read_empty_for_long_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "BEHIND", 0.0)

    async def work() -> None:
        async with serving() as house:
            with remote() as phone:
                for _ in range(BATCH * 3 - 1):
                    phone.sendto(b"datagram", house.address())
                await house.agent.until("datagram", BATCH * 3 - 1)
            assert house.behind == [True, True, False]

    run(work)


def test_keep_alives_and_banned_sources_are_not_read() -> None:
    async def work() -> None:
        async with serving() as house:
            house.banned.add("127.0.0.66")
            with remote() as phone, remote("127.0.0.66") as scanner:
                for datagram in (b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"):
                    phone.sendto(datagram, house.address())
                scanner.sendto(b"REGISTER", house.address())
                phone.sendto(b"hello", house.address())
                assert await house.agent.until("datagram") == [b"hello"]
            assert [tapped[1] for tapped in house.taps] == [b"hello"]
            counts = house.transport.snapshot()
            assert counts["keep_alives"] == 4
            assert counts["dropped"] == 1

    run(work)


def test_a_defect_above_costs_one_message_and_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        async with serving() as house:
            with remote() as phone:
                house.agent.defective = True
                for _ in range(30):
                    phone.sendto(b"kaboom", house.address())
                while house.transport.defects < 30:
                    await asyncio.sleep(0)
                house.agent.defective = False
                phone.sendto(b"hello", house.address())
                assert await house.agent.until("datagram") == [b"hello"]

    with caplog.at_level(logging.CRITICAL, "pbx.sip.transport"):
        run(work)


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (("203.0.113.1", 0), 10),
        (("255.255.255.255", 5060), 10),
        ((HOST, 5060), 70_000),
        (("::1", 5060), 10),
    ],
)
def test_what_cannot_be_sent_fails_its_flow(target: Address, size: int) -> None:
    async def work() -> None:
        async with serving() as house:
            flow = Flow("udp", house.address(), target)
            house.agent.outgoing.append((b"x" * size, flow))
            house.transport.transmit()
            assert house.agent.of("failed") == [flow]
            assert house.events == 0
            await asyncio.sleep(0)
            assert house.events == 1
            assert house.transport.snapshot()["unsent"] == 1

    run(work)


def test_an_unknown_transport_fails_its_flow() -> None:
    async def work() -> None:
        async with serving() as house:
            flow = Flow("tls", house.address(), (HOST, 5061))
            house.agent.outgoing.append((OPTIONS, flow))
            house.transport.transmit()
            assert house.agent.of("failed") == [flow]

    run(work)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOBUFS, errno.EAGAIN])
def test_a_datagram_that_the_system_loses_is_not_the_remotes_fault(number: int) -> None:
    class Lossy:
        def sendto(self, *_: object) -> None:
            raise OSError(number, "lost")

    udp = DatagramSocket(HOST, 0, LocalAddresses())
    with udp.socket:
        udp.socket = Lossy()
        assert udp.send(b"hello", (HOST, 5060))
        assert udp.lost == 1
        udp = DatagramSocket(HOST, 0, LocalAddresses())
    udp.close()


def test_a_link_local_remote_is_answered_on_its_link() -> None:
    sent: list[Any] = []

    class Recorder:
        def sendto(self, datagram: bytes, target: Any) -> None:
            sent.append(target)

    udp = DatagramSocket("::1", 0, LocalAddresses())
    with udp.socket:
        flow = udp._new_flow(("fe80::5", 5060, 0, 3))
        udp.socket = Recorder()
        udp.send(b"hello", flow.remote)
    assert sent == [("fe80::5", 5060, 0, 3)]


def test_the_receive_buffer_is_enlarged() -> None:
    async def work() -> None:
        async with serving() as house:
            (size,) = house.transport.snapshot()["receive_buffers"]
            assert size > 100_000

    run(work)


def test_one_timer_follows_the_user_agent() -> None:
    async def work() -> None:
        async with serving() as house:
            loop = asyncio.get_running_loop()
            house.agent.timer = loop.time() + 60.0
            house.transport.transmit()
            house.agent.timer = loop.time() + 0.02
            house.transport.transmit()
            (late,) = await house.agent.until("advanced")
            assert 0.0 <= late < 0.5
            assert house.agent.of("too early") == []
            assert house.events == 1

    run(work)


def test_a_timer_that_moved_to_later_fires_once_for_nothing() -> None:
    async def work() -> None:
        async with serving() as house:
            loop = asyncio.get_running_loop()
            house.agent.timer = loop.time() + 0.01
            house.transport.transmit()
            house.agent.timer = loop.time() + 0.05
            house.transport.transmit()
            await house.agent.until("advanced")
            assert len(house.agent.of("too early")) == 1

    run(work)


def test_transmit_soon_is_merged() -> None:
    async def work() -> None:
        async with serving() as house:
            with remote() as phone:
                flow = Flow("udp", house.address(), phone.getsockname())
                for _ in range(3):
                    house.agent.outgoing.append((b"hello", flow))
                    house.transport.transmit_soon()
                assert await receive(phone) == b"hello"
            assert house.events == 1
            assert house.transport.snapshot()["sent"] == 3

    run(work)


def test_a_stream_message_is_answered_on_its_connection() -> None:
    async def work() -> None:
        async with serving(TCP) as house:
            house.agent.echo = True
            reader, writer = await asyncio.open_connection(*house.address("tcp"))
            writer.write(OPTIONS)
            assert await reader.readuntil(b"\r\n\r\n") == b"SIP/2.0 200 OK\r\n\r\n"
            (message,) = house.agent.of("message")
            assert isinstance(message, Request)
            flow = Flow("tcp", house.address("tcp"), writer.get_extra_info("sockname"))
            assert house.agent.of("opened") == [flow]
            assert house.taps[0] == ("in", bytes(message), flow)
            writer.close()
            await writer.wait_closed()
            assert await house.agent.until("closed") == [flow]

    run(work)


def test_a_malformed_stream_message_comes_as_its_error() -> None:
    async def work() -> None:
        async with serving(TCP) as house:
            _, writer = await asyncio.open_connection(*house.address("tcp"))
            writer.write(OPTIONS.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n"))
            (error,) = await house.agent.until("message")
            assert isinstance(error, MessageError)
            assert error.status == 505
            assert b"SIP/7.0" in house.taps[0][1] or b"OPTIONS" in house.taps[0][1]
            writer.close()
            await writer.wait_closed()

    run(work)


def test_a_request_by_tcp_opens_a_connection_or_fails_its_flow() -> None:
    closed: list[Flow] = []

    async def work() -> None:
        async with serving(TCP, closed=closed.append) as caller, serving(TCP) as callee:
            flow = Flow("tcp", caller.address("tcp"), callee.address("tcp"))
            caller.agent.outgoing.append((OPTIONS, flow))
            caller.transport.transmit()
            await callee.agent.until("message")
            assert caller.agent.of("opened") == [flow]
            await callee.transport.close()
            assert await caller.agent.until("closed") == [flow]
            assert closed == [flow]
            caller.agent.outgoing.append((OPTIONS, flow))
            caller.transport.transmit()
            assert await caller.agent.until("failed") == [flow]

    run(work)


def test_a_taken_port_is_refused_in_one_sentence_and_nothing_stays_open() -> None:
    async def work() -> None:
        async with serving() as house:
            taken = Listen("udp", *house.address())
            other = House(TCP, taken)
            with pytest.raises(Refused, match=r"cannot listen on udp://127\.0\.0\.1:\d+: Addr"):
                await other.transport.start()
            assert other.transport.listening == []

    run(work)


@pytest.mark.parametrize("listen", [Listen("tls", HOST, 0), Listen("udp", "no.address", 0)])
def test_what_cannot_be_listened_on_is_refused(listen: Listen) -> None:
    async def work() -> None:
        with pytest.raises(Refused, match="cannot listen on"):
            await House(listen).transport.start()

    run(work)


def test_close_sends_what_is_queued_and_is_silent_afterwards() -> None:
    async def work() -> None:
        async with serving(UDP, TCP) as house:
            with remote() as phone:
                flow = Flow("udp", house.address(), phone.getsockname())
                house.agent.outgoing.append((b"bye", flow))
                await house.transport.close()
                assert await receive(phone) == b"bye"
                house.transport.transmit_soon()
                await asyncio.sleep(0)
            assert house.events == 0
            await house.transport.close()

    run(work)


def test_a_uri_leads_to_a_flow_at_once_or_after_a_look_up() -> None:
    async def work() -> None:
        names = NameResolver(lambda host: ["127.0.0.9", "::1", "127.0.0.8"])
        async with serving(UDP, names=names) as house:
            numeric = Uri.parse("sip:101@127.0.0.9:5080")
            named = Uri.parse("sip:101@phone.example:5080")
            assert house.transport.flows_for(named) is None
            first = Flow("udp", house.address(), ("127.0.0.9", 5080))
            assert house.transport.flows_for(numeric) == [first]
            assert await house.transport.resolve(numeric) == [first]
            second = first._replace(remote=("127.0.0.8", 5080))
            assert await house.transport.resolve(named) == [first, second]
            assert house.transport.flows_for(Uri.parse("tel:101")) == []

    run(work)
