"""What a worker has to tell, kept until the signalling process takes it.

The channel may be full while the server is busy, and a worker never waits for it: audio would
stutter. So an event that finds no room is kept and goes out in its turn later. Figures and load
are not kept: newer ones follow. Keys and freed legs are never lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pbx.media.protocol import MAX_BATCH, AnyWorkerEvent, LegReport, WorkerLoad, encode

MAX_WAITING: Final = 100_000
"""Events kept for a server that does not read; when there are more it is gone for good."""


class Outbox:
    """Sends events by `send`, which raises BlockingIOError when there is no room.

    `wait_for_room` is called with True when `flush` should be called as soon as there is some, and
    with False when nothing waits any more.
    """

    def __init__(
        self, send: Callable[[bytes], object], wait_for_room: Callable[[bool], None]
    ) -> None:
        self._send = send
        self._wait_for_room = wait_for_room
        self._waiting: deque[bytes] = deque()
        self._gathered: list[AnyWorkerEvent] | None = None
        self.dropped = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all that is posted within the block go out as one datagram (or a few)."""
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            for start in range(0, len(gathered), MAX_BATCH):
                batch = gathered[start : start + MAX_BATCH]
                self._post(encode(*batch), droppable=False)

    def post(self, event: AnyWorkerEvent) -> None:
        """Send an event now, with its batch, or when there is room; events stay in order."""
        if self._gathered is not None:
            self._gathered.append(event)
        else:
            self._post(encode(event), droppable=isinstance(event, LegReport | WorkerLoad))

    def _post(self, datagram: bytes, *, droppable: bool) -> None:
        if not self._waiting and self._sent(datagram):
            return
        if droppable or len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        if not self._waiting:
            self._wait_for_room(True)
        self._waiting.append(datagram)

    def flush(self) -> None:
        """Send what waits, as far as there is room."""
        if not self._waiting:
            return
        while self._waiting and self._sent(self._waiting[0]):
            self._waiting.popleft()
        if not self._waiting:
            self._wait_for_room(False)

    def _sent(self, datagram: bytes) -> bool:
        try:
            self._send(datagram)
        except BlockingIOError:
            return False
        except OSError:  # the other end is closed: reading the channel will tell
            self.dropped += 1
        return True
