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
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from pbx.media.engine import Family
from pbx.media.outbox import Outbox
from pbx.media.ports import PortStock
from pbx.media.protocol import MAX_MESSAGE, WorkerLoad, decode_command
from pbx.media.rtcp import NTP_EPOCH
from pbx.media.switchboard import Switchboard
from pbx.media.tick import TickLoop

LOAD_INTERVAL: Final = 1.0
"""Seconds between two reports of what the worker uses; they are its sign of life too."""

COMMANDS_PER_TURN: Final = 32
"""Commands carried out before packets have their turn again."""

log = logging.getLogger(__name__)


class Worker:
    """Joins the channel, the switchboard and the loop."""

    def __init__(self, channel: socket.socket, stock: PortStock) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._loop = TickLoop()
        self._outbox = Outbox(channel.send, self._wait_for_room)
        self._switchboard = Switchboard(
            stock,
            self._outbox,
            loop=self._loop,
            rng=random.SystemRandom(),
            epoch=NTP_EPOCH + time.time() - self._loop.clock(),
        )
        self._measured_at = self._loop.clock()
        self._cpu_used = time.process_time()

    def run(self) -> None:
        """Serve until the channel ends."""
        now = self._loop.clock()
        self._loop.watch(self._channel.fileno(), self._read_channel)
        self._switchboard.start(now)
        self._report_load(now)
        self._loop.run()
        self._switchboard.close()
        self._loop.close()

    def _wait_for_room(self, wanted: bool) -> None:
        self._loop.watch_writing(self._channel.fileno(), wanted)

    def _read_channel(self, now: float) -> None:
        self._outbox.flush()
        for _ in range(COMMANDS_PER_TURN):
            try:
                datagram = self._channel.recv(MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                datagram = b""
            if not datagram:
                self._loop.stop()
                return
            self._carry_out(datagram, now)

    def _carry_out(self, datagram: bytes, now: float) -> None:
        """Do what a datagram says. The fence: a command that fails harms no other leg."""
        try:
            self._switchboard.carry_out(decode_command(datagram), now)
        except msgspec.DecodeError as error:
            log.error("a command of %d octets cannot be read: %s", len(datagram), error)
        except Exception:
            log.exception("a command failed: %r", datagram[:200])

    def _report_load(self, now: float) -> None:
        self._loop.call_at(now + LOAD_INTERVAL, self._report_load)
        used, elapsed = time.process_time(), now - self._measured_at
        share = (used - self._cpu_used) / elapsed if elapsed > 0 else 0.0
        self._cpu_used, self._measured_at = used, now
        self._outbox.post(WorkerLoad(share, len(self._switchboard), self._loop.late_ticks))


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
    with socket.socket(fileno=options.fd) as channel:
        Worker(channel, stock).run()
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pbx.media.worker", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the channel's descriptor")
    parser.add_argument("--worker", type=int, default=0, help="number for log lines")
    parser.add_argument("--ports", type=_parse_range, required=True, help="LO-HI, both included")
    parser.add_argument("--bind4", default="0.0.0.0", help="local IPv4 address, or none")
    parser.add_argument("--bind6", default="::", help="local IPv6 address, or none")
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
