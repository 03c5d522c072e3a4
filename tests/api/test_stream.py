"""The event WebSocket: replay, then live, in order and without gaps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from pbx.api.access import Administrator
from pbx.api.app import create_app
from pbx.api.stream import MAX_WAITING, TOO_SLOW, event_text
from pbx.events import AgentStateChanged, CallRouted
from pbx.events.bus import Bus, Stamped
from tests.api.office_double import Key, OfficeDouble
from tests.kit.clock import VirtualClock


class Socket:
    """One WebSocket, driven by hand."""

    def __init__(
        self, office: OfficeDouble, query: str, *, secret: str | None = None, trusted: bool = True
    ) -> None:
        app = create_app(office)
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.open = asyncio.Event()
        self.open.set()
        self._incoming.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path": "/api/v1/events",
            "raw_path": b"/api/v1/events",
            "root_path": "",
            "scheme": "ws",
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {secret}".encode())] if secret else [],
            "subprotocols": [],
        }
        served = Administrator(app) if trusted else app
        self.task = asyncio.ensure_future(served(scope, self._incoming.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        await self.open.wait()
        self.outgoing.put_nowait(message)

    async def take(self, count: int) -> list[dict[str, Any]]:
        """Return the next events."""
        found = []
        while len(found) < count:
            message = await self.outgoing.get()
            if message["type"] == "websocket.send":
                found.append(json.loads(message["text"]))
        return found

    async def closing(self) -> int:
        """Return the code that the server closes with."""
        while (message := await self.outgoing.get())["type"] != "websocket.close":
            pass
        return int(message["code"])

    async def leave(self) -> None:
        """Go away and wait until the server has noticed."""
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


def play(scenario: Callable[[OfficeDouble], Awaitable[None]], *, keep: int = 100) -> None:
    office = OfficeDouble(bus=Bus(VirtualClock(), keep=keep))
    assert office.bus is not None
    office.bus.attach(office.records.stored.append)

    async def bounded() -> None:
        async with asyncio.timeout(5):
            await scenario(office)

    asyncio.run(bounded())


def emit(office: OfficeDouble, count: int = 1) -> None:
    assert office.bus is not None
    for _ in range(count):
        office.bus.emit(CallRouted(call="c1", destination="ext:102"))


def test_an_event_is_one_flat_object() -> None:
    async def scenario(office: OfficeDouble) -> None:
        socket = Socket(office, "after=0")
        emit(office)
        assert await socket.take(1) == [
            {
                "seq": 1,
                "at": "2026-11-21T08:00:00.000Z",
                "event": "CallRouted",
                "call": "c1",
                "destination": "ext:102",
            }
        ]
        await socket.leave()

    play(scenario)


def test_without_after_only_what_happens_from_now_on_is_sent() -> None:
    async def scenario(office: OfficeDouble) -> None:
        emit(office, 3)
        socket = Socket(office, "")
        await socket.outgoing.get()  # accepted
        await asyncio.sleep(0)
        emit(office)
        assert [event["seq"] for event in await socket.take(1)] == [4]
        await socket.leave()

    play(scenario)


def test_what_was_missed_comes_first_from_the_database_and_from_memory() -> None:
    async def scenario(office: OfficeDouble) -> None:
        emit(office, 50)  # the bus remembers the newest ten
        socket = Socket(office, "after=5")
        await asyncio.sleep(0)
        emit(office, 5)
        assert [event["seq"] for event in await socket.take(50)] == list(range(6, 56))
        await socket.leave()

    play(scenario, keep=10)


def test_a_number_from_another_office_is_no_reason_to_wait_forever() -> None:
    async def scenario(office: OfficeDouble) -> None:
        emit(office, 3)
        socket = Socket(office, "after=900")
        await socket.outgoing.get()
        await asyncio.sleep(0)
        emit(office)
        assert [event["seq"] for event in await socket.take(1)] == [4]
        await socket.leave()

    play(scenario)


def test_events_during_the_replay_are_neither_lost_nor_sent_twice() -> None:
    async def scenario(office: OfficeDouble) -> None:
        emit(office, 20)
        socket = Socket(office, "after=0")
        socket.open.clear()
        for _ in range(20):
            await asyncio.sleep(0)
            emit(office)
        socket.open.set()
        assert [event["seq"] for event in await socket.take(40)] == list(range(1, 41))
        await socket.leave()

    play(scenario)


def test_a_client_that_does_not_read_is_cut_off_with_the_number_to_go_on_from() -> None:
    async def scenario(office: OfficeDouble) -> None:
        socket = Socket(office, "after=0")
        emit(office)
        await socket.take(1)
        emit(office, MAX_WAITING + 1)
        assert await socket.closing() == TOO_SLOW
        await socket.task

    play(scenario, keep=20_000)


def test_a_client_that_leaves_is_forgotten() -> None:
    async def scenario(office: OfficeDouble) -> None:
        socket = Socket(office, "")
        await socket.outgoing.get()
        await socket.leave()
        emit(office)
        assert office.bus is not None
        assert office.bus.failures == {}
        assert socket.outgoing.empty()

    play(scenario)


def test_without_a_server_there_are_no_events() -> None:
    async def scenario(office: OfficeDouble) -> None:
        office.bus = None
        assert await Socket(office, "").closing() == 1011

    play(scenario)


def test_a_token_is_needed_over_tcp() -> None:
    async def scenario(office: OfficeDouble) -> None:
        office.directory.keys = {"r": Key("reader", "read")}
        assert await Socket(office, "", trusted=False).closing() == 1008
        assert await Socket(office, "", secret="x", trusted=False).closing() == 1008
        socket = Socket(office, "after=0", secret="r", trusted=False)
        emit(office)
        assert len(await socket.take(1)) == 1
        await socket.leave()

    play(scenario)


def test_stored_events_of_a_lost_stretch_leave_a_visible_jump() -> None:
    async def scenario(office: OfficeDouble) -> None:
        emit(office, 30)
        kept: list[Stamped] = [row for row in office.records.stored if row.seq > 10]
        office.records.stored[:] = kept
        socket = Socket(office, "after=2")
        assert [event["seq"] for event in await socket.take(20)] == list(range(11, 31))
        await socket.leave()

    play(scenario, keep=10)


def test_an_event_about_no_call_names_none() -> None:
    event = AgentStateChanged(agent="102", state="paused", previous="available", seconds=1.0)
    found = json.loads(event_text(Stamped(7, 1_795_248_000.0, 1.0, event)))
    assert (found["seq"], found["event"], found["agent"]) == (7, "AgentStateChanged", "102")
    assert "call" not in found
