"""Real RTP both ways on many sockets, in a process of its own: the load of the relay benchmark.

    python -m benchmarks.rtp_generator

Reads one JSON document from stdin, `{"ports": […], "settle": s, "seconds": s}`: the ports on
loopback to talk to, one socket each. Answers with one line naming its own ports, waits for an empty
line, sends and hears G.711 frames of 20 ms, spread over the 20 ms; writes a line when the measured
window opens and one with what it saw when that closes.

Each packet carries its number and the time when it was sent, so that loss and delay are seen at the
far end, whatever the relay does to the header.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HOST = "127.0.0.1"
FRAME = 0.020
SLOTS = 20
"""Parts of a frame's 20 ms at which legs send."""

PACKET_SIZE = 172
_packet = struct.Struct("!HHIIQI")  # RTP header, time of sending in ns, number
_stamp = struct.Struct("!QI")

Sender = tuple[Callable[[bytearray], int], bytearray, int]


@dataclass
class Load:
    """What was sent and heard: packets, those missing, delays in ns, and how far it fell behind."""

    sent: int = 0
    lost: int = 0
    seconds: float = 0.0
    behind: float = 0.0
    delays: list[int] = field(default_factory=list)


class Generator:
    """Sockets that talk to `ports`, in one loop."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.sockets = [_socket(port) for port in ports]
        self._epoll = select.epoll()
        for sock in self.sockets:
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._receivers = {sock.fileno(): sock.recv_into for sock in self.sockets}
        self._slots: list[list[Sender]] = [[] for _ in range(SLOTS)]
        for n, sock in enumerate(self.sockets):
            self._slots[n * 7 % SLOTS].append((sock.send, bytearray(PACKET_SIZE), n + 1))
        self._heard: dict[int, int] = {}
        self._frames = 0

    def run(self, seconds: float) -> Load:
        """Send and hear for some seconds; longer when it does not get enough of the machine."""
        start = time.monotonic()
        load = Load()
        for slot in range(round(seconds / FRAME) * SLOTS):
            due = start + slot * FRAME / SLOTS
            self._hear_until(due, load)
            load.behind = max(load.behind, time.monotonic() - due)
            load.sent += self._send(slot % SLOTS)
            self._frames += slot % SLOTS == SLOTS - 1
        load.seconds = time.monotonic() - start
        return load

    def _hear_until(self, due: float, load: Load) -> None:
        """Hear what comes until the time `due`, at least what is there."""
        heard, receivers, poll = self._heard, self._receivers, self._epoll.poll
        read, now, add = _stamp.unpack_from, time.monotonic_ns, load.delays.append
        buffer = bytearray(2048)
        wait = max(0.0, due - time.monotonic())
        while wait >= 0:
            for descriptor, _ in poll(wait, 256):
                receivers[descriptor](buffer)
                sent_at, number = read(buffer, 12)
                add(now() - sent_at)
                expected = heard.get(descriptor, number)
                heard[descriptor] = number + 1
                load.lost += number - expected
            wait = due - time.monotonic()

    def _send(self, slot: int) -> int:
        write, now, frame = _packet.pack_into, time.monotonic_ns, self._frames
        sequence, timestamp = frame & 0xFFFF, frame * 160 & 0xFFFF_FFFF
        for send, packet, ssrc in self._slots[slot]:
            write(packet, 0, 0x8000, sequence, timestamp, ssrc, now(), frame)
            send(packet)
        return len(self._slots[slot])


def _socket(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((HOST, 0))
    sock.connect((HOST, port))
    sock.setblocking(False)
    return sock


def _percentile(ordered: Sequence[int], share: float) -> float:
    """Return a delay in milliseconds out of sorted nanoseconds."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6


def main() -> None:
    """Be one run of the load."""
    order = json.loads(sys.stdin.readline())
    generator = Generator(order["ports"])
    print(json.dumps([sock.getsockname()[1] for sock in generator.sockets]), flush=True)
    sys.stdin.readline()
    gc.disable()
    generator.run(order["settle"])
    print("open", flush=True)
    load = generator.run(order["seconds"])
    print("closed", flush=True)
    delays = sorted(load.delays)
    seen = {
        "seconds": load.seconds,
        "sent": load.sent,
        "lost": load.lost,
        "behind_ms": load.behind * 1000,
        "delay_ms": {"p50": _percentile(delays, 0.5), "p99": _percentile(delays, 0.99)},
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
