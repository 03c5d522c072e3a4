"""Callers who press keys in menus and hear prompts, in a process of its own: the load of menus.py.

    python -m benchmarks.menu_callers

Reads one JSON document from stdin (`Order`), calls the office by SIP as a trunk does, talks on
every call all the time, and presses 1 again and again: each key leads from a menu whose prompt is a
low tone to one whose prompt is a high one, and back. Writes a line when the callers have settled,
one when keys begin, one when they have ended, and one with what was seen.

The time of a packet that comes is the kernel's; that of a key is taken before it is sent. Keys are
pressed at any moment of the worker's 20 ms, as people do.
"""

from __future__ import annotations

import gc
import heapq
import json
import random
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from pbx.media.codecs.registry import ARRAY_CODECS

HOST: Final = "127.0.0.1"
FRAME: Final = 0.020
KEY_FRAMES: Final = 3
"""Packets of a key that is held, before the three that end it."""

CALL_STEPS: Final = 40
"""Steps of a call, after which the caller calls again: a call's steps are limited."""

LOST_AFTER: Final = 2.0
"""Seconds after which a prompt that was not heard counts as missing."""

SO_TIMESTAMPNS: Final = 35  # <asm-generic/socket.h>
EVENT: Final = 101

CODECS: Final = {"PCMU": (0, 8000), "G722": (9, 8000), "opus": (111, 48000)}
"""Codec → payload type, and the RTP clock in Hz."""

NOTHING, LOW, HIGH = 0, 1, 2
_SIGNS: Final = bytes(ord("+") if octet & 0x80 else ord("-") for octet in range(256))
_header = struct.Struct("!BBHII")
_event = struct.Struct("!BBH")


@dataclass(frozen=True)
class Order:
    """What is to be done: `callers` at once, who press a key every `every` seconds until there were
    `steps` in all; `quiet` seconds before that nobody presses any."""

    server: int
    port: int
    number: str
    callers: int = 1
    codec: str = "PCMU"
    every: float = 0.4
    steps: int = 200
    quiet: float = 3.0


@dataclass
class Seen:
    """What came of it; times in ms. `step` is from the end of a key to the next prompt, `press`
    from its beginning; `stop` from its beginning to the last packet of the prompt before. `late` is
    how late the load itself was with each of its packets: what the machine adds to all of them."""

    step: list[float] = field(default_factory=list)
    press: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    missing: int = 0
    late: list[float] = field(default_factory=list)
    quiet_s: float = 0.0
    keys_s: float = 0.0


class Line:
    """A trunk's line to the office: calls by SIP over UDP, without a transaction layer."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, order.port))
        self._socket.settimeout(5.0)
        self._calls = 0

    def call(self, media: int) -> tuple[Callable[[], None], int]:
        """Make a call whose media is at a port; return what ends it, and the office's port."""
        self._calls += 1
        order, me = self._order, f"{HOST}:{self._order.port}"
        uri = f"sip:{order.number}@{HOST}:{order.server}"
        call, tag = f"menus-{order.port}-{self._calls}", f"t{self._calls}"
        sdp = _description(media, order.codec)

        def request(method: str, number: int, to: str, more: str = "", body: str = "") -> None:
            via = f"SIP/2.0/UDP {me};branch=z9hG4bK{call}-{method}"
            self._send(
                f"{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:5550{self._calls}@{me}>;tag={tag}\r\nTo: {to}\r\n"
                f"Call-ID: {call}\r\nCSeq: {number} {method}\r\n"
                f"Contact: <sip:trunk@{me}>\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
            )

        request("INVITE", 1, f"<{uri}>", "Content-Type: application/sdp\r\n", sdp)
        answer = self._answer(call)
        to = re.search(r"(?im)^To: (.*)\r$", answer)
        port = re.search(r"m=audio (\d+)", answer)
        assert to is not None, answer
        assert port is not None, answer
        request("ACK", 1, to[1])
        return lambda: request("BYE", 2, to[1]), int(port[1])

    def _send(self, message: str) -> None:
        self._socket.sendto(message.encode(), (HOST, self._order.server))

    def _answer(self, call: str) -> str:
        """Return the 200 of an INVITE; all else that comes is none of our business."""
        while True:
            message = self._socket.recv(65536).decode()
            if call in message and "INVITE" in message and not message.startswith("SIP/2.0 1"):
                assert message.startswith("SIP/2.0 200"), message
                return message


class Caller:
    """One caller: talks, presses keys, and notes when prompts begin and end."""

    def __init__(self, line: Line, order: Order, seen: Seen) -> None:
        self._line, self._order, self._seen = line, order, seen
        self._type, self._clock = CODECS[order.codec]
        codec = ARRAY_CODECS[order.codec]
        self._tell = _signs_of_law if order.codec == "PCMU" else _Decoder(order.codec).signs
        self._voice = _silence(codec)
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(15)
        self._time = random.getrandbits(30)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((HOST, 0))
        self._end: Callable[[], None] | None = None
        self._steps = 0
        self._script: Iterator[None] | None = None
        self._prompt = NOTHING
        self._before = NOTHING
        self._heard_at = 0.0
        """When the last packet of the prompt came."""
        self._down = self._up = 0.0

    @property
    def busy(self) -> bool:
        """Return whether a key was pressed whose prompt was not heard yet."""
        return self._down > 0

    def dial(self) -> None:
        """Make a call, in place of the last one."""
        self.hang_up()
        self._end, port = self._line.call(self.socket.getsockname()[1])
        self.socket.connect((HOST, port))
        self._steps = 0
        self._prompt = NOTHING

    def hang_up(self) -> None:
        """End the call."""
        if self._end is not None:
            self._end()
            self._end = None

    def press(self) -> None:
        """Begin to press a key with the next frame."""
        if self._down and time.time() - self._down > LOST_AFTER:
            self._seen.missing += 1
            self._down = 0.0
            self.dial()
        elif not self._down and self._prompt != NOTHING:
            if self._steps == CALL_STEPS:
                self.dial()
                return
            self._steps += 1
            self._script = self._press()

    def frame(self) -> None:
        """Send the packet of the next 20 ms."""
        if self._script is None or next(self._script, self) is self:
            self._script = None
            self._send(self._type, self._voice)
        self._time += self._clock // 50

    def hear(self) -> None:
        """Take one packet."""
        packet, ancillary, _, _ = self.socket.recvmsg(2048, 64)
        at = _time_of(ancillary)
        prompt = self._tell(packet[12:]) if packet[1] & 0x7F == self._type else NOTHING
        if prompt == NOTHING:
            return
        if self._down and prompt != self._before:
            if self._up:
                self._note(at)
            else:  # before the key was let go: not ours
                self._seen.missing += 1
            self._down = self._up = 0.0
        self._prompt, self._heard_at = prompt, at

    def _note(self, at: float) -> None:
        seen = self._seen
        seen.step.append((at - self._up) * 1000)
        seen.press.append((at - self._down) * 1000)
        seen.stop.append(max(0.0, self._heard_at - self._down) * 1000)

    def _press(self) -> Iterator[None]:
        """Hold a key for 60 ms; each turn is a frame."""
        begun = self._time
        unit = self._clock // 50
        self._before, self._up, self._down = self._prompt, 0.0, time.time()
        for frame in range(KEY_FRAMES):
            self._send(EVENT, _event.pack(1, 10, unit * (frame + 1)), begun, frame == 0)
            yield
        self._up = time.time()
        for _ in range(3):
            self._send(EVENT, _event.pack(1, 0x80 | 10, unit * KEY_FRAMES), begun)
        yield

    def _send(self, kind: int, payload: bytes, at: int | None = None, mark: bool = False) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        stamp = (self._time if at is None else at) & 0xFFFF_FFFF
        head = _header.pack(0x80, kind | mark << 7, self._sequence, stamp, self._ssrc)
        with suppress(ConnectionRefusedError):  # the call before has just ended
            self.socket.send(head + payload)


class Callers:
    """All of them, in one loop."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self.seen = Seen()
        line = Line(order)
        self.all = [Caller(line, order, self.seen) for _ in range(order.callers)]
        self._epoll = select.epoll()
        self._by_descriptor = {caller.socket.fileno(): caller for caller in self.all}
        self._due: list[tuple[float, int]] = []

    def dial(self) -> None:
        """Let all of them call, one after the other."""
        now = time.monotonic()
        for number, caller in enumerate(self.all):
            caller.dial()
            self._epoll.register(caller.socket.fileno(), select.EPOLLIN)
            heapq.heappush(self._due, (now + random.random() * FRAME, number))
            self.run(until=lambda: True)

    def press(self) -> None:
        """Press keys until there were enough."""
        order, seen = self._order, self.seen
        now = time.monotonic()
        self._next = [now + random.random() * order.every for _ in self.all]
        self._end = now + order.steps * order.every / order.callers * 3 + 10
        self.run(
            until=lambda: len(seen.step) >= order.steps or time.monotonic() > self._end,
            pressing=True,
        )

    def run(self, *, until: Callable[[], bool], pressing: bool = False) -> None:
        """Talk and hear."""
        clock, order = time.monotonic, self._order
        while True:
            due, number = self._due[0]
            for descriptor, _ in self._epoll.poll(max(0.0, due - clock()), 256):
                self._by_descriptor[descriptor].hear()
            now = clock()
            while (late := now - self._due[0][0]) >= 0:
                due, number = heapq.heappop(self._due)
                if pressing:
                    self.seen.late.append(late * 1000)
                caller = self.all[number]
                if pressing and now >= self._next[number]:
                    self._next[number] = now + order.every * random.uniform(0.8, 1.2)
                    caller.press()
                    due += random.random() * FRAME  # at another moment of the worker's tick
                caller.frame()
                heapq.heappush(self._due, (max(due + FRAME, now - FRAME), number))
            if until():
                return


class _Decoder:
    """Tells the prompts of one listener apart who hears them in another codec than G.711."""

    def __init__(self, name: str) -> None:
        self._codec = ARRAY_CODECS[name]
        self._states = [self._codec.decoder()]

    def signs(self, payload: bytes) -> int:
        """Return which prompt it is."""
        (samples,) = self._codec.decode(self._states, [payload])
        last = samples[-len(samples) // 2 :]
        if abs(last).max() < 1000:
            return NOTHING
        rises = int(((last[1:] >= 0) & (last[:-1] < 0)).sum())
        return HIGH if rises > 10 else LOW


def _signs_of_law(payload: bytes) -> int:
    """Return which prompt a payload of G.711 holds: 500 Hz rises once in 16 samples, 2 kHz four
    times."""
    rises = payload[80:97].translate(_SIGNS).count(b"-+")
    return HIGH if rises > 2 else LOW if rises else NOTHING


def _silence(codec: Any) -> bytes:
    import numpy as np

    frame = np.zeros((1, codec.rate // 50), np.int16)
    state = codec.encoder()
    payload: bytes = codec.encode(None if state is None else [state], frame)[0]
    return payload


def _time_of(ancillary: list[tuple[int, int, bytes]]) -> float:
    """Return when the kernel took a packet, in seconds since the epoch."""
    for level, kind, stamp in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", stamp[:16])
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def _description(media: int, codec: str) -> str:
    kind, clock = CODECS[codec]
    name = {"PCMU": "PCMU/8000", "G722": "G722/8000", "opus": "opus/48000/2"}[codec]
    return (
        f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
        f"m=audio {media} RTP/AVP {kind} {EVENT}\r\na=rtpmap:{kind} {name}\r\n"
        f"a=rtpmap:{EVENT} telephone-event/{clock}\r\na=fmtp:{EVENT} 0-16\r\na=ptime:20\r\n"
    )


def main() -> None:
    """Be one run of the load."""
    order = Order(**json.loads(sys.stdin.readline()))
    callers = Callers(order)
    callers.dial()
    gc.disable()
    settled = time.monotonic() + 1.5
    callers.run(until=lambda: time.monotonic() >= settled)
    print("settled", flush=True)
    begun = time.monotonic()
    callers.run(until=lambda: time.monotonic() >= begun + order.quiet)
    callers.seen.quiet_s = time.monotonic() - begun
    print("keys", flush=True)
    begun = time.monotonic()
    callers.press()
    callers.seen.keys_s = time.monotonic() - begun
    print("closed", flush=True)
    for caller in callers.all:
        caller.hang_up()
    print(json.dumps(asdict(callers.seen)), flush=True)


if __name__ == "__main__":
    main()
