import logging
import socket
from collections.abc import Iterator

import pytest

from pbx.media.mixing.tick import LOOK, MAX_LATE_TICKS, MAX_LOOKS, TICK, TickLoop


class Bench:
    """A loop whose clock the test moves, and two connected sockets."""

    def __init__(self) -> None:
        self.now = 50.0
        self.loop = TickLoop(lambda: self.now)
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.near.setblocking(False)
        self.far.setblocking(False)

    def turn(self, to: float | None = None) -> int:
        self.now = self.now if to is None else to
        return self.loop.turn(wait=False)

    def close(self) -> None:
        self.loop.close()
        self.near.close()
        self.far.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_reader_is_called_while_there_is_something(bench: Bench):
    read: list[bytes] = []
    bench.loop.watch(bench.near.fileno(), lambda now: read.append(bench.near.recv(10)))
    bench.far.send(b"one")
    bench.far.send(b"two")
    assert [bench.turn(), bench.turn(), bench.turn()] == [1, 1, 0]
    assert read == [b"one", b"two"]


def test_a_route_receives_rewrites_and_sends(bench: Bench):
    def rewrite(packet: bytearray, size: int, now: float) -> bool:
        packet[0:1] = b"R"
        return packet[1] != ord("x")

    sent: list[bytes] = []
    descriptor = bench.near.fileno()
    bench.loop.watch(descriptor, lambda now: pytest.fail("the route is to be used"))
    route = (bench.near.recv_into, rewrite, lambda view: sent.append(bytes(view)))
    bench.loop.route(descriptor, route, lambda error, size: None)
    bench.far.send(b"abc")
    bench.far.send(b"ax")
    bench.turn()
    bench.turn()
    assert sent == [b"Rbc"]


def test_an_unrouted_descriptor_is_its_readers_again(bench: Bench):
    read: list[bytes] = []
    descriptor = bench.near.fileno()
    bench.loop.watch(descriptor, lambda now: read.append(bench.near.recv(10)))
    route = (bench.near.recv_into, lambda *_: False, lambda view: None)
    bench.loop.route(descriptor, route, lambda error, size: None)
    bench.loop.unroute(descriptor)
    bench.far.send(b"abc")
    bench.turn()
    assert read == [b"abc"]


def calm_route(bench: Bench, taken: list[bytes]) -> None:
    """Let a descriptor be a route that has time."""
    descriptor = bench.near.fileno()

    def take(packet: bytearray, size: int, now: float) -> bool:
        taken.append(bytes(packet[:size]))
        return False

    bench.loop.watch(descriptor, lambda now: pytest.fail("the route is to be used"))
    route = (bench.near.recv_into, take, lambda view: None)
    bench.loop.route(descriptor, route, lambda error, size: None, hurry=False)


def test_a_route_that_has_time_wakes_nobody_up_and_is_served_before_the_tick(bench: Bench):
    taken: list[bytes] = []
    served: list[list[bytes]] = []
    calm_route(bench, taken)
    bench.loop.on_tick = lambda now: served.append(list(taken))
    bench.loop.tick_while(True)
    bench.far.send(b"one")
    bench.loop.call_at(bench.now, lambda now: None)
    bench.loop.turn()
    assert not taken
    bench.now += TICK
    bench.loop.turn()
    assert served == [[b"one"]]


def test_a_route_that_has_time_is_looked_at_some_times_in_a_tick(bench: Bench):
    taken: list[bytes] = []
    calm_route(bench, taken)
    bench.now += LOOK
    for n in range(MAX_LOOKS + 1):
        bench.far.send(b"%d" % n)
    bench.loop.turn()
    assert len(taken) == MAX_LOOKS
    bench.now += LOOK
    bench.loop.turn()
    assert len(taken) == MAX_LOOKS + 1


def test_a_route_may_be_in_a_hurry_again(bench: Bench):
    taken: list[bytes] = []
    calm_route(bench, taken)
    descriptor = bench.near.fileno()
    route = (bench.near.recv_into, lambda *_: False, lambda view: taken.append(b"sent"))
    bench.loop.route(descriptor, route, lambda error, size: None)
    bench.far.send(b"abc")
    assert bench.loop.turn() == 1
    assert bench.turn(bench.now + LOOK) == 0
    bench.loop.forget(descriptor)
    bench.far.send(b"abc")
    assert bench.turn() == 0


def test_what_a_route_cannot_receive_or_send_is_told(bench: Bench):
    told: list[tuple[type[OSError], int]] = []

    def fail(*_: object) -> int:
        raise ConnectionRefusedError

    descriptor = bench.near.fileno()
    bench.loop.watch(descriptor, lambda now: None)

    def note(error: OSError, size: int) -> None:
        told.append((type(error), size))

    bench.loop.route(descriptor, (bench.near.recv_into, lambda *_: True, fail), note)
    bench.far.send(b"abc")
    bench.turn()
    bench.loop.route(descriptor, (fail, lambda *_: True, lambda view: None), note)
    bench.far.send(b"abc")
    bench.turn()
    assert told == [(ConnectionRefusedError, 3), (ConnectionRefusedError, 0)]


@pytest.mark.parametrize("routed", [True, False])
def test_a_defect_met_in_one_descriptor_leaves_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture, routed: bool
):
    def fail(*_: object) -> bool:
        raise ZeroDivisionError

    read: list[bytes] = []
    descriptor = bench.near.fileno()
    bench.loop.watch(descriptor, fail)
    if routed:
        route = (bench.near.recv_into, fail, lambda view: None)
        bench.loop.route(descriptor, route, lambda error, size: None)
    bench.loop.watch(bench.far.fileno(), lambda now: read.append(bench.far.recv(10)))
    with caplog.at_level(logging.ERROR):
        bench.far.send(b"abc")
        bench.near.send(b"def")
        bench.turn()
        assert bench.turn() == 0
    assert read == [b"def"]
    assert "is watched no longer" in caplog.text


def test_timers_are_called_in_the_order_of_their_times(bench: Bench):
    called: list[str] = []
    for name, delay in (("late", 2.0), ("soon", 1.0), ("soon too", 1.0), ("past", -5.0)):
        bench.loop.call_at(50 + delay, lambda now, name=name: called.append(name))
    bench.turn(50.5)
    assert called == ["past"]
    bench.turn(53.0)
    assert called == ["past", "soon", "soon too", "late"]


def test_a_cancelled_timer_is_not_called(bench: Bench):
    timer = bench.loop.call_at(51, lambda now: pytest.fail("it was cancelled"))
    timer.cancel()
    bench.turn(52)


def test_a_timer_that_fails_leaves_the_others(bench: Bench, caplog: pytest.LogCaptureFixture):
    called: list[float] = []
    bench.loop.call_at(51, lambda now: [][0])
    bench.loop.call_at(51, called.append)
    with caplog.at_level(logging.ERROR):
        bench.turn(52)
    assert called == [52]


def test_ticks_come_every_20_ms_only_while_they_are_wanted(bench: Bench):
    ticks: list[float] = []
    bench.loop.on_tick = ticks.append
    bench.turn(51)
    assert ticks == []
    bench.loop.tick_while(True)
    for n in range(1, 101):
        bench.turn(51 + n * 0.010 + 0.001)
    assert len(ticks) == 50
    bench.loop.tick_while(False)
    bench.turn(60)
    assert len(ticks) == 50
    assert bench.loop.late_ticks == 0


def test_the_first_tick_comes_at_once_where_somebody_waits_for_it(bench: Bench):
    ticks: list[float] = []
    bench.loop.on_tick = ticks.append
    bench.loop.tick_while(True, at_once=True)
    bench.turn()
    assert ticks == [50]
    bench.loop.tick_while(False)
    bench.turn(50.005)
    bench.loop.tick_while(True, at_once=True)  # but no sooner than the next one would have come
    bench.turn(50.019)
    assert ticks == [50]
    bench.turn(50.021)
    assert ticks == [50, 50.021]
    assert bench.loop.late_ticks == 0


def test_late_ticks_are_run_after_and_counted(bench: Bench):
    ticks: list[float] = []
    bench.loop.on_tick = ticks.append
    bench.loop.tick_while(True)
    bench.turn(50 + 3.5 * TICK)
    assert (len(ticks), bench.loop.late_ticks) == (3, 2)
    bench.turn(50 + 4.1 * TICK)
    assert (len(ticks), bench.loop.late_ticks) == (4, 2)


def test_ticks_that_are_much_too_late_are_skipped(bench: Bench):
    ticks: list[float] = []
    bench.loop.on_tick = ticks.append
    bench.loop.tick_while(True)
    bench.turn(50 + 50.5 * TICK)
    assert len(ticks) == MAX_LATE_TICKS
    assert bench.loop.late_ticks == 49
    bench.turn(50 + 51.5 * TICK)
    assert len(ticks) == MAX_LATE_TICKS + 1
