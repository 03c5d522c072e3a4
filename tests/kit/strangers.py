"""Strangers who send whatever they like to every open port of a server, and what it costs it.

A `Stranger` speaks from an address of its own: RTP that would lock a source if it were let, with a
loud tone and keys in it; RTCP, with goodbyes; STUN and DTLS; rubbish of any length. What it gets is
in `answers`, and should be nothing.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

from pbx.media.codecs.g711 import PCMA, PCMU
from tests.kit.tones import tone

STRANGER_HZ = 1210
"""What it says, louder than anybody."""

SSRC = 0xBADBAD
PER_SECOND = 20_000
BURST = 50


class Stranger:
    """A socket on an address that nobody has heard of."""

    def __init__(self, host: str, *, seed: int) -> None:
        self._rng = random.Random(seed)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)

    def spray(self, ports: Sequence[int], packets: int) -> None:
        """Send so many packets to ports of this machine in turn, all kinds to each."""
        begun = time.monotonic()
        for n in range(packets):
            turn, place = divmod(n, len(ports))
            datagram = self._datagram(turn)
            # nobody may listen on a port any more, which the kernel alone answers
            with suppress(BlockingIOError, ConnectionRefusedError):
                self._socket.sendto(datagram, ("127.0.0.1", ports[place]))
            if n % BURST == 0:
                time.sleep(max(0.0, begun + n / PER_SECOND - time.monotonic()))

    def answers(self) -> list[bytes]:
        """Return all that anybody has sent to it."""
        found: list[bytes] = []
        with suppress(BlockingIOError):
            while True:
                with suppress(ConnectionRefusedError):
                    found.append(self._socket.recv(2048))
        return found

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _datagram(self, turn: int) -> bytes:
        kinds = (self._voice, self._voice, self._voice, self._key, self._report, self._other)
        return kinds[turn % len(kinds)](turn)

    def _voice(self, turn: int) -> bytes:
        payload_type = (0, 8)[turn // 60 % 2]
        return _rtp(payload_type, turn, _loud(payload_type)[turn % 50])

    def _key(self, turn: int) -> bytes:
        return _rtp(101, turn, struct.pack("!BBH", 9, 0x80, 800))

    def _report(self, turn: int) -> bytes:
        rng = self._rng
        block = struct.pack("!IIIIII", SSRC, rng.getrandbits(32), turn, 0, 0, 0)
        sender = struct.pack("!BBHIQIII", 0x81, 200, 12, SSRC, rng.getrandbits(64), turn, 1, 2)
        goodbye = struct.pack("!BBHI", 0x81, 203, 1, SSRC)
        return (sender + block + goodbye, sender + block, goodbye)[turn % 3]

    def _other(self, turn: int) -> bytes:
        rng = self._rng
        choice = turn // 6 % 3
        if choice == 0:  # a binding request with a user name
            name = struct.pack("!HH", 0x0006, 8) + b"abcd:efg"
            return struct.pack("!HHI", 1, len(name), 0x2112A442) + rng.randbytes(12) + name
        if choice == 1:  # the beginning of a DTLS ClientHello
            return b"\x16\xfe\xff" + bytes(8) + b"\x00\x40\x01" + rng.randbytes(63)
        return rng.randbytes(rng.randrange(1400))


def _rtp(payload_type: int, sequence: int, payload: bytes) -> bytes:
    timestamp = sequence * 160 & 0xFFFF_FFFF
    return struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, timestamp, SSRC) + payload


@cache
def _loud(payload_type: int) -> list[bytes]:
    samples = tone(STRANGER_HZ, 1.0, level_dbfs=-1.0).samples.reshape(50, 160)
    return (PCMA if payload_type == 8 else PCMU).encode(None, samples)


def udp_ports(pids: Collection[int]) -> list[int]:
    """Return the UDP ports on which processes of this network namespace listen."""
    inodes = {inode for pid in pids for inode in _sockets_of(pid)}
    found = set()
    for table in ("udp", "udp6"):
        for line in Path(f"/proc/thread-self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(found)


def memory_of(pids: Collection[int]) -> int:
    """Return the octets that processes hold in memory."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE")


def _sockets_of(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            kind, _, inode = str(descriptor.readlink()).partition(":[")
            if kind == "socket":
                yield inode.rstrip("]")
