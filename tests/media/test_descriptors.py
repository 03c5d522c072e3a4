"""Descriptors beside datagrams."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pbx.media.descriptors import close_all, receive_with, send_with

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def line() -> Iterator[Pair]:
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    yield ends
    for end in ends:
        end.close()


def test_a_socket_arrives_open_and_is_not_inherited(line: Pair):
    one, other = line
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        send_with(one, b"here", [sock.fileno()])
        where = sock.getsockname()
    buffer = bytearray(10)
    size, descriptors = receive_with(other, buffer)
    assert (bytes(buffer[:size]), len(descriptors)) == (b"here", 1)
    assert not os.get_inheritable(descriptors[0])
    with socket.socket(fileno=descriptors[0]) as same:
        assert same.getsockname() == where


def test_plain_datagrams_bring_none(line: Pair):
    one, other = line
    send_with(one, b"plain")
    assert receive_with(other, bytearray(10)) == (5, [])


def test_the_end_is_an_empty_datagram(line: Pair):
    one, other = line
    one.close()
    assert receive_with(other, bytearray(10)) == (0, [])


def test_a_full_line_keeps_nothing(line: Pair):
    one, other = line
    reading, writing = os.pipe()
    with suppress(BlockingIOError):
        while True:
            send_with(one, bytes(1000), [writing])
    close_all([writing])
    with suppress(BlockingIOError):
        while True:
            close_all(receive_with(other, bytearray(1000))[1])
    assert os.read(reading, 1) == b""  # every copy is closed
    close_all([reading])
