"""[io] Open sockets passed between processes, as SCM_RIGHTS beside a datagram (unix(7)).

A leg that moves to another worker takes its two sockets along: out of the giving worker with
`LegGiven`, through the signalling process, into the taking worker with `TakeLeg`. What arrives in a
socket meanwhile waits in the kernel, so nothing is lost on the way. Descriptors that nobody wants
must be closed, or their ports stay bound for ever.
"""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Final

MAX_PASSED: Final = 2
"""Descriptors that come with one datagram: a leg's RTP and RTCP sockets."""

_ROOM: Final = socket.CMSG_SPACE(MAX_PASSED * array.array("i").itemsize)


def send_with(line: socket.socket, datagram: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a datagram and copies of descriptors; raises BlockingIOError and other OSErrors."""
    if descriptors:
        socket.send_fds(line, [datagram], list(descriptors))
    else:
        line.send(datagram)


def receive_with(line: socket.socket, buffer: bytearray) -> tuple[int, list[int]]:
    """Receive a datagram into `buffer`; return its octets and the descriptors beside it.

    The descriptors are the caller's to close, and are not inherited. Raises OSError.
    """
    size, beside, _, _ = line.recvmsg_into([buffer], _ROOM, socket.MSG_CMSG_CLOEXEC)
    if not beside:
        return size, []
    descriptors = array.array("i")
    for level, kind, octets in beside:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            whole = len(octets) - len(octets) % descriptors.itemsize
            descriptors.frombytes(octets[:whole])
    return size, descriptors.tolist()


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors that are not passed on."""
    for descriptor in descriptors:
        os.close(descriptor)
