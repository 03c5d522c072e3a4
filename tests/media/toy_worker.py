"""A media worker without media: what `EngineClient` is tested against. Run as a program.

It takes the real command line, announces its ports at once and answers FreeLeg. Playing a file of a
certain name makes it misbehave: `crash`, `garbage`, or `environment` (the sentence of PlaybackDone
is then what it was started with).
"""

from __future__ import annotations

import argparse
import os
import signal
import socket

from pbx.media.protocol import (
    MAX_MESSAGE,
    AnyWorkerEvent,
    FreeLeg,
    LegFreed,
    Play,
    PlaybackDone,
    PortsExhausted,
    PortsReady,
    StreamFigures,
    WorkerLoad,
    decode_commands,
    encode,
)


def main() -> None:
    """Serve the socket until EOF."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser()
    for name in ("--fd", "--worker", "--stock"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--ports", "--bind4", "--bind6", "--log-level"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    with socket.socket(fileno=arguments.fd) as line:
        serve(line, arguments)


def serve(line: socket.socket, arguments: argparse.Namespace) -> None:
    """Announce, then answer commands."""

    def say(event: AnyWorkerEvent) -> None:
        line.send(encode(event))

    low, high = map(int, arguments.ports.split("-"))
    ports = tuple(range(low, high, 2))[: arguments.stock]
    say(PortsReady(4, ports))
    if arguments.bind6 == "none":
        say(PortsExhausted(6))
    else:
        say(PortsReady(6, ports))
    say(WorkerLoad(0.25, 0, 7))
    while datagram := line.recv(MAX_MESSAGE):
        for command in decode_commands(datagram):
            match command:
                case FreeLeg(leg):
                    say(LegFreed(leg, StreamFigures(), StreamFigures()))
                case Play(leg, playback, ("environment",)):
                    told = f"{os.environ['OPENBLAS_NUM_THREADS']} {vars(arguments)}"
                    say(PlaybackDone(leg, playback, finished=True, error=told))
                case Play(_, _, ("crash",)):
                    os._exit(3)
                case Play(leg, playback, ("garbage",)):
                    line.send(b"\xc1\xc1")
                    say(PlaybackDone(leg, playback, finished=True))
                case _:
                    pass


if __name__ == "__main__":
    main()
