"""A hundred voices through a server, and the pauses that their listeners hear.

    python -m tests.kit.gaps

That process binds two UDP sockets on loopback, a mouth and an ear, and writes their ports as a line
of JSON. Then it reads a line with the ports to speak to, and speaks G.711 frames of 20 ms to all of
them from the mouth, each with the time when it was sent. What comes to the ear is noted with the
kernel's time of arrival, so that it does not matter when this process gets to look. Each further
line is answered with what was heard since the one before; an empty one ends it.

A pause in what was sent is no pause of the server's: only those count that the mouth did not make.
Even so a busy machine makes pauses in any relay: they show while nothing else is done.
"""

from __future__ import annotations

import gc
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Self

HOST = "127.0.0.1"
FRAME_S = 0.020
SLOTS = 20
LONG_MS = 40.0
ANSWERED_EVERY = 250
"""Frames after which the ear speaks too, once: who is silent for long is asked whether it lives."""

SO_TIMESTAMPNS = 35  # Linux, asm-generic/socket.h

_PACKET = struct.Struct("!HHIIQI148x")  # RTP header, time of sending in ns, number, silence
_STAMP = struct.Struct("!QI")
_TIMESPEC = struct.Struct("qq")


@dataclass
class Heard:
    """What the ear heard: `voices` in all, packets `sent` and `missing`; the longest pause, the
    longest of those that the mouth did not make itself, and how many of these are longer than
    40 ms; `behind_ms` is how late the mouth was at worst."""

    voices: int = 0
    sent: int = 0
    missing: int = 0
    longest_ms: float = 0.0
    of_server_ms: float = 0.0
    long: int = 0
    behind_ms: float = 0.0


class Voices:
    """The mouth and the ear."""

    def __init__(self) -> None:
        self.mouth, self.ear = _bound(), _bound()
        self.ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.heard = Heard()
        self._last: dict[int, tuple[int, int, int]] = {}
        """By port of the server: when the last packet came and was sent (ns), and its number."""

    def run(self, ports: Sequence[int]) -> None:
        """Speak to all ports, and hear, until stdin has an empty line."""
        start, slot = time.monotonic(), 0
        while True:
            if select.select((sys.stdin,), (), (), 0)[0]:
                ends = not sys.stdin.readline().strip()
                self.heard.voices = len(self._last)
                print(json.dumps(asdict(self.heard)), flush=True)
                if ends:
                    return
                self.heard = Heard()
            due = start + slot * FRAME_S / SLOTS
            self._hear_until(due)
            self.heard.behind_ms = max(self.heard.behind_ms, (time.monotonic() - due) * 1000)
            self._speak(ports[slot % SLOTS :: SLOTS], slot // SLOTS)
            slot += 1

    def _speak(self, ports: Sequence[int], frame: int) -> None:
        for port in ports:
            packet = _PACKET.pack(
                0x8000, frame & 0xFFFF, frame * 160 & 0xFFFFFFFF, port, time.time_ns(), frame
            )
            self.mouth.sendto(packet, (HOST, port))
        self.heard.sent += len(ports)

    def _hear_until(self, due: float) -> None:
        while (wait := due - time.monotonic()) > 0:
            if select.select((self.ear,), (), (), wait)[0]:
                self._hear()

    def _hear(self) -> None:
        datagram, notes, _, sender = self.ear.recvmsg(2048, 64)
        seconds, nanoseconds = _TIMESPEC.unpack(notes[0][2][: _TIMESPEC.size])
        arrived = seconds * 1_000_000_000 + nanoseconds
        sent, number = _STAMP.unpack_from(datagram, 12)
        if number % ANSWERED_EVERY == 0:
            self.ear.sendto(datagram, sender)
        before = self._last.get(sender[1])
        self._last[sender[1]] = arrived, sent, number
        if before is None:
            return
        self.heard.missing += number - before[2] - 1
        pause, own = (arrived - before[0]) / 1e6, (sent - before[1]) / 1e6
        self.heard.longest_ms = max(self.heard.longest_ms, pause)
        if own < LONG_MS:
            self.heard.of_server_ms = max(self.heard.of_server_ms, pause)
            self.heard.long += pause > LONG_MS


class Listening:
    """The process, as a test sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.gaps"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.mouth, self.ear = json.loads(self._line())

    def speak_to(self, ports: Sequence[int]) -> None:
        """Begin to speak, and to listen."""
        self._tell(json.dumps(ports))

    def heard(self) -> Heard:
        """Return what was heard since this was asked last."""
        self._tell("heard")
        return Heard(**json.loads(self._line()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._tell("")
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((HOST, 0))
    return sock


def main() -> None:
    """Speak and listen once, before all others where the system allows it."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    voices = Voices()
    print(json.dumps([sock.getsockname()[1] for sock in (voices.mouth, voices.ear)]), flush=True)
    ports = json.loads(sys.stdin.readline())
    gc.disable()
    voices.run(ports)


if __name__ == "__main__":
    main()
