import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pbx.media.engine import Family
from pbx.media.packets import ports as ports_module
from pbx.media.packets.ports import PAUSE, QUARANTINE, RETRY, STEP, PortPair, PortStock
from pbx.media.protocol import PortsExhausted, PortsReady
from tests.kit.rtp import ipv6_works

needs_ipv6 = pytest.mark.skipif(not ipv6_works(), reason="no IPv6 loopback here")

LOW = 21_000
HOST: dict[Family, str] = {4: "127.0.0.1"}


@pytest.fixture
def stocks() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def make(stocks: ExitStack, *, pairs: int = 100, target: int = 10, hosts=HOST) -> PortStock:
    stock = PortStock(low=LOW, high=LOW + 2 * pairs - 1, target=target, hosts=hosts)
    stocks.callback(stock.close)
    return stock


def fill(stock: PortStock, now: float = 0.0) -> list[int]:
    """Top up until nothing is due; return the announced ports."""
    found: list[int] = []
    while stock.due(now) <= now + PAUSE:
        now += PAUSE
        for event in stock.top_up(now):
            if isinstance(event, PortsReady):
                found += event.ports
    return found


def taken(stocks: ExitStack, stock: PortStock, port: int) -> PortPair:
    pair = stock.take(port)
    assert pair is not None
    stocks.callback(pair.close)
    return pair


def test_pairs_are_even_and_rtcp_is_one_above(stocks: ExitStack):
    stock = make(stocks)
    (event,) = stock.top_up(0.0)
    assert isinstance(event, PortsReady)
    assert len(event.ports) == 10
    pair = taken(stocks, stock, event.ports[0])
    assert pair.port % 2 == 0
    assert pair.rtp.getsockname()[1] == pair.port
    assert pair.rtcp.getsockname()[1] == pair.port + 1


def test_an_odd_beginning_of_the_range_is_left_out(stocks: ExitStack):
    stock = PortStock(low=LOW + 1, high=LOW + 5, target=10, hosts=HOST)
    stocks.callback(stock.close)
    assert fill(stock) == [LOW + 2, LOW + 4]


def test_a_large_stock_is_bound_in_small_steps(stocks: ExitStack):
    stock = make(stocks, target=3 * STEP)
    assert [len(event.ports) for event in stock.top_up(0.0)] == [STEP]
    assert stock.due(0.0) == PAUSE
    assert len(fill(stock)) == 2 * STEP
    assert stock.due(9.0) == float("inf")


def test_a_taken_pair_is_replaced_by_another(stocks: ExitStack):
    stock = make(stocks)
    first = fill(stock)
    taken(stocks, stock, first[0])
    assert stock.due(1.0) == 1.0 + PAUSE
    (more,) = fill(stock)
    assert more not in first


def test_an_unknown_or_taken_port_is_none(stocks: ExitStack):
    stock = make(stocks)
    port = fill(stock)[0]
    taken(stocks, stock, port)
    assert stock.take(port) is None
    assert stock.take(5) is None


def test_ports_that_others_have_are_passed_over(stocks: ExitStack):
    stock = make(stocks, pairs=5)
    for port in (LOW, LOW + 3):  # somebody's RTP port, and somebody's port where our RTCP would be
        sock = stocks.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", port))
    assert fill(stock) == [LOW + 4, LOW + 6, LOW + 8]


def test_exhaustion_is_told_once_and_recovers_when_a_leg_is_freed(stocks: ExitStack):
    stock = make(stocks, pairs=3, target=3)
    pairs = [taken(stocks, stock, port) for port in fill(stock)]
    assert stock.top_up(1.0) == [PortsExhausted(4)]
    assert stock.due(1.0) == 1.0 + RETRY
    assert stock.top_up(2.5) == []
    for pair in pairs:
        stock.give_back(pair, 3.0)
    (ready,) = stock.top_up(3.0 + QUARANTINE)
    assert ready == PortsReady(4, tuple(pair.port for pair in pairs))
    taken(stocks, stock, pairs[0].port)
    assert stock.top_up(9.0) == [PortsExhausted(4)]


def test_one_port_more_is_no_end_of_the_exhaustion(stocks: ExitStack):
    stock = make(stocks, pairs=3, target=3)
    pairs = [taken(stocks, stock, port) for port in fill(stock)]
    stock.top_up(1.0)
    stock.give_back(pairs[0], 3.0)
    assert stock.top_up(3.0 + QUARANTINE) == [PortsReady(4, (pairs[0].port,))]


def test_freed_ports_rest_before_they_come_back(stocks: ExitStack):
    stock = make(stocks, pairs=3, target=3)
    pair = taken(stocks, stock, fill(stock)[0])
    stock.give_back(pair, 10.0)
    assert stock.top_up(10.0 + QUARANTINE - 0.1) == [PortsExhausted(4)]
    assert stock.top_up(10.0 + QUARANTINE) == [PortsReady(4, (pair.port,))]


def test_freed_ports_beyond_the_target_are_closed(stocks: ExitStack):
    stock = make(stocks, target=4)
    pairs = [taken(stocks, stock, port) for port in fill(stock)]
    fill(stock)
    for pair in pairs:
        stock.give_back(pair, 1.0)
    assert stock.top_up(1.0 + QUARANTINE) == []
    assert all(pair.rtp.fileno() == -1 for pair in pairs)


def test_a_freed_pair_hears_anybody_again(stocks: ExitStack):
    stock = make(stocks, pairs=1, target=1)
    pair = taken(stocks, stock, fill(stock)[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        pair.connect(("127.0.0.2", 4000))
        sock.sendto(b"before", ("127.0.0.1", pair.port))
        stock.give_back(pair, 0.0)
        stock.top_up(QUARANTINE)
        again = taken(stocks, stock, pair.port)
        sock.sendto(b"after", ("127.0.0.1", pair.port))
        assert again.rtp.recv(100) == b"after"


def test_what_strangers_sent_to_a_stock_port_is_thrown_away(stocks: ExitStack):
    stock = make(stocks)
    port = fill(stock)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for n in range(500):
            stranger.sendto(bytes(172), ("127.0.0.1", port + n % 2))
    pair = taken(stocks, stock, port)
    with pytest.raises(BlockingIOError):
        pair.rtp.recv(1)
    with pytest.raises(BlockingIOError):
        pair.rtcp.recv(1)


@needs_ipv6
def test_numbers_are_unique_over_both_families(stocks: ExitStack):
    stock = make(stocks, pairs=30, target=20, hosts={4: "127.0.0.1", 6: "::1"})
    found = fill(stock)
    assert len(found) == len(set(found)) == 30


@needs_ipv6
def test_ipv4_is_announced_before_ipv6(stocks: ExitStack):
    stock = make(stocks, hosts={6: "::1", 4: "127.0.0.1"})
    assert [event.family for event in stock.top_up(0.0)] == [4, 6]


def test_a_machine_without_a_family_is_told_once(
    stocks: ExitStack, monkeypatch: pytest.MonkeyPatch
):
    bind = ports_module.bind_pair

    def bind_ipv4_alone(family: Family, host: str, port: int) -> PortPair:
        if family == 6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return bind(family, host, port)

    monkeypatch.setattr(ports_module, "bind_pair", bind_ipv4_alone)
    stock = make(stocks, target=2, hosts={4: "127.0.0.1", 6: "::1"})
    ready, gone = stock.top_up(0.0)
    assert (ready.family, gone) == (4, PortsExhausted(6))
    assert stock.top_up(100.0) == []
    assert stock.due(100.0) == float("inf")


def test_running_out_of_descriptors_is_exhaustion(
    stocks: ExitStack, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> PortPair:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(ports_module, "bind_pair", refuse)
        stock = make(stocks)
        assert stock.top_up(0.0) == [PortsExhausted(4)]
    assert len(fill(stock, RETRY)) == 10


def test_an_empty_range_is_exhausted(stocks: ExitStack):
    assert make(stocks, pairs=0).top_up(0.0) == [PortsExhausted(4)]


# -- pairs that move with their legs ---------------------------------------------------------------


def second(stocks: ExitStack, *, target: int = 4) -> PortStock:
    """Make the stock of another worker, whose range is another."""
    stock = PortStock(low=LOW + 400, high=LOW + 599, target=target, hosts=HOST)
    stocks.callback(stock.close)
    return stock


def passed(stock: PortStock, pair: PortPair, *, connected: bool = False) -> PortPair:
    """Let another stock adopt what a pair's descriptors are, as if they came over a line."""
    copies = [os.dup(sock.fileno()) for sock in (pair.rtp, pair.rtcp)]
    pair.close()
    moved = stock.adopt(copies)
    moved.connected = connected
    return moved


def is_free(port: int) -> bool:
    try:
        ports_module.bind_pair(4, "127.0.0.1", port).close()
    except OSError:
        return False
    return True


def test_a_moved_pair_stays_bound_and_open(stocks: ExitStack):
    giver, taker = make(stocks, pairs=10, target=2), second(stocks)
    pair = taken(stocks, giver, fill(giver)[0])
    giver.part_with(pair)
    moved = passed(taker, pair)
    stocks.callback(moved.close)
    assert (moved.port, moved.family, moved.borrowed) == (pair.port, 4, True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as party:
        party.sendto(b"hello", ("127.0.0.1", moved.port))
        party.sendto(b"report", ("127.0.0.1", moved.port + 1))
        assert moved.rtp.recv(10) == b"hello"
        assert moved.rtcp.recv(10) == b"report"
    with pytest.raises(BlockingIOError):
        moved.rtp.recv(10)


def test_the_taker_closes_a_moved_pair_and_announces_nothing(stocks: ExitStack):
    giver, taker = make(stocks, pairs=10, target=2), second(stocks)
    pair = taken(stocks, giver, fill(giver)[0])
    giver.part_with(pair)
    fill(taker)
    taken(stocks, taker, LOW + 400)
    moved = passed(taker, pair)
    taker.give_back(moved, 10.0)
    assert not is_free(moved.port)
    announced = [event.ports for event in taker.top_up(10.0 + QUARANTINE)]
    assert [port for ports in announced for port in ports if port < LOW + 400] == []
    assert is_free(moved.port)


def test_the_giver_binds_the_port_again_once_it_is_free(stocks: ExitStack):
    giver, taker = make(stocks, pairs=3, target=2), second(stocks)
    first, other = fill(giver)
    pair = taken(stocks, giver, first)
    giver.part_with(pair)
    moved = passed(taker, pair)
    assert fill(giver) == [LOW + 4]  # the third pair: the first is somebody else's
    taken(stocks, giver, other)
    assert fill(giver, now=10.0) == []
    taker.give_back(moved, 10.0)
    taker.top_up(10.0 + QUARANTINE)
    assert fill(giver, now=20.0) == [first]


def test_a_pair_that_comes_home_is_like_any_other(stocks: ExitStack):
    giver, taker = make(stocks, pairs=3, target=3), second(stocks)
    first = fill(giver)[0]
    pair = taken(stocks, giver, first)
    giver.part_with(pair)
    moved = passed(taker, pair)
    taker.part_with(moved)
    home = passed(giver, moved)
    assert not home.borrowed
    giver.give_back(home, 10.0)
    (ready,) = giver.top_up(10.0 + QUARANTINE)
    assert ready == PortsReady(4, (first,))


def test_a_connected_pair_is_connected_after_the_move(stocks: ExitStack):
    giver, taker = make(stocks, pairs=10, target=2), second(stocks)
    pair = taken(stocks, giver, fill(giver)[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as party:
        party.bind(("127.0.0.1", 0))
        pair.connect(party.getsockname())
        moved = passed(taker, pair, connected=pair.connected)
        stocks.callback(moved.close)
        moved.rtp.send(b"still here")
        assert party.recv(20) == b"still here"
        taker.give_back(moved, 1.0)
        assert not moved.connected


def test_descriptors_that_are_no_pair_are_closed(stocks: ExitStack):
    taker = second(stocks)
    for count in (0, 1, 3):
        pipes = [os.pipe() for _ in range(count)]
        with pytest.raises(OSError, match="no pair of sockets"):
            taker.adopt([reading for reading, _ in pipes])
        for reading, writing in pipes:
            with pytest.raises(BrokenPipeError):
                os.write(writing, b"x")
            os.close(writing)
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(reading)
