"""A media worker without media: what `EngineClient` is tested against. Run as a program.

It takes the real command line, announces its ports at once and answers FreeLeg. Playing a file of a
certain name makes it misbehave: `crash`, `garbage`, `litter` (descriptors beside an event that has
none), `forget` (it never had the leg), `environment` (the sentence of PlaybackDone is then what it
was started with), or `log` (the sentence is what it was told of the leg). A leg that is given takes
its log along, and two sockets; one that had to send digits cannot be taken.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
from collections import defaultdict

from pbx.media.descriptors import close_all, receive_with, send_with
from pbx.media.protocol import (
    MAX_MESSAGE,
    AddLeg,
    AnyCommand,
    AnyWorkerEvent,
    FreeLeg,
    GiveLeg,
    LegFreed,
    LegGiven,
    Play,
    PlaybackDone,
    PortsExhausted,
    PortsReady,
    StreamFigures,
    TakeLeg,
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
    for name in ("--ports", "--bind4", "--bind6", "--tones", "--log-level"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    with socket.socket(fileno=arguments.fd) as line:
        Toy(line, arguments).serve()


class Toy:
    """The worker's end of the line, and what was asked of each leg."""

    def __init__(self, line: socket.socket, arguments: argparse.Namespace) -> None:
        self.line = line
        self.arguments = arguments
        self.logs: dict[int, list[str]] = defaultdict(list)

    def serve(self) -> None:
        """Announce, then answer commands."""
        low, high = map(int, self.arguments.ports.split("-"))
        ports = tuple(range(low, high, 2))[: self.arguments.stock]
        self.say(PortsReady(4, ports))
        if self.arguments.bind6 == "none":
            self.say(PortsExhausted(6))
        else:
            self.say(PortsReady(6, ports))
        self.say(WorkerLoad(0.25, 0, 7))
        buffer = bytearray(MAX_MESSAGE)
        while True:
            size, descriptors = receive_with(self.line, buffer)
            if not size:
                return
            for command in decode_commands(bytes(buffer[:size])):
                self.carry_out(command, descriptors)
            close_all(descriptors)

    def say(self, event: AnyWorkerEvent) -> None:
        """Send one event."""
        self.line.send(encode(event))

    def carry_out(self, command: AnyCommand, descriptors: list[int]) -> None:
        """Do what a command says, or what its file's name asks for."""
        if not isinstance(command, FreeLeg | GiveLeg):
            self.note(command, len(descriptors))
        match command:
            case FreeLeg(leg):
                self.logs.pop(leg, None)
                self.say(LegFreed(leg, StreamFigures(), StreamFigures()))
            case GiveLeg(leg):
                self.give(leg)
            case TakeLeg(leg) if "SendDigits" in self.logs[leg]:
                del self.logs[leg]
                self.say(LegGiven(leg, None))
            case Play(leg, playback, ("log",)):
                told = " ".join(self.logs[leg])
                self.say(PlaybackDone(leg, playback, finished=True, error=told))
            case Play(leg, playback, ("environment",)):
                told = f"{os.environ['OPENBLAS_NUM_THREADS']} {vars(self.arguments)}"
                self.say(PlaybackDone(leg, playback, finished=True, error=told))
            case Play(leg, _, ("forget",)):
                del self.logs[leg]
            case Play(_, _, ("crash",)):
                os._exit(3)
            case Play(leg, playback, ("litter",)):
                send_with(self.line, encode(PlaybackDone(leg, playback, True)), (0, 1))
            case Play(leg, playback, ("garbage",)):
                self.line.send(b"\xc1\xc1")
                self.say(PlaybackDone(leg, playback, finished=True))
            case _:
                pass

    def note(self, command: AnyCommand, descriptors: int) -> None:
        """Write down what was asked of a leg."""
        leg = getattr(command, "leg", 0)
        if isinstance(command, TakeLeg):
            self.logs[leg] = [*command.state.decode().split(), f"TakeLeg+{descriptors}"]
        else:
            self.logs[leg].append(type(command).__name__)

    def give(self, leg: int) -> None:
        """Part with a leg that was added or taken here."""
        log = self.logs.pop(leg, [])
        if not {AddLeg.__name__, "TakeLeg+2"} & set(log):
            self.say(LegGiven(leg, None))
            return
        pair = socket.socketpair()
        given = encode(LegGiven(leg, " ".join(log).encode()))
        send_with(self.line, given, [end.fileno() for end in pair])
        for end in pair:
            end.close()


if __name__ == "__main__":
    main()
