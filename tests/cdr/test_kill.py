"""A real process that records real calls, and is killed: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pbx.cdr.record import RecordQuery
from pbx.cdr.recorder import Recorder
from pbx.cdr.store import RecordStore
from pbx.db.engine import open_database
from tests.kit.clock import VirtualClock

VICTIM = """
import asyncio, sys, time
from pathlib import Path
from pbx.cdr.recorder import Recorder
from pbx.db.engine import open_database
from pbx.events import CallStarted, CallRouted, CallEnded
from pbx.events.bus import Bus

class Clock:
    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

async def main():
    recorder = Recorder(open_database(Path(sys.argv[1])), Clock)
    await recorder.close_interrupted()
    bus = Bus(Clock, first_seq=recorder.next_seq)
    bus.attach(recorder)
    recorder.start()
    going = []
    for n in range(100_000):
        call = f"{sys.argv[2]}-{n}"
        started = bus.emit(CallStarted(
            call=call, direction="internal", caller="101", caller_name=None, called="102"))
        print(call, started.monotonic, flush=True)
        going.append(call)
        bus.emit(CallRouted(call=call, destination="ext:102"))
        if len(going) > 40:
            bus.emit(CallEnded(call=going.pop(0), result="busy", reason="busy", cause=17,
                               sip_status=486, ended_by="called"))
        await asyncio.sleep(0.004)

asyncio.run(main())
"""


def record_and_kill(path: Path, name: str, calls: int) -> dict[str, float]:
    """Let a process record so many calls, kill it; return when each began, before that (s)."""
    command = [sys.executable, "-c", VICTIM, str(path), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        lines = [victim.stdout.readline() for _ in range(calls)]
        killed = time.monotonic()
        victim.kill()
        lines += victim.stdout.readlines()
    told = [line.split() for line in lines]
    return {fields[0]: killed - float(fields[1]) for fields in told if len(fields) == 2}


@pytest.mark.parametrize("calls", [30, 75, 140])
def test_every_call_before_the_kill_has_exactly_one_record(tmp_path: Path, calls: int) -> None:
    path = tmp_path / "callpbx.db"
    began = record_and_kill(path, "a", calls) | record_and_kill(path, "b", calls + 50)

    async def recorded() -> list[tuple[str, str]]:
        database = open_database(path)
        try:
            await Recorder(database, VirtualClock()).close_interrupted()
            store, found = RecordStore(database), []
            async for page in store.pages(RecordQuery(limit=1_000)):
                found += [(record.id, record.result) for record in page]
            return found
        finally:
            await database.close()

    found = asyncio.run(recorded())
    written = [call for call, _ in found]
    assert len(written) == len(set(written))
    assert {call for call, ago in began.items() if ago > 0.2} <= set(written)
    assert {result for _, result in found} <= {"busy", "interrupted"}
    assert (
        sum(result == "interrupted" for _, result in found) <= 2 * 60
    )  # those that went on, and what was not written yet
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM open_calls").fetchone() == (0,)
