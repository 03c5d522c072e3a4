"""The embedded engine against a toy worker that misbehaves on demand, and against the real one."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pbx.errors import NoResource, UsageError
from pbx.media import engine_client
from pbx.media.engine import MediaEngine, MediaPort
from pbx.media.engine_client import EngineClient, EngineSettings, restart_delay
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import (
    AddLeg,
    Announce,
    AnyWorkerEvent,
    Enter,
    FreeLeg,
    Leave,
    LegFreed,
    PayloadMap,
    Play,
    PlaybackDone,
    SendDigits,
    SourceLocked,
    UpdateLeg,
)
from pbx.media.worker_process import share_ports
from tests.kit.rtp import PCMU, RtpPhone, phones

TOY = EngineSettings(
    ports=(10_000, 10_399),
    workers=1,
    stock=8,
    command=(sys.executable, str(Path(__file__).with_name("toy_worker.py"))),
)

REAL = EngineSettings(ports=(21_000, 21_399), workers=1, bind4="127.0.0.1", bind6=None, stock=8)


def in_event_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Run a coroutine test in an event loop of its own."""

    @functools.wraps(test)
    def run(**fixtures: object) -> None:
        asyncio.run(test(**fixtures))

    return run


class Office:
    """An engine, and what it reported; `until` waits for a report that fits."""

    def __init__(self, settings: EngineSettings) -> None:
        self.events: list[tuple[int, AnyWorkerEvent]] = []
        self.losses: list[tuple[int, frozenset[int]]] = []
        self._news = asyncio.Event()
        self.engine = EngineClient(settings, on_event=self._hear, on_worker_lost=self._lose)

    def _hear(self, worker: int, event: AnyWorkerEvent) -> None:
        self.events.append((worker, event))
        self._news.set()

    def _lose(self, worker: int, legs: frozenset[int]) -> None:
        self.losses.append((worker, legs))
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def until_figures(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is reported to nobody."""
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0)


@asynccontextmanager
async def running(settings: EngineSettings) -> AsyncIterator[Office]:
    office = Office(settings)
    await office.engine.start()
    try:
        async with asyncio.timeout(20):
            await office.engine.ready()
        yield office
    finally:
        await office.engine.close()


@asynccontextmanager
async def remote_party() -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as party:
        party.setblocking(False)
        party.bind(("127.0.0.1", 0))
        yield party


def speaking_to(leg: int, party: socket.socket) -> UpdateLeg:
    host, port = party.getsockname()
    return UpdateLeg(leg, (host, port), None, None, PayloadMap("PCMA", 8, 8, 8000))


def rtp_packet(sequence: int) -> bytes:
    header = struct.pack("!BBHII", 0x80, 8, sequence, 160 * sequence, 0xCAFE)
    return header + bytes([sequence]) * 160


def pid_of(office: Office, number: int) -> int:
    return next(each.pid for each in office.engine.figures() if each.number == number)


@in_event_loop
async def test_each_announced_port_is_taken_once() -> None:
    async with running(TOY) as office:
        engine: MediaEngine = office.engine
        ports = [engine.take_port(4) for _ in range(8)]
        assert [port.port for port in ports] == list(range(10_000, 10_016, 2))
        with pytest.raises(NoResource):
            engine.take_port(4)
        engine.give_back(ports[3])
        assert engine.take_port(4) == ports[3]


@in_event_loop
async def test_both_families_have_a_stock() -> None:
    async with running(TOY) as office:
        await office.until_figures(lambda: office.engine.figures()[0].stock == {4: 8, 6: 8})
        assert office.engine.take_port(6).family == 6
    async with running(replace(TOY, bind6=None)) as office:
        await office.until_figures(lambda: office.engine.figures()[0].late_ticks == 7)
        with pytest.raises(NoResource):
            office.engine.take_port(6)


@in_event_loop
async def test_a_worker_is_told_its_share_and_one_thread() -> None:
    async with running(replace(TOY, workers=2, bind4="127.0.0.1", bind6=None)) as office:
        second = next(
            port for port in (office.engine.take_port(4) for _ in range(16)) if port.worker == 2
        )
        office.engine.send(second, Play(1, 1, ("environment",)))
        await office.until(lambda: bool(office.events))
        worker, done = office.events[0]
        assert worker == 2
        assert isinstance(done, PlaybackDone)
        told = done.error or ""
        assert told.startswith("1 ")
        for part in (
            "'worker': 2",
            "'ports': '10200-10399'",
            "'bind4': '127.0.0.1'",
            "'bind6': 'none'",
            "'stock': 8",
            "'log_level': 'info'",
        ):
            assert part in told


@in_event_loop
async def test_legs_go_to_the_least_loaded_worker_or_beside_another() -> None:
    async with running(replace(TOY, workers=2)) as office:
        engine = office.engine
        first = engine.take_port(4)
        engine.send(first, AddLeg(engine.next_leg(), first.port))
        assert engine.take_port(4, beside=first).worker == first.worker
        assert engine.take_port(4).worker != first.worker


@in_event_loop
async def test_a_freed_leg_is_reported_and_no_longer_counted() -> None:
    async with running(TOY) as office:
        engine = office.engine
        port, leg = engine.take_port(4), engine.next_leg()
        engine.send(port, AddLeg(leg, port.port))
        assert engine.figures()[0].legs == 1
        engine.send(port, FreeLeg(leg))
        await office.until(lambda: bool(office.events))
        assert [type(event) for _, event in office.events] == [LegFreed]
        assert engine.figures()[0].legs == 0


@in_event_loop
async def test_a_dead_worker_ends_its_legs_once_and_is_replaced_by_a_new_number() -> None:
    async with running(TOY) as office:
        engine = office.engine
        port, leg = engine.take_port(4), engine.next_leg()
        engine.send(port, AddLeg(leg, port.port))
        os.kill(pid_of(office, 1), signal.SIGKILL)
        await office.until(lambda: bool(office.losses))
        assert office.losses == [(1, frozenset({leg}))]
        engine.give_back(port)
        with pytest.raises(NoResource):
            engine.take_port(4, beside=port)
        await office.until_figures(lambda: any(each.stock[4] for each in engine.figures()))
        assert engine.take_port(4).worker == 2
        assert office.losses == [(1, frozenset({leg}))]


@in_event_loop
async def test_a_leg_added_to_a_worker_that_is_gone_is_reported_lost() -> None:
    async with running(TOY) as office:
        port = office.engine.take_port(4)
        office.engine.send(port, Play(1, 1, ("crash",)))
        await office.until(lambda: bool(office.losses))
        office.engine.send(port, FreeLeg(5))
        office.engine.send(port, AddLeg(5, port.port))
        await office.until(lambda: len(office.losses) == 2)
        assert office.losses == [(1, frozenset()), (1, frozenset({5}))]


@in_event_loop
async def test_commands_wait_in_order_while_a_worker_does_not_read() -> None:
    async with running(TOY) as office:
        engine, count = office.engine, 3000
        port, pid = engine.take_port(4), pid_of(office, 1)
        os.kill(pid, signal.SIGSTOP)
        for leg in range(count):
            engine.send(port, FreeLeg(leg))
        assert engine.figures()[0].waiting > 0
        os.kill(pid, signal.SIGCONT)
        await office.until(lambda: len(office.events) == count)
        legs = [event.leg for _, event in office.events if isinstance(event, LegFreed)]
        assert legs == list(range(count))
        assert engine.figures()[0].waiting == 0


@in_event_loop
async def test_a_worker_that_takes_no_commands_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_client, "MAX_QUEUE", 10)
    async with running(TOY) as office:
        port = office.engine.take_port(4)
        os.kill(pid_of(office, 1), signal.SIGSTOP)
        office.engine.send(port, AddLeg(7, port.port))
        for _ in range(100_000):
            office.engine.send(port, FreeLeg(1))
            await asyncio.sleep(0)
            if office.losses:
                break
        assert office.losses == [(1, frozenset({7}))]


@in_event_loop
async def test_a_worker_that_says_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_client, "WATCH", 0.01)
    monkeypatch.setattr(engine_client, "SILENCE", 0.05)
    async with running(TOY) as office:
        os.kill(pid_of(office, 1), signal.SIGSTOP)
        await office.until(lambda: bool(office.losses))
        assert office.losses[0] == (1, frozenset())


@in_event_loop
async def test_unreadable_bytes_are_logged_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(TOY) as office:
        office.engine.send(office.engine.take_port(4), Play(3, 9, ("garbage",)))
        await office.until(lambda: bool(office.events))
        assert office.events == [(1, PlaybackDone(3, 9, finished=True))]
    assert "unreadable" in caplog.text


@in_event_loop
async def test_a_worker_that_cannot_be_started_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office(replace(TOY, command=("/nonexistent/worker",)))
    await office.engine.start()
    with pytest.raises(NoResource):
        office.engine.take_port(4)
    await office.until_figures(lambda: caplog.text.count("cannot be started") == 2)
    await office.engine.close()


def test_early_deaths_are_answered_more_and_more_slowly() -> None:
    delays = [restart_delay(deaths) for deaths in range(9)]
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


@in_event_loop
async def test_close_ends_the_workers_and_starts_no_others() -> None:
    async with running(replace(TOY, workers=None)) as office:
        pid = pid_of(office, 1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert office.losses == []


@in_event_loop
async def test_the_real_worker_relays_between_two_legs_and_reports_their_figures() -> None:
    async with running(REAL) as office, remote_party() as alice, remote_party() as bob:
        engine = office.engine
        near = engine.take_port(4)
        far = engine.take_port(4, beside=near)
        for leg, port, party in ((1, near, alice), (2, far, bob)):
            engine.send(port, AddLeg(leg, port.port))
            engine.send(port, speaking_to(leg, party))
            party.connect(("127.0.0.1", port.port))
        engine.send(near, Enter(1, 1))
        engine.send(near, Enter(2, 1))
        engine.send(near, FreeLeg(99))  # answered when all before it is carried out
        await office.until(lambda: bool(office.events))
        office.events.clear()
        packets = [rtp_packet(sequence) for sequence in range(5)]
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            for packet in packets:
                await loop.sock_sendall(alice, packet)
            heard = [await loop.sock_recv(bob, 2000) for _ in packets]
        assert [each[12:] for each in heard] == [packet[12:] for packet in packets]
        for leg, port in ((1, near), (2, far)):
            engine.send(port, FreeLeg(leg))
        await office.until(lambda: sum(isinstance(e, LegFreed) for _, e in office.events) == 2)
        freed = {e.leg: e for _, e in office.events if isinstance(e, LegFreed)}
        assert freed[1].received.packets == 5
        assert freed[2].sent.packets == 5


@in_event_loop
async def test_the_real_worker_that_is_killed_is_replaced_on_the_same_ports() -> None:
    async with running(replace(REAL, stock=4, ports=(21_400, 21_407))) as office:
        engine = office.engine
        before = {engine.take_port(4).port for _ in range(4)}
        os.kill(pid_of(office, 1), signal.SIGKILL)
        await office.until(lambda: bool(office.losses))
        await office.until_figures(lambda: any(each.stock[4] == 4 for each in engine.figures()))
        assert {engine.take_port(4).port for _ in range(4)} == before


def test_ports_are_shared_in_whole_pairs() -> None:
    assert share_ports((10_000, 19_999), 0, 1) == (10_000, 19_999)
    assert [share_ports((10_001, 10_008), slot, 3) for slot in range(3)] == [
        (10_002, 10_003),
        (10_004, 10_005),
        (10_006, 10_007),
    ]
    with pytest.raises(UsageError):
        share_ports((10_000, 10_004), 0, 3)


@in_event_loop
async def test_one_more_worker_starts_when_the_busiest_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_client, "WATCH", 0.01)
    monkeypatch.setattr(engine_client, "BUSY", 0.2)  # the toy says that it uses 0.25
    monkeypatch.setattr(engine_client, "GROW_AFTER", 3)
    async with running(replace(TOY, workers=None, most_workers=3)) as office:
        engine = office.engine
        while len(engine.figures()) < 3 or not all(each.stock[4] for each in engine.figures()):
            await asyncio.sleep(0.01)
        first = engine.take_port(4)
        engine.send(first, AddLeg(1, first.port))
        assert engine.take_port(4).worker != first.worker
        assert engine.take_port(4, beside=first).worker == first.worker


@in_event_loop
async def test_no_worker_is_added_where_the_number_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_client, "WATCH", 0.001)
    monkeypatch.setattr(engine_client, "BUSY", 0.0)
    monkeypatch.setattr(engine_client, "GROW_AFTER", 1)
    async with running(replace(TOY, workers=2)) as office:
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert len(office.engine.figures()) == 2


# -- moving a leg ----------------------------------------------------------------------------------

TWO = replace(TOY, workers=2)


def on_two_workers(office: Office) -> tuple[MediaPort, MediaPort]:
    """Return the ports of leg 1 on one worker and leg 2 on another."""
    engine = office.engine
    ports = []
    for leg in (1, 2):
        ports.append(engine.take_port(4))
        engine.send(ports[-1], AddLeg(leg, ports[-1].port))
    assert ports[0].worker != ports[1].worker
    return ports[0], ports[1]


def legs_of(office: Office) -> dict[int, int]:
    """Return how many legs each worker has."""
    return {each.number: each.legs for each in office.engine.figures()}


async def log_of(office: Office, port: MediaPort, leg: int) -> str:
    """Ask the worker of `port` what it was told of the leg."""
    office.engine.send(port, Play(leg, 77, ("log",)))

    def logs() -> list[str]:
        return [
            event.error or ""
            for worker, event in office.events
            if worker == port.worker and isinstance(event, PlaybackDone)
        ]

    await office.until(lambda: bool(logs()))
    return logs()[-1]


def descriptors_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@in_event_loop
async def test_a_moved_leg_takes_its_sockets_and_its_commands_along() -> None:
    async with running(TWO) as office:
        engine: MediaEngine = office.engine
        near, far = on_two_workers(office)
        engine.send(near, Leave(1))
        before = descriptors_open()
        moved = engine.move(near, 1, beside=far)
        assert moved == MediaPort(far.worker, near.port, 4)
        engine.send(moved, Enter(1, 9))
        engine.send(moved, Announce(9, ("tone:join",)))
        engine.send(moved, Leave(1))
        log = await log_of(office, moved, 1)
        assert log == "AddLeg Leave TakeLeg+2 Enter Leave Play"
        assert legs_of(office) == {near.worker: 0, far.worker: 2}
        assert descriptors_open() == before
        engine.send(moved, FreeLeg(1))
        await office.until(lambda: isinstance(office.events[-1][1], LegFreed))
        assert legs_of(office) == {near.worker: 0, far.worker: 1}
        assert office.losses == []


@in_event_loop
async def test_a_leg_that_is_freed_on_its_way_is_freed_once() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(moved, FreeLeg(1))
        await office.until(lambda: bool(office.events))
        assert [(worker, type(event)) for worker, event in office.events] == [
            (far.worker, LegFreed)
        ]
        assert legs_of(office) == {near.worker: 0, far.worker: 1}


@in_event_loop
async def test_a_leg_that_is_there_already_is_not_moved() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        assert office.engine.move(near, 1, beside=near) == near
        gone = MediaPort(99, 4000, 4)
        assert office.engine.move(near, 1, beside=gone) == near
        assert office.engine.move(gone, 1, beside=far) == gone
        assert await log_of(office, near, 1) == "AddLeg Play"


@in_event_loop
async def test_a_leg_can_be_led_back_while_it_is_on_its_way() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(moved, Enter(1, 9))
        back = office.engine.move(moved, 1, beside=near)
        assert back == near
        assert await log_of(office, back, 1) == "AddLeg TakeLeg+2 Enter Play"
        assert legs_of(office) == {near.worker: 1, far.worker: 1}


@in_event_loop
async def test_a_leg_whose_old_worker_dies_on_the_way_is_lost_once() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        os.kill(pid_of(office, near.worker), signal.SIGSTOP)
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(moved, Enter(1, 9))
        os.kill(pid_of(office, near.worker), signal.SIGKILL)
        await office.until(lambda: bool(office.losses))
        office.engine.send(moved, FreeLeg(1))  # as calls do that end by this
        await office.until(lambda: bool(office.events))
        assert office.losses == [(near.worker, frozenset({1}))]
        assert legs_of(office)[far.worker] == 1


@in_event_loop
async def test_a_leg_whose_new_worker_dies_before_it_comes_is_lost_once() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        os.kill(pid_of(office, near.worker), signal.SIGSTOP)
        before = descriptors_open()
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(moved, Enter(1, 9))
        os.kill(pid_of(office, far.worker), signal.SIGKILL)
        await office.until(lambda: bool(office.losses))
        assert office.losses == [(far.worker, frozenset({2}))]
        os.kill(pid_of(office, near.worker), signal.SIGCONT)
        await office.until(lambda: len(office.losses) == 2)
        assert office.losses[1] == (near.worker, frozenset({1}))
        assert legs_of(office)[near.worker] == 0
        await office.until_figures(lambda: len(office.engine.figures()) == 2)
        assert descriptors_open() == before


@in_event_loop
async def test_a_leg_dies_with_the_worker_that_took_it() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        moved = office.engine.move(near, 1, beside=far)
        await log_of(office, moved, 1)
        os.kill(pid_of(office, far.worker), signal.SIGKILL)
        await office.until(lambda: bool(office.losses))
        assert office.losses == [(far.worker, frozenset({1, 2}))]


@in_event_loop
async def test_a_leg_that_was_freed_before_it_was_moved_is_not_lost() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        office.engine.send(near, FreeLeg(1))
        office.engine.move(near, 1, beside=far)
        office.engine.send(near, FreeLeg(99))  # answered behind LegGiven
        await office.until(lambda: len(office.events) == 2)
        assert office.losses == []
        assert legs_of(office) == {near.worker: 0, far.worker: 1}


@in_event_loop
async def test_a_leg_that_its_worker_never_had_is_lost() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        office.engine.send(near, Play(1, 1, ("forget",)))
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(moved, Enter(1, 9))
        await office.until(lambda: bool(office.losses))
        assert office.losses == [(near.worker, frozenset({1}))]
        assert legs_of(office) == {near.worker: 0, far.worker: 1}


@in_event_loop
async def test_a_leg_that_cannot_be_taken_is_lost_once() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        office.engine.send(near, SendDigits(1, "5"))
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(moved, FreeLeg(1))
        await office.until(lambda: bool(office.events))
        assert office.losses == [(far.worker, frozenset({1}))]
        assert legs_of(office) == {near.worker: 0, far.worker: 1}


@in_event_loop
async def test_a_leg_waits_for_a_new_worker_that_is_slow_to_read() -> None:
    async with running(TWO) as office:
        near, far = on_two_workers(office)
        pid = pid_of(office, far.worker)
        os.kill(pid, signal.SIGSTOP)
        for _ in range(500):
            office.engine.send(far, Leave(2))
            await asyncio.sleep(0)
        waiting = next(each for each in office.engine.figures() if each.number == far.worker)
        assert waiting.waiting > 0
        moved = office.engine.move(near, 1, beside=far)
        office.engine.send(near, FreeLeg(99))
        await office.until(lambda: bool(office.events))  # the leg is given by now
        os.kill(pid, signal.SIGCONT)
        assert await log_of(office, moved, 1) == "AddLeg TakeLeg+2 Play"


@in_event_loop
async def test_descriptors_that_nobody_wants_are_closed() -> None:
    async with running(TOY) as office:
        port = office.engine.take_port(4)
        before = descriptors_open()
        office.engine.send(port, Play(1, 5, ("litter",)))
        await office.until(lambda: bool(office.events))
        assert descriptors_open() == before


# -- moving a leg between real workers -------------------------------------------------------------

APART = replace(REAL, workers=2, ports=(21_500, 21_699))
FRAMES = 25  # said by each phone, at the pace of speech


async def talk(phones: Sequence[RtpPhone]) -> list[RtpPacket]:
    """Let phones speak at the pace of speech; return what the first of them heard."""
    heard = []
    for _ in range(FRAMES):
        for phone in phones:
            phone.say()
        await asyncio.sleep(0.020)
        heard += phones[0].hear()
    return heard


async def placed(office: Office, leg: int, phone: RtpPhone, beside: MediaPort | None) -> MediaPort:
    """Make a leg for a phone and let its source be locked."""
    port = office.engine.take_port(4, beside=beside)
    office.engine.send(port, AddLeg(leg, port.port))
    office.engine.send(port, UpdateLeg(leg, phone.address, None, None, PCMU))
    phone.to = port.port
    async with asyncio.timeout(10):
        while not any(event == SourceLocked(leg, phone.address) for _, event in office.events):
            phone.say()
            await asyncio.sleep(0.01)
    return port


@in_event_loop
async def test_a_leg_moves_between_real_workers_in_mid_call() -> None:
    async with running(APART) as office:
        with phones("127.0.0.1", "127.0.0.1", "127.0.0.1") as (a, b, c):
            engine = office.engine
            near = await placed(office, 1, a, None)
            for leg in (1, 2):
                beside = near if leg == 1 else await placed(office, 2, b, near)
                engine.send(beside, Enter(leg, 1))
            far = await placed(office, 3, c, None)
            assert far.worker != near.worker
            engine.send(far, Enter(3, 2))
            heard = await talk((a, b, c))
            moved = engine.move(near, 1, beside=far)
            engine.send(moved, Enter(1, 2))
            heard += await talk((a, b, c))
            assert len(heard) >= 2 * FRAMES - 4
            assert {packet.ssrc for packet in heard} == {heard[0].ssrc}
            steps = {
                (
                    (later.sequence - earlier.sequence) & 0xFFFF,
                    (later.timestamp - earlier.timestamp) & 0xFFFF_FFFF,
                )
                for earlier, later in pairwise(heard)
            }
            assert steps <= {(1, 160), (1, 320), (1, 480)}
            assert heard[-1].payload == bytes([(c.sequence - 1) & 0xFF]) * 160
            engine.send(moved, FreeLeg(1))
            await office.until(lambda: isinstance(office.events[-1][1], LegFreed))
            worker, freed = office.events[-1]
            assert worker == far.worker
            assert isinstance(freed, LegFreed)
            assert freed.received.lost == 0
            assert office.losses == []
