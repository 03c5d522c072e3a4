"""Day/night switches in memory and in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from pbx.db.engine import MemoryDatabase
from pbx.errors import StorageError
from pbx.plan.hours import Schedule
from pbx.switches import DayNightSwitches
from tests.kit.loop import run

T = TypeVar("T")

OFFICE = Schedule("office", "UTC")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


class FullDisk(MemoryDatabase):
    """A database that takes nothing the first `failures` times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Write, or fail."""
        if self.failures:
            self.failures -= 1
            raise StorageError("database or disk is full")
        return await super().write(change)


def no_alarm(sentence: str) -> None:
    raise AssertionError(sentence)


async def after_a_restart(database: MemoryDatabase) -> DayNightSwitches:
    switches = DayNightSwitches(database, alarm=no_alarm)
    await switches.load()
    return switches


def test_a_turn_holds_at_once_until_it_ends() -> None:
    async def scenario() -> None:
        switches = DayNightSwitches(MemoryDatabase(), alarm=no_alarm)
        assert switches.state(OFFICE, NOON) is None
        switches.turn(OFFICE, "closed", MIDNIGHT)
        assert switches.state(OFFICE, NOON) == "closed"
        assert switches.state(OFFICE, MIDNIGHT - timedelta(seconds=1)) == "closed"
        assert switches.state(OFFICE, MIDNIGHT) is None
        assert switches.state(Schedule("shop", "UTC"), NOON) is None
        switches.turn(OFFICE, None, MIDNIGHT)
        assert switches.state(OFFICE, NOON) is None
        await switches.close()

    run(scenario())


def test_a_turn_is_the_same_after_a_restart() -> None:
    async def scenario() -> None:
        database = MemoryDatabase()
        switches = DayNightSwitches(database, alarm=no_alarm)
        switches.turn(OFFICE, "open", MIDNIGHT)
        switches.turn(Schedule("shop", "UTC"), "closed", MIDNIGHT)
        await asyncio.sleep(0)
        switches.turn(Schedule("shop", "UTC"), None, MIDNIGHT)
        await switches.close()
        again = await after_a_restart(database)
        assert again.state(OFFICE, NOON) == "open"
        assert again.state(OFFICE, MIDNIGHT) is None
        assert again.state(Schedule("shop", "UTC"), NOON) is None

    run(scenario())


def test_a_full_disk_loses_no_turn_and_raises_one_alarm() -> None:
    async def scenario() -> None:
        database, alarms = FullDisk(3), set[str]()
        switches = DayNightSwitches(database, alarm=alarms.add)
        switches.turn(OFFICE, "open", MIDNIGHT)
        await asyncio.sleep(5)
        assert alarms == {
            "the day/night switches are not stored, a restart forgets them: "
            "database or disk is full"
        }
        assert (await after_a_restart(database)).state(OFFICE, NOON) == "open"
        await switches.close()

    run(scenario())


def test_what_waits_for_the_disk_is_written_at_the_end() -> None:
    async def scenario() -> None:
        database = FullDisk(1)
        switches = DayNightSwitches(database, alarm=lambda _: None)
        switches.turn(OFFICE, "open", MIDNIGHT)
        await asyncio.sleep(0.5)
        await switches.close()
        assert (await after_a_restart(database)).state(OFFICE, NOON) == "open"

    run(scenario())
