"""Parties that talk and hear, in a process of its own: the load of the conference benchmark.

    python -m benchmarks.talk_generator

As `rtp_generator`, for sound that is mixed: what comes back is not what was sent, so loss is told
by sequence numbers, and punctuality by the time between a party's packets. The order may name
`speaks`, the number of parties that talk (all without it), and `payload_types`, one for each port.
"""

from __future__ import annotations

import gc
import json
import random
import select
import struct
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.rtp_generator import FRAME, PACKET_SIZE, SLOTS, Load, _percentile, _socket

_header = struct.Struct("!HHII")
_sequence = struct.Struct("!H")

SPEECH = 50
"""Packets of sound before it repeats."""


class Parties:
    """Sockets that talk to `ports`, in one loop."""

    def __init__(self, ports: Sequence[int], payload_types: Sequence[int], speaks: int) -> None:
        self.sockets = [_socket(port) for port in ports]
        self._epoll = select.epoll()
        for sock in self.sockets:
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._receivers = {sock.fileno(): sock.recv_into for sock in self.sockets}
        self._slots: list[list[tuple[Any, bytearray, int, int]]] = [[] for _ in range(SLOTS)]
        for n, sock in enumerate(self.sockets[:speaks]):
            packet = bytearray(PACKET_SIZE)
            self._slots[n * 7 % SLOTS].append((sock.send, packet, n + 1, payload_types[n]))
        chance = random.Random(1)
        # Soft noise in either law: exponents up to the fourth segment, both signs.
        self._speech = [
            bytes(chance.randrange(0x30, 0x80) | chance.choice((0, 0x80)) for _ in range(160))
            for _ in range(SPEECH)
        ]
        self._heard: dict[int, tuple[int, int]] = {}
        self._frames = 0
        self.packets = 0

    def run(self, seconds: float) -> Load:
        """Talk and hear for some seconds; `delays` are times between packets, ns."""
        start = time.monotonic()
        load = Load()
        self.packets = 0
        for slot in range(round(seconds / FRAME) * SLOTS):
            due = start + slot * FRAME / SLOTS
            self._hear_until(due, load)
            load.behind = max(load.behind, time.monotonic() - due)
            load.sent += self._send(slot % SLOTS)
            self._frames += slot % SLOTS == SLOTS - 1
        load.seconds = time.monotonic() - start
        return load

    def _hear_until(self, due: float, load: Load) -> None:
        heard, receivers, poll = self._heard, self._receivers, self._epoll.poll
        read, now, add = _sequence.unpack_from, time.monotonic_ns, load.delays.append
        buffer = bytearray(2048)
        wait = max(0.0, due - time.monotonic())
        while wait >= 0:
            for descriptor, _ in poll(wait, 256):
                receivers[descriptor](buffer)
                (sequence,) = read(buffer, 2)
                at = now()
                before, then = heard.get(descriptor, (sequence - 1, 0))
                heard[descriptor] = sequence, at
                load.lost += (sequence - before - 1) & 0xFFFF
                self.packets += 1
                if then:
                    add(at - then)
            wait = due - time.monotonic()

    def _send(self, slot: int) -> int:
        write, frame = _header.pack_into, self._frames
        sequence, timestamp = frame & 0xFFFF, frame * 160 & 0xFFFF_FFFF
        for send, packet, ssrc, payload_type in self._slots[slot]:
            write(packet, 0, 0x8000 | payload_type, sequence, timestamp, ssrc)
            packet[12:] = self._speech[(frame + ssrc) % SPEECH]
            send(packet)
        return len(self._slots[slot])


def main() -> None:
    """Be one run of the load."""
    order = json.loads(sys.stdin.readline())
    ports = order["ports"]
    types = order.get("payload_types", [0] * len(ports))
    parties = Parties(ports, types, order.get("speaks", len(ports)))
    print(json.dumps([sock.getsockname()[1] for sock in parties.sockets]), flush=True)
    sys.stdin.readline()
    gc.disable()
    parties.run(order["settle"])
    print("open", flush=True)
    load = parties.run(order["seconds"])
    print("closed", flush=True)
    gaps = sorted(load.delays) or [0]
    seen = {
        "seconds": load.seconds,
        "sent": load.sent,
        "heard": parties.packets,
        "lost": load.lost,
        "behind_ms": load.behind * 1000,
        "gap_ms": {"p50": _percentile(gaps, 0.5), "p99": _percentile(gaps, 0.99)},
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
