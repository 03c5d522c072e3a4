"""Events as a WebSocket: `/api/v1/events?after=SEQ`.

One text message per event: `{"seq": 7, "at": "2026-…Z", "event": "CallStarted", "call": …}`. `seq`
rises by one; a client that lost its connection asks again with `after` = the last number it saw and
gets what it missed, from the bus's memory and, further back, from the database. A client that does
not read fast enough is cut off (1013) and does the same; events are never dropped from the middle.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from pbx.api.access import CALLER
from pbx.api.office import Office
from pbx.api.views import utc_text
from pbx.errors import CallpbxError, NotRunning
from pbx.events.bus import Bus, Stamped

MAX_WAITING = 5000
"""Events that may wait for one client."""

STORED_PAGE = 1000
TOO_SLOW = 1013  # RFC 6455's registry: try again later
SERVER_ERROR = 1011

router = APIRouter()


def event_text(stamped: Stamped) -> str:
    """Return an event as the stream sends it: one flat JSON object."""
    flat = {"seq": stamped.seq, "at": utc_text(stamped.at), **msgspec.to_builtins(stamped.event)}
    return msgspec.json.encode(flat).decode()


class Waiting:
    """Events on their way to one client; a sink of the bus."""

    def __init__(self) -> None:
        self._events: deque[Stamped] = deque()
        self._arrived = asyncio.Event()
        self.too_slow = False

    def __call__(self, stamped: Stamped) -> None:
        """Take one event, unless the client is already given up."""
        if len(self._events) >= MAX_WAITING:
            self.too_slow = True
        else:
            self._events.append(stamped)
        self._arrived.set()

    async def take(self) -> Stamped | None:
        """Return the next event, waiting for it; None once the client was too slow."""
        while not self._events and not self.too_slow:
            self._arrived.clear()
            await self._arrived.wait()
        return None if self.too_slow else self._events.popleft()


async def missed(office: Office, bus: Bus, after: int) -> AsyncIterator[Stamped]:
    """Yield the events from `after` to now, oldest first: stored ones, then those in memory."""
    while after + 1 < bus.oldest_seq:
        page = await office.records.events_after(after, limit=STORED_PAGE)
        for stamped in page:
            if stamped.seq > after:
                after = stamped.seq
                yield stamped
        if len(page) < STORED_PAGE:
            break
    for stamped in bus.since(after):
        yield stamped


@router.websocket("/events")
async def stream_events(websocket: WebSocket, after: int | None = None) -> None:
    """Send events as they happen, after those that the client missed."""
    office: Office = websocket.app.state.office
    if CALLER not in websocket.scope:
        await websocket.close(1008)
        return
    if office.bus is None:
        await websocket.close(SERVER_ERROR, str(NotRunning()))
        return
    await websocket.accept()
    waiting = Waiting()
    detach = office.bus.attach(waiting)
    reading = asyncio.create_task(_until_gone(websocket))
    sending = asyncio.create_task(_send(websocket, office, office.bus, after, waiting))
    try:
        await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        detach()
        reading.cancel()
        sending.cancel()
        await asyncio.gather(reading, sending, return_exceptions=True)


async def _send(
    websocket: WebSocket, office: Office, bus: Bus, after: int | None, waiting: Waiting
) -> None:
    # A number that this office has not reached yet is from another one: begin with what comes.
    last = bus.last_seq if after is None else min(after, bus.last_seq)
    try:
        async for stamped in missed(office, bus, last):
            last = stamped.seq
            await websocket.send_text(event_text(stamped))
        while (next_one := await waiting.take()) is not None:
            if next_one.seq > last:
                last = next_one.seq
                await websocket.send_text(event_text(next_one))
        await websocket.close(TOO_SLOW, f"too slow; ask again with after={last}")
    except WebSocketDisconnect:
        return
    except CallpbxError as error:
        await websocket.close(SERVER_ERROR, str(error))


async def _until_gone(websocket: WebSocket) -> None:
    """Return when the client has left; what it sends is ignored."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
