"""[io] A media worker: the process that `engine_client` starts as `python -m pbx.media.worker`.

It has one channel to the signalling process, a SOCK_SEQPACKET socket: commands in, events out
(protocol.py), one datagram each. The channel is one reader among the others of the loop (tick.py).
Its end of file ends the process, and nothing else does: the terminal's Ctrl-C and the service
manager's SIGTERM reach the whole group, while the server still wants to say goodbye to its calls.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from pbx.media.descriptors import close_all, receive_with, send_with
from pbx.media.engine import Family
from pbx.media.mixing.outbox import Outbox
from pbx.media.mixing.switchboard import Switchboard
from pbx.media.mixing.tick import TickLoop
from pbx.media.packets.ports import PortStock
from pbx.media.packets.rtcp import NTP_EPOCH
from pbx.media.protocol import MAX_MESSAGE, AnyCommand, TakeLeg, WorkerLoad, decode_commands
from pbx.media.sounds.tone_plan import DEFAULT_COUNTRY, TONE_PLANS

LOAD_INTERVAL: Final = 1.0
"""Seconds between two reports of what the worker uses; they are its sign of life too."""

DATAGRAMS_PER_TURN: Final = 4
"""Datagrams of commands carried out before packets have their turn again."""

NICENESS: Final = -10
"""Where the system allows it, sound goes before everything that may be a moment late."""

COLLECT_AFTER: Final = (10_000, 20, 20)
"""Thresholds of the garbage collector: freed legs are garbage in cycles, packets make none."""

log = logging.getLogger(__name__)


class Worker:
    """Joins the channel, the switchboard and the loop."""

    def __init__(self, link: socket.socket, stock: PortStock, country: str) -> None:
        link.setblocking(False)
        self._link = link
        self._loop = TickLoop()
        self._buffer = bytearray(MAX_MESSAGE)
        self._outbox = Outbox(partial(send_with, link), self._wait_for_room)
        self._switchboard = Switchboard(
            stock,
            self._outbox,
            loop=self._loop,
            random_bits=random.SystemRandom().getrandbits,
            epoch=NTP_EPOCH + time.time() - self._loop.clock(),
            country=country,
        )
        self._measured_at = self._loop.clock()
        self._cpu_used = time.process_time()

    def run(self) -> None:
        """Serve until the channel ends."""
        now = self._loop.clock()
        self._loop.watch(self._link.fileno(), self._read_link)
        self._switchboard.start(now)
        self._report_load(now)
        self._loop.run()
        self._switchboard.close()
        self._outbox.close()
        self._loop.close()

    def _wait_for_room(self, wanted: bool) -> None:
        self._loop.watch_writing(self._link.fileno(), wanted)

    def _read_link(self, now: float) -> None:
        """Carry out what signalling asks. A worker that cannot hear it must not live on."""
        try:
            self._take_commands(now)
        except Exception:  # the fence: the server sees the end and starts another worker
            log.exception("the link to the server cannot be read; this worker ends")
            self._loop.stop()

    def _take_commands(self, now: float) -> None:
        self._outbox.flush()
        with self._outbox.together():
            for _ in range(DATAGRAMS_PER_TURN):
                try:
                    size, descriptors = receive_with(self._link, self._buffer)
                except BlockingIOError:
                    return
                except OSError:
                    size, descriptors = 0, []
                if not size:
                    self._loop.stop()
                    return
                for command in _read(bytes(self._buffer[:size])):
                    self._carry_out(command, descriptors, now)
                close_all(descriptors)

    def _carry_out(self, command: AnyCommand, descriptors: list[int], now: float) -> None:
        """Do what signalling asks. The fence: a command that fails harms no other leg."""
        try:
            if isinstance(command, TakeLeg):
                taken, descriptors[:] = descriptors[:], []
                self._switchboard.take(command, taken, now)
            else:
                self._switchboard.carry_out(command, now)
        except Exception:
            # By name alone: keys of SRTP and keys that are pressed are in no log.
            log.exception("%s of leg %s failed", type(command).__name__, _leg_of(command))

    def _report_load(self, now: float) -> None:
        self._loop.call_at(now + LOAD_INTERVAL, self._report_load)
        used, elapsed = time.process_time(), now - self._measured_at
        share = (used - self._cpu_used) / elapsed if elapsed > LOAD_INTERVAL / 2 else 0.0
        self._cpu_used, self._measured_at = used, now
        self._outbox.post(
            WorkerLoad(
                share,
                len(self._switchboard),
                self._loop.late_ticks,
                self._loop.ticks,
                self._switchboard.mixed,
                self._switchboard.music_frames,
            )
        )


def _leg_of(command: AnyCommand) -> int | None:
    return getattr(command, "leg", None)


def _read(datagram: bytes) -> list[AnyCommand]:
    try:
        return decode_commands(datagram)
    except msgspec.DecodeError as error:
        log.error("%d octets of commands cannot be read: %s", len(datagram), error)
        return []


def raise_descriptor_limit() -> None:
    """Let this process open as many descriptors as it is allowed to."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker on the channel that was inherited; return the exit status."""
    options = _parse(arguments)
    logging.basicConfig(
        level=options.log_level.upper(),
        format=f"%(asctime)s %(levelname)s media worker {options.worker}: %(message)s",
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise_descriptor_limit()
    with suppress(PermissionError):
        niceness = min(NICENESS, os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    low, high = options.ports
    hosts: dict[Family, str] = {4: options.bind4, 6: options.bind6}
    stock = PortStock(
        low=low,
        high=high,
        target=options.stock,
        hosts={family: host for family, host in hosts.items() if host != "none"},
    )
    gc.collect()
    gc.freeze()  # the modules and tables are never garbage: collections stay short
    gc.set_threshold(*COLLECT_AFTER)
    with socket.socket(fileno=options.fd) as link:
        Worker(link, stock, options.tones).run()
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pbx.media.worker", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the channel's descriptor")
    parser.add_argument("--worker", type=int, default=0, help="number for log lines")
    parser.add_argument("--ports", type=_parse_range, required=True, help="LO-HI, both included")
    parser.add_argument("--bind4", default="0.0.0.0", help="local IPv4 address, or none")
    parser.add_argument("--bind6", default="::", help="local IPv6 address, or none")
    parser.add_argument("--tones", choices=sorted(TONE_PLANS), default=DEFAULT_COUNTRY)
    parser.add_argument("--stock", type=int, default=64, help="pairs kept bound per family")
    parser.add_argument("--log-level", default="warning")
    return parser.parse_args(arguments)


def _parse_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdigit() and high.isdigit() and 1 <= int(low) < int(high) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text} is no range of ports")
    return int(low), int(high)


if __name__ == "__main__":
    sys.exit(main())
