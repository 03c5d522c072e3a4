"""TCP connections on loopback: reused, opened, limited, and never in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from pbx.errors import MessageError
from pbx.sip.flow import Address, Flow
from pbx.sip.message import Request, Response
from pbx.sip.resolve import LocalAddresses
from pbx.sip.stream_transport import StreamLimits, StreamTransport

T = TypeVar("T")

HOST = "127.0.0.1"
LIMITS = StreamLimits(connect=0.5)
OPTIONS = (
    b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
)
OK = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
    b"To: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


class Owner:
    """Notes what it is told; `answer` is written back to each message."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.banned: set[str] = set()
        self.bound: set[Address] = set()
        self.answer: bytes | None = None
        self.streams: StreamTransport
        self._remotes: list[asyncio.StreamWriter] = []
        self._changed = asyncio.Event()

    def _tell(self, what: str, about: object) -> None:
        self.told.append((what, about))
        self._changed.set()

    def stream_message(self, message: Request | Response | MessageError, flow: Flow) -> None:
        if isinstance(message, MessageError):
            self._tell("error", message.slug)
        else:
            self._tell("message", message.start_line)
        if self.answer is not None:
            self.streams.send(self.answer, flow)

    def stream_opened(self, flow: Flow) -> None:
        self._tell("opened", flow)

    def stream_closed(self, flow: Flow) -> None:
        self._tell("closed", flow)

    def stream_failed(self, flow: Flow) -> None:
        self._tell("failed", flow)

    def stream_settled(self) -> None:
        self._tell("settled", None)

    def is_dropped(self, address: str) -> bool:
        return address in self.banned

    def is_bound(self, flow: Flow) -> bool:
        return flow.remote in self.bound

    def of(self, what: str) -> list[object]:
        return [about for kind, about in self.told if kind == what]

    async def connect(self, address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*address)
        self._remotes.append(writer)
        return reader, writer

    async def disconnect(self) -> None:
        for writer in self._remotes:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def until(self, what: str, count: int = 1) -> list[object]:
        while len(self.of(what)) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.of(what)


@contextlib.asynccontextmanager
async def listening(limits: StreamLimits = LIMITS) -> AsyncIterator[tuple[Owner, Address]]:
    owner = Owner()
    owner.streams = streams = StreamTransport(owner, LocalAddresses(), limits)
    address = await streams.listen(HOST, 0)
    try:
        yield owner, address
    finally:
        await owner.disconnect()
        await streams.close(0.2)


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(8.0):
            return await work()

    return asyncio.run(bounded())


class Later:
    """The loop's clock, turned forward by hand."""

    def __init__(self, streams: StreamTransport) -> None:
        self.ahead = 0.0
        real = streams.now
        streams.now = lambda: real() + self.ahead


def outward(owner: Owner, remote: Address) -> Flow:
    return Flow("tcp", (HOST, 5060), remote)


def test_messages_come_in_however_they_are_cut_and_answers_go_back() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            owner.answer = OK
            reader, writer = await owner.connect(address)
            (flow,) = await owner.until("opened")
            assert isinstance(flow, Flow)
            assert flow.local == address
            assert flow.remote == writer.get_extra_info("sockname")
            for byte in OPTIONS:
                writer.write(bytes([byte]))
                await writer.drain()
            writer.write(OPTIONS + OPTIONS)
            assert await reader.readexactly(3 * len(OK)) == 3 * OK
            assert owner.of("message") == ["OPTIONS sip:h SIP/2.0"] * 3
            writer.close()
            assert await owner.until("closed") == [flow]
            assert owner.streams.snapshot()["connections"] == 0

    run(work)


def test_a_double_crlf_gets_a_single_one() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            reader, writer = await owner.connect(address)
            writer.write(b"\r\n\r\n" + OPTIONS)
            assert await reader.readexactly(2) == b"\r\n"
            await owner.until("message")
            assert owner.streams.keep_alives == 1

    run(work)


def test_a_broken_stream_is_answered_and_closed() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            owner.answer = OK
            reader, writer = await owner.connect(address)
            writer.write(OPTIONS.replace(b"Length: 0", b"Length: -9") + OPTIONS)
            assert await reader.read() == OK
            assert len(owner.of("error")) == 1
            assert owner.of("message") == []

    run(work)


def test_an_unfinished_message_is_answered_when_the_remote_ends() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            owner.answer = OK
            reader, writer = await owner.connect(address)
            writer.write(OPTIONS.replace(b"Length: 0", b"Length: 99"))
            writer.write_eof()
            assert await reader.read() == OK
            assert owner.of("error") == ["truncated_body"]

    run(work)


def test_a_request_opens_a_connection_and_later_ones_share_it() -> None:
    async def work() -> None:
        async with listening() as (caller, _), listening() as (callee, address):
            flow = outward(caller, address)
            for _ in range(3):
                assert caller.streams.send(OPTIONS, flow)
            assert await caller.until("opened") == [flow]
            assert caller.streams.send(OPTIONS, replace_local(flow))
            await callee.until("message", 4)
            (incoming,) = callee.of("opened")
            assert isinstance(incoming, Flow)
            assert callee.streams.send(OK, incoming)
            assert await caller.until("message") == ["SIP/2.0 200 OK"]
            assert caller.streams.snapshot()["connections"] == 1
            assert caller.streams.snapshot()["opening"] == 0

    run(work)


def replace_local(flow: Flow) -> Flow:
    return flow._replace(local=(HOST, 5999))


def test_a_response_never_opens_a_connection() -> None:
    async def work() -> None:
        async with listening() as (caller, _), listening() as (callee, address):
            assert not caller.streams.send(OK, outward(caller, address))
            assert callee.told == []

    run(work)


def test_nothing_is_opened_while_we_do_not_listen() -> None:
    async def work() -> None:
        async with listening() as (_, address):
            owner = Owner()
            streams = StreamTransport(owner, LocalAddresses(), LIMITS)
            assert not streams.send(OPTIONS, outward(owner, address))
            await streams.close(0.1)

    run(work)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_a_refused_connection_fails_its_flow_once() -> None:
    async def work() -> None:
        async with listening() as (owner, _):
            flow = outward(owner, (HOST, free_port()))
            assert owner.streams.send(OPTIONS, flow)
            assert owner.streams.send(OPTIONS, flow)
            assert await owner.until("failed") == [flow]
            assert owner.streams.snapshot()["opening"] == 0

    run(work)


def test_a_remote_that_does_not_answer_fails_in_time() -> None:
    async def work() -> None:
        with socket.socket() as silent:
            silent.bind((HOST, 0))
            silent.listen(0)
            full = []
            for _ in range(2):  # the kernel accepts backlog + 1, then ignores
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(silent.getsockname())
                full.append(one)
            async with listening(replace(LIMITS, connect=0.1)) as (owner, _):
                flow = outward(owner, silent.getsockname())
                assert owner.streams.send(OPTIONS, flow)
                assert await owner.until("failed") == [flow]
            for one in full:
                one.close()

    run(work)


def test_what_waits_for_a_connection_is_bounded() -> None:
    async def work() -> None:
        limits = replace(LIMITS, waiting=3 * len(OPTIONS), opening=1)
        async with listening(limits) as (owner, _):
            flow = outward(owner, (HOST, free_port()))
            sent = [owner.streams.send(OPTIONS, flow) for _ in range(5)]
            assert sent == [True, True, True, False, False]
            assert not owner.streams.send(OPTIONS, outward(owner, (HOST, 1)))
            await owner.until("failed")

    run(work)


def test_a_remote_that_takes_no_bytes_is_cut_off() -> None:
    async def work() -> None:
        async with listening(replace(LIMITS, unsent=100_000)) as (owner, address):
            with socket.socket() as lazy:
                lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                lazy.connect(address)
                (flow,) = await owner.until("opened")
                assert isinstance(flow, Flow)
                for _ in range(200):
                    owner.streams.send(b"x" * 60_000, flow)
                assert await owner.until("closed") == [flow]

    run(work)


def test_a_stalled_remote_is_cut_off_in_time() -> None:
    async def work() -> None:
        async with listening(replace(LIMITS, unsent=40_000_000)) as (owner, address):
            later = Later(owner.streams)
            with socket.socket() as lazy:
                lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                lazy.connect(address)
                (flow,) = await owner.until("opened")
                assert isinstance(flow, Flow)
                for _ in range(300):
                    owner.streams.send(b"x" * 60_000, flow)
                owner.streams.sweep()
                assert owner.streams.snapshot()["connections"] == 1
                later.ahead = LIMITS.stalled + 1.0
                owner.streams.sweep()
                assert await owner.until("closed") == [flow]

    run(work)


@pytest.mark.parametrize("sent", [b"", b"OPT", OPTIONS + b"OPT", OPTIONS[:-1]])
def test_a_message_that_never_ends_closes_its_connection(sent: bytes) -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            later = Later(owner.streams)
            reader, writer = await owner.connect(address)
            writer.write(b"\r\n\r\n" * bool(sent) + sent)
            await owner.until("opened")
            if sent:
                assert await reader.readexactly(2) == b"\r\n"
            later.ahead = LIMITS.message - 1.0
            owner.streams.sweep()
            writer.write(sent[:0])
            assert owner.streams.snapshot()["connections"] == 1
            later.ahead = LIMITS.message + 1.0
            owner.streams.sweep()
            await owner.until("closed")
            assert await reader.read() == b""

    run(work)


def test_dripping_bytes_do_not_prolong_a_message() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            later = Later(owner.streams)
            _, writer = await owner.connect(address)
            await owner.until("opened")
            for byte in OPTIONS[:10]:
                later.ahead += 2.9
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            later.ahead += 2.9
            owner.streams.sweep()
            await owner.until("closed")

    run(work)


def test_a_silent_connection_is_closed_unless_a_phone_is_bound_to_it() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            later = Later(owner.streams)
            connections = [await owner.connect(address) for _ in range(2)]
            for _, writer in connections:
                writer.write(OPTIONS)
            await owner.until("message", 2)
            phone, stranger = (w.get_extra_info("sockname") for _, w in connections)
            owner.bound.add(phone)
            later.ahead = LIMITS.idle + 1.0
            owner.streams.sweep()
            (gone,) = await owner.until("closed")
            assert isinstance(gone, Flow)
            assert gone.remote == stranger

    run(work)


def test_a_banned_source_is_refused_and_cut_off() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            _, writer = await owner.connect(address)
            await owner.until("opened")
            owner.banned.add(HOST)
            writer.write(OPTIONS)
            await owner.until("closed")
            assert owner.of("message") == []
            again, _ = await owner.connect(address)
            assert await again.read() == b""
            assert len(owner.of("opened")) == 1
            assert owner.streams.refused == 1

    run(work)


def test_one_source_cannot_take_all_connections_but_its_phones_do_not_count() -> None:
    async def work() -> None:
        async with listening(replace(LIMITS, from_one_source=2)) as (owner, address):
            held = [await owner.connect(address) for _ in range(2)]
            await owner.until("opened", 2)
            refused, _ = await owner.connect(address)
            assert await refused.read() == b""
            owner.bound.add(held[0][1].get_extra_info("sockname"))
            held.append(await owner.connect(address))
            await owner.until("opened", 3)

    run(work)


def test_the_number_of_connections_is_limited() -> None:
    async def work() -> None:
        async with listening(replace(LIMITS, connections=1)) as (owner, address):
            await owner.connect(address)
            await owner.until("opened")
            refused, _ = await owner.connect(address)
            assert await refused.read() == b""

    run(work)


def test_a_reset_connection_is_told_once_and_can_be_opened_again() -> None:
    async def work() -> None:
        async with listening() as (caller, _), listening() as (callee, address):
            flow = outward(caller, address)
            caller.streams.send(OPTIONS, flow)
            await callee.until("message")
            (incoming,) = callee.of("opened")
            assert isinstance(incoming, Flow)
            await callee.streams.close(0.0)
            assert await caller.until("closed") == [flow]
            caller.streams.send(OPTIONS, flow)
            await caller.until("failed")
            assert caller.of("closed") == [flow]

    run(work)


def test_close_lets_the_last_messages_leave_and_tells_nobody() -> None:
    async def work() -> None:
        async with listening() as (owner, address):
            reader, _ = await owner.connect(address)
            (flow,) = await owner.until("opened")
            assert isinstance(flow, Flow)
            owner.streams.send(OPTIONS * 100, flow)
            await owner.streams.close(1.0)
            assert await reader.read() == OPTIONS * 100
            assert owner.of("closed") == []
            assert not owner.streams.send(OPTIONS, flow)

    run(work)


def test_ipv6_has_connections_too() -> None:
    async def work() -> None:
        async with listening() as (owner, _):
            address = await owner.streams.listen("::1", 0)
            _, writer = await owner.connect(address)
            writer.write(OPTIONS)
            (flow,) = await owner.until("opened")
            await owner.until("message")
            assert isinstance(flow, Flow)
            assert flow.remote[0] == "::1"

    run(work)
