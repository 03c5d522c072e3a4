"""The roster: what is kept comes back, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from pbx.acd.keeping import BookedCallback, Duty, Keeping, Kept, Place, Stretch
from pbx.acd.model import AgentState
from pbx.db.engine import MemoryDatabase, open_database
from pbx.directory.store import DirectoryStore
from pbx.errors import StorageError
from pbx.roster import store
from pbx.roster.store import LONGEST, Roster
from tests.directory.entries import agent, extension

T = TypeVar("T")

DAY = 86_400.0
NOON = 1_795_262_400.0


class Disk(MemoryDatabase):
    """A database that can be full."""

    full = False
    writes = 0

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Fail while the disk is full."""
        if self.full:
            raise StorageError("database or disk is full")
        self.writes += 1
        return await super().write(change)


class Room:
    """A roster on a disk with the agents 101 and 102."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.alarms: list[str] = []
        self.roster = Roster(self.disk, alarm=self.alarms.append)

    async def restarted(self) -> Kept:
        """Return what a new server finds, without a word from this one."""
        return await Roster(self.disk, alarm=self.alarms.append).load()


def with_roster(use: Callable[[Room], Awaitable[None]]) -> None:
    async def main() -> None:
        room = Room()
        directory = DirectoryStore(room.disk)
        await directory.load()
        for number in ("101", "102"):
            await directory.add_extension(extension(number))
            await directory.add_agent(agent(number))
        await use(room)

    asyncio.run(main())


def stretch(number: str, since: float, until: float, **more: str) -> Stretch:
    state = AgentState(more.pop("state", "available")).value
    return Stretch(agent=number, state=state, since=NOON + since, until=NOON + until, **more)


def place(call: str, **changes: Any) -> Place:
    fields: dict[str, Any] = {"number": "13800138000", "priority": 5, "joined_at": NOON}
    return Place(call=call, queue="tech", **{**fields, **changes})


def callback(id: str, **changes: Any) -> BookedCallback:
    fields: dict[str, Any] = {"queue": "tech", "number": "1380", "joined_at": NOON + 0.25}
    return BookedCallback(id=id, call=f"c{id}", **{**fields, **changes})


def test_it_keeps_what_the_call_centre_wants_kept() -> None:
    def takes(keeping: Keeping) -> Keeping:
        return keeping

    _: Callable[[Roster], Keeping] = takes


def test_duties_come_back_with_the_reason_and_the_end_of_a_pause() -> None:
    lunch = Duty(agent="102", logged_in=True, pause="lunch", since=NOON, until=NOON + 900.5)

    async def use(room: Room) -> None:
        assert [each.logged_in for each in (await room.restarted()).duties] == [False, False]
        room.roster.keep_duty(Duty(agent="102", logged_in=True, pause=None, since=NOON - 9))
        room.roster.keep_duty(lunch)
        room.roster.keep_duty(Duty(agent="109", logged_in=True, pause=None, since=NOON))
        assert await room.roster.flush()
        first, second = (await room.restarted()).duties
        assert not first.logged_in
        assert second == lunch

    with_roster(use)


def test_a_change_of_the_agent_leaves_its_duty_alone() -> None:
    async def use(room: Room) -> None:
        room.roster.keep_duty(Duty(agent="101", logged_in=True, pause=None, since=NOON))
        await room.roster.flush()
        directory = DirectoryStore(room.disk)
        await directory.change_agent("101", lambda _: agent("101", skills={"zh": 3}))
        assert (await room.restarted()).duties[0].logged_in

    with_roster(use)


def test_places_and_callbacks_come_back_with_their_original_time() -> None:
    full = callback(
        "b2",
        language="yue",
        priority=30,
        skills={"vip": 2},
        agent="102",
        hours="office",
        tries=1,
        next_at=NOON + 300.0,
    )

    async def use(room: Room) -> None:
        kept = room.roster
        for call in ("c1", "c2", "c3"):
            kept.keep_place(place(call))
        kept.forget_place("c2")
        kept.keep_place(place("c3", left_at=NOON + 60.0))
        kept.keep_callback(callback("b1", joined_at=NOON + 50.0))
        kept.keep_callback(full)
        kept.keep_callback(callback("b3", state="answered"))
        await kept.flush()
        found = await room.restarted()
        assert found.places == [place("c1"), place("c3", left_at=NOON + 60.0)]
        assert found.callbacks == [full, callback("b1", joined_at=NOON + 50.0)]
        kept.forget_place("c1")
        kept.keep_callback(callback("b1", joined_at=NOON + 50.0, state="cancelled"))
        await kept.flush()
        found = await room.restarted()
        assert ([each.call for each in found.places], found.callbacks) == (["c3"], [full])
        assert {each.id: each.state for each in await kept.callbacks()} == {
            "b1": "cancelled",
            "b2": "waiting",
            "b3": "answered",
        }

    with_roster(use)


def test_a_wish_that_is_no_text_keeps_nothing_else_from_being_written() -> None:
    async def use(room: Room) -> None:
        room.roster.keep_callback(callback("cb1", number="138", joined_at=NOON, agent="\ud8001"))
        assert await room.roster.flush()
        (kept,) = (await room.restarted()).callbacks
        assert kept.agent == "\ufffd1"

    with_roster(use)


def test_what_agents_did_is_found_by_agent_and_time() -> None:
    first = stretch("101", 0, 60)
    talk = stretch("101", 60, 200, state="talking", call="c1", queue="tech")
    other = stretch("102", 50, 90, state="paused", reason="lunch")

    async def use(room: Room) -> None:
        for each in (first, other, talk):
            room.roster.keep_stretch(each)
        find = room.roster.stretches
        assert await find(None, NOON, NOON + 300) == [first, other, talk]
        assert await find("101", NOON, NOON + 300) == [first, talk]
        assert await find("101", NOON + 60, NOON + 61) == [talk]
        assert await find(None, NOON + 70, NOON + 80) == [other, talk]  # around the time
        assert await find(None, NOON + 200, NOON + 300) == []
        assert await find(None, NOON - 100, NOON) == []

    with_roster(use)


def test_a_stretch_around_the_time_is_found_if_it_is_no_longer_than_a_week() -> None:
    async def use(room: Room) -> None:
        room.roster.keep_stretch(stretch("101", -DAY, LONGEST - DAY, state="logged_out"))
        room.roster.keep_stretch(stretch("102", -DAY, LONGEST + DAY, state="logged_out"))
        (found,) = await room.roster.stretches(None, NOON, NOON + 60)
        assert found.agent == "101"

    with_roster(use)


def test_what_took_no_time_is_not_kept() -> None:
    async def use(room: Room) -> None:
        room.roster.keep_stretch(stretch("101", 0, 0.0004))
        assert room.roster.waiting == 0

    with_roster(use)


def test_old_history_is_forgotten_a_few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_STEP", 2)

    async def use(room: Room) -> None:
        for hour in range(5):
            room.roster.keep_stretch(stretch("101", hour * 3600.0, hour * 3600.0 + 60))
        room.roster.keep_place(place("c1", left_at=NOON))
        room.roster.keep_place(place("c2", left_at=NOON + DAY))
        room.roster.keep_place(place("c3"))
        room.roster.keep_callback(callback("b1", state="failed"))
        room.roster.keep_callback(callback("b2"))
        await room.roster.flush()
        now = NOON + 1.5 * DAY
        assert await room.roster.forget(now, kept=1.5 * DAY - 3.5 * 3600.0) == 4
        assert [each.since for each in await room.roster.stretches(None, 0.0, now)] == [
            NOON + 4 * 3600.0
        ]
        assert [each.call for each in (await room.restarted()).places] == ["c2", "c3"]
        assert [each.id for each in await room.roster.callbacks()] == ["b2"]

    with_roster(use)


def test_changes_wait_while_the_database_takes_nothing() -> None:
    async def use(room: Room) -> None:
        room.disk.full = True
        room.roster.keep_duty(Duty(agent="101", logged_in=True, pause=None, since=NOON))
        room.roster.keep_place(place("c1"))
        room.roster.keep_callback(callback("b1"))
        room.roster.keep_stretch(stretch("101", 0, 60))
        assert not await room.roster.flush()
        assert not await room.roster.flush()
        (alarm,) = room.alarms
        assert "disk is full" in alarm
        room.disk.full = False
        assert await room.roster.flush()
        assert room.roster.waiting == 0
        found = await room.restarted()
        assert found.duties[0].logged_in
        assert (len(found.places), len(found.callbacks)) == (1, 1)
        assert len(await room.roster.stretches(None, NOON, NOON + 60)) == 1

    with_roster(use)


def test_a_long_failure_costs_the_oldest_history_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "MOST_WAITING", 3)

    async def use(room: Room) -> None:
        room.disk.full = True
        for minute in range(5):
            room.roster.keep_stretch(stretch("101", minute * 60.0, minute * 60.0 + 60))
        await room.roster.flush()
        room.disk.full = False
        found = await room.roster.stretches(None, NOON, NOON + 600)
        assert [each.since - NOON for each in found] == [120.0, 180.0, 240.0]

    with_roster(use)


def test_what_changes_together_is_written_together_and_by_itself() -> None:
    async def use(room: Room) -> None:
        room.roster.start()
        before = room.disk.writes
        for minute in range(100):
            room.roster.keep_stretch(stretch("101", minute * 60.0, minute * 60.0 + 60))
        room.roster.keep_duty(Duty(agent="101", logged_in=True, pause=None, since=NOON))
        while room.roster.waiting:
            await asyncio.sleep(0)
        assert room.disk.writes == before + 1
        await room.roster.close()

    with_roster(use)


def test_closing_writes_what_is_left_or_says_that_it_could_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def use(room: Room) -> None:
        room.roster.keep_stretch(stretch("101", 0, 60))
        await room.roster.close()
        assert len(await room.roster.stretches(None, NOON, NOON + 60)) == 1
        room.disk.full = True
        room.roster.keep_stretch(stretch("101", 60, 90))
        await room.roster.close()
        assert "1 changes of the call centre could not be written" in caplog.text

    with_roster(use)


def test_it_all_fits_a_database_in_a_file(tmp_path: Path) -> None:
    async def main() -> None:
        database = open_database(tmp_path / "callpbx.db")
        roster = Roster(database, alarm=print)
        roster.keep_stretch(stretch("101", 0, 60))
        roster.keep_place(place("c1"))
        roster.keep_callback(callback("b1", skills={"en": 5}))
        assert await roster.flush()
        found = await roster.load()
        assert (found.places, found.callbacks) == (
            [place("c1")],
            [callback("b1", skills={"en": 5})],
        )
        assert await roster.stretches("101", NOON, NOON + 1) == [stretch("101", 0, 60)]
        await database.close()

    asyncio.run(main())
