"""What a call needs of the media side: ports to write into SDP, and a way to send commands.

`MediaEngine` is the seam (architecture §2): behind it stands `engine_client.EngineClient` with our
own workers, or `tests.kit.media.FakeMediaEngine` in memory. All of it is synchronous: a worker has
announced its bound ports beforehand, and commands have no reply. What comes of them arrives by the
two callbacks below, which an engine is built with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from pbx.media.protocol import AnyCommand, AnyWorkerEvent

Family = Literal[4, 6]
"""IP version of an address or a port."""

OnEvent = Callable[[int, AnyWorkerEvent], None]
"""Called with a worker's number and what it says of a leg, in the order it happened."""

OnWorkerLost = Callable[[int, frozenset[int]], None]
"""Called once with the number of a worker that died and the legs that died with it.

No `LegFreed` follows for them.
"""


class MediaPort(NamedTuple):
    """A bound RTP port of one worker; RTCP is one above.

    Worker numbers are not used twice in one run: the port of a worker that died stays dead.
    """

    worker: int
    port: int
    family: Family


class MediaEngine(Protocol):
    """Bound ports in stock, and commands to the worker that holds them."""

    def take_port(self, family: Family, *, beside: MediaPort | None = None) -> MediaPort:
        """Return a bound port that nobody else has; raise NoResource when none is in stock.

        `beside` asks for a port of the same worker, as two legs can be joined only there; without
        it the least loaded worker gives one. A taken port is the caller's until `give_back`, or
        until the leg that AddLeg gave it to is freed.
        """

    def give_back(self, port: MediaPort) -> None:
        """Return a taken port that no AddLeg was sent for; no effect when its worker is gone."""

    def send(self, port: MediaPort, command: AnyCommand) -> None:
        """Send `command` to the worker of `port`, in order, without waiting.

        When that worker is gone, a leg that AddLeg would have added is reported to `OnWorkerLost`
        soon after; any other command is without effect.
        """

    def move(self, port: MediaPort, leg: int, *, beside: MediaPort) -> MediaPort:
        """Bring the leg on `port` to the worker of `beside`; return its port as it is from now on.

        Commands sent after this reach the leg there, in order. Without effect, but for the same
        port returned, when one of the workers is gone.
        """

    def next_leg(self) -> int:
        """Return a leg number that was never used in this run."""

    def next_bridge(self) -> int:
        """Return a number for a bridge or a recording that was never used in this run."""
