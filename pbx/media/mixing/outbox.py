"""What a worker has to tell, kept until the signalling process takes it.

The channel may be full while the server is busy, and a worker never waits for it: audio would
stutter. So an event that finds no room is kept and goes out in its turn later. Figures and load
are not kept: newer ones follow. Keys and freed legs are never lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from pbx.media.protocol import MAX_BATCH, AnyWorkerEvent, LegReport, WorkerLoad, encode

MAX_WAITING: Final = 100_000
"""Events kept for a server that does not read; when there are more it is gone for good."""


class Luggage(Protocol):
    """An open socket that goes along with an event."""

    def fileno(self) -> int:
        """Return its descriptor."""

    def close(self) -> None:
        """Close it here, once it is sent."""


class _Parcel(NamedTuple):
    """A datagram, and what goes along with it."""

    datagram: bytes
    luggage: Sequence[Luggage] = ()


class Outbox:
    """Sends events by `send`, which raises BlockingIOError when there is no room.

    `send` gets a datagram, and the descriptors that go along with it where there are any.
    `wait_for_room` is called with True when `flush` should be called as soon as there is some, and
    with False when nothing waits any more.
    """

    def __init__(self, send: Callable[..., object], wait_for_room: Callable[[bool], None]) -> None:
        self._send = send
        self._wait_for_room = wait_for_room
        self._waiting: deque[_Parcel] = deque()
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
            self._post_all(gathered)

    def post(self, event: AnyWorkerEvent) -> None:
        """Send an event now, with its batch, or when there is room; events stay in order."""
        if self._gathered is not None:
            self._gathered.append(event)
        else:
            parcel = _Parcel(encode(event))
            self._post(parcel, droppable=isinstance(event, LegReport | WorkerLoad))

    def hand_over(self, event: AnyWorkerEvent, luggage: Sequence[Luggage]) -> None:
        """Send an event with open sockets, in its turn; they are closed here when it is sent."""
        if self._gathered:
            earlier, self._gathered = self._gathered, []
            self._post_all(earlier)
        self._post(_Parcel(encode(event), luggage), droppable=False)

    def close(self) -> None:
        """Close the sockets that wait to be sent: there is nobody to take them."""
        for parcel in self._waiting:
            _close(parcel)
        self._waiting.clear()

    def _post_all(self, events: Sequence[AnyWorkerEvent]) -> None:
        for start in range(0, len(events), MAX_BATCH):
            self._post(_Parcel(encode(*events[start : start + MAX_BATCH])), droppable=False)

    def _post(self, parcel: _Parcel, *, droppable: bool) -> None:
        if not self._waiting and self._sent(parcel):
            return
        if droppable or len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            _close(parcel)
            return
        if not self._waiting:
            self._wait_for_room(True)
        self._waiting.append(parcel)

    def flush(self) -> None:
        """Send what waits, as far as there is room."""
        if not self._waiting:
            return
        while self._waiting and self._sent(self._waiting[0]):
            self._waiting.popleft()
        if not self._waiting:
            self._wait_for_room(False)

    def _sent(self, parcel: _Parcel) -> bool:
        try:
            if parcel.luggage:
                self._send(parcel.datagram, [each.fileno() for each in parcel.luggage])
            else:
                self._send(parcel.datagram)
        except BlockingIOError:
            return False
        except OSError:  # the other end is closed: reading the channel will tell
            self.dropped += 1
        _close(parcel)
        return True


def _close(parcel: _Parcel) -> None:
    for each in parcel.luggage:
        each.close()
