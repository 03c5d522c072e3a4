"""A real worker process, with real sockets, over its channel."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from pbx.media.protocol import (
    MAX_MESSAGE,
    AddLeg,
    AnyCommand,
    AnyWorkerEvent,
    DigitHeard,
    Echo,
    Enter,
    FreeLeg,
    LegFreed,
    PortsExhausted,
    PortsReady,
    SendDigits,
    SourceLocked,
    TakeLeg,
    UpdateLeg,
    WorkerLoad,
    decode_events,
    encode,
)
from pbx.media.worker import Worker
from tests.kit.rtp import PCMU, RtpPhone, phones

PATIENCE = 10.0


class RunningWorker:
    """A worker process and our end of its channel."""

    def __init__(self, *options: str) -> None:
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(PATIENCE)
        command = [sys.executable, "-m", "pbx.media.worker", "--fd", str(theirs.fileno())]
        defaults = ["--worker", "7", "--ports", "30000-39999", "--stock", "4"]
        self.process = subprocess.Popen(
            [*command, *defaults, *options],
            pass_fds=(theirs.fileno(),),
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        self.ports: list[int] = []
        self._received: deque[AnyWorkerEvent] = deque()

    def send(self, *commands: AnyCommand) -> None:
        for command in commands:
            self.channel.sendall(encode(command))

    def receive(self) -> AnyWorkerEvent:
        """Return the next event of whatever kind."""
        if not self._received:
            self._received.extend(decode_events(self.channel.recv(MAX_MESSAGE)))
        return self._received.popleft()

    def wait_for(self, kind: type[AnyWorkerEvent]) -> AnyWorkerEvent:
        """Return the next event of one kind; ports announced meanwhile are kept."""
        while True:
            event = self.receive()
            if isinstance(event, PortsReady):
                self.ports += event.ports if event.family == 4 else ()
            if isinstance(event, kind):
                return event

    def add(self, leg: int, phone: RtpPhone) -> None:
        while not self.ports:
            self.wait_for(PortsReady)
        phone.to = self.ports.pop(0)
        rtcp = (phone.host, phone.port + 1)
        self.send(AddLeg(leg, phone.to), UpdateLeg(leg, phone.address, rtcp, None, PCMU))

    def lock(self, leg: int, phone: RtpPhone) -> SourceLocked:
        """Let the phone speak until its leg has noticed; the commands before are carried out."""
        self.channel.settimeout(0.02)
        while True:
            phone.say()
            try:
                event = self.wait_for(SourceLocked)
            except TimeoutError:
                continue
            assert isinstance(event, SourceLocked)
            assert event.leg == leg
            self.channel.settimeout(PATIENCE)
            return event

    def settle(self) -> None:
        """Wait until all commands are carried out."""
        self.send(FreeLeg(999))
        self.wait_for(LegFreed)

    def end(self) -> str:
        """Close the channel; return what the worker wrote to stderr."""
        self.channel.close()
        try:
            return self.process.communicate(timeout=PATIENCE)[1]
        finally:
            self.process.kill()


@pytest.fixture
def worker() -> Iterator[RunningWorker]:
    worker = RunningWorker()
    yield worker
    worker.end()


def test_two_phones_hear_each_other_through_a_worker(worker: RunningWorker):
    with phones("127.0.0.1", "127.0.0.1") as (a, b):
        worker.add(1, a)
        worker.add(2, b)
        assert worker.lock(1, a) == SourceLocked(1, a.address)
        worker.send(Enter(1, 1))
        worker.send(Enter(2, 1))
        worker.lock(2, b)
        worker.settle()
        a.hear()
        said = a.say(3)
        assert [b.wait_for_rtp().payload for _ in range(3)] == said
        said = b.say(3)
        assert [a.wait_for_rtp().payload for _ in range(3)] == said
        a.press(4)
        assert worker.wait_for(DigitHeard) == DigitHeard(1, "4", 60)
        worker.send(FreeLeg(1), FreeLeg(2))
        freed = worker.wait_for(LegFreed)
        assert isinstance(freed, LegFreed)
        assert freed.received.packets >= 9


def test_ports_come_first_and_load_says_that_it_lives(worker: RunningWorker):
    first = worker.receive()
    assert isinstance(first, PortsReady)
    assert first.family == 4
    load = worker.wait_for(WorkerLoad)
    assert isinstance(load, WorkerLoad)
    assert (load.legs, load.late_ticks) == (0, 0)


def test_the_end_of_the_channel_ends_the_worker_at_once(worker: RunningWorker):
    worker.wait_for(PortsReady)
    worker.channel.close()
    start = time.monotonic()
    assert worker.process.wait(PATIENCE) == 0
    assert time.monotonic() - start < 1.0


def test_ctrl_c_and_sigterm_do_not_end_it(worker: RunningWorker):
    worker.wait_for(WorkerLoad)
    for number in (signal.SIGINT, signal.SIGTERM):
        worker.process.send_signal(number)
    assert worker.wait_for(WorkerLoad)
    assert worker.process.poll() is None


def test_a_command_that_cannot_be_read_harms_nothing():
    worker = RunningWorker()
    with phones("127.0.0.1") as (phone,):
        worker.add(1, phone)
        for datagram in (b"\xff", b"\x92\xa3add\x01", os.urandom(500)):
            worker.channel.sendall(datagram)
        worker.lock(1, phone)
        worker.send(Echo(1))
        worker.settle()
        said = phone.say(1)
        assert phone.wait_for_rtp().payload == said[0]
    assert worker.end().count("cannot be read") == 3


def test_a_command_that_fails_is_logged_without_its_secrets(caplog: pytest.LogCaptureFixture):
    def fail(*_: object) -> None:
        raise ValueError("a defect")

    broken = SimpleNamespace(_switchboard=SimpleNamespace(carry_out=fail, take=fail))
    for command in (SendDigits(7, "24680"), TakeLeg(7, b"master key")):
        Worker._carry_out(broken, command, [], 0.0)  # type: ignore[arg-type]
    assert [record.message for record in caplog.records] == [
        "SendDigits of leg 7 failed",
        "TakeLeg of leg 7 failed",
    ]


def test_an_unread_channel_stops_no_sound(worker: RunningWorker):
    with phones("127.0.0.1") as (phone,):
        worker.add(1, phone)
        worker.lock(1, phone)
        worker.send(Echo(1))
        worker.settle()
        for _ in range(1500):  # more events than the channel holds
            phone.press(1, ends=1)
            phone.say(1)
            phone.wait_for_rtp()
        assert len(phone.hear()) == 0
        keys = 0
        while keys < 1500:
            worker.wait_for(DigitHeard)
            keys += 1


def test_a_small_range_is_exhausted_and_told():
    worker = RunningWorker("--ports", "39000-39005", "--bind6", "none")
    worker.wait_for(PortsExhausted)
    assert len(worker.ports) <= 3
    worker.end()


def test_it_may_open_as_many_descriptors_as_it_is_allowed_to(worker: RunningWorker):
    worker.wait_for(WorkerLoad)
    soft, hard = resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard


def test_an_idle_worker_uses_next_to_nothing(worker: RunningWorker):
    worker.wait_for(WorkerLoad)
    load = [worker.wait_for(WorkerLoad) for _ in range(2)][-1]
    assert isinstance(load, WorkerLoad)
    assert load.cpu < 0.01


def test_a_range_that_is_none_is_refused_with_a_sentence():
    worker = RunningWorker("--ports", "9-3")
    assert "9-3 is no range of ports" in worker.end()
    assert worker.process.returncode == 2


def test_the_first_load_is_no_measurement_yet(worker: RunningWorker):
    load = worker.wait_for(WorkerLoad)
    assert isinstance(load, WorkerLoad)
    assert load.cpu == 0.0
