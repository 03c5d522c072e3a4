"""Two thousand recordings, the last of them cut off by a kill: no file without a row, no row
without a file, every hash right."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from pathlib import Path

import pytest

from pbx.db.engine import open_database
from pbx.events import RecordingEnded, RecordingStarted
from pbx.media.protocol import Enter, Record, RecordingDone, StopRecording
from pbx.recordings.index import RecordingIndex
from pbx.recordings.model import RecordingEntry, RecordingQuery
from pbx.recordings.recovery import Audit, audit, cut_off, recover
from pbx.recordings.store import RecordingStore
from tests.kit.rtp import phones
from tests.media.test_worker import RunningWorker

pytestmark = [pytest.mark.load, pytest.mark.timeout(180)]

TOTAL = 2000
AT_ONCE = 250
LASTS_S = 1.5


class Exchange:
    """What the call side does for recordings, as fast as it can."""

    def __init__(self, worker: RunningWorker, index: RecordingIndex, folder: Path) -> None:
        self.worker = worker
        self.index = index
        self.folder = folder

    def begin(self, number: int) -> None:
        name = f"call{number}-1"
        file = f"2026/11/21/{name}.wav"
        started = RecordingStarted(call=f"call{number}", recording=name, file=file, format="ulaw")
        self.index.take(started, time.time())
        self.worker.send(Record(number, 1, str(self.folder / file), 1))

    def end(self, count: int) -> None:
        """Take what the worker says became of so many files."""
        for _ in range(count):
            done = self.worker.wait_for(RecordingDone)
            assert isinstance(done, RecordingDone)
            assert done.error is None
            ended = RecordingEnded(
                call=f"call{done.recording}",
                recording=f"call{done.recording}-1",
                seconds=done.seconds,
                octets=done.octets,
                sha256=done.sha256,
            )
            self.index.take(ended, time.time())


async def record_all(exchange: Exchange) -> None:
    """Make `TOTAL` recordings, `AT_ONCE` beside each other; the last lot is killed."""
    for first in range(0, TOTAL, AT_ONCE):
        lot = range(first + 10, first + 10 + AT_ONCE)
        for number in lot:
            exchange.begin(number)
        await asyncio.sleep(LASTS_S)
        if first + AT_ONCE == TOTAL:
            return
        for number in lot:
            exchange.worker.send(StopRecording(number))
        await asyncio.to_thread(exchange.end, AT_ONCE)


async def until_killed(folder: Path, worker: RunningWorker) -> None:
    """Record until the worker is killed, and the server with it: this loop ends as it stands."""
    database = open_database(folder.parent / "callpbx.db")
    index = RecordingIndex(database, folder)
    index.start()
    await record_all(Exchange(worker, index, folder))
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(10)


async def started_again(folder: Path) -> tuple[Audit, list[RecordingEntry]]:
    """Start twice; return what an audit finds then."""
    database = open_database(folder.parent / "callpbx.db")
    for _ in range(2):
        index = RecordingIndex(database, folder)
        await recover(database, index, folder, await cut_off(database))
    found = await audit(database, folder)
    store = RecordingStore(database, folder)
    entries: list[RecordingEntry] = []
    while page := await store.find(
        RecordingQuery(limit=1000, before=entries[-1].id if entries else None)
    ):
        entries += page
    await database.close()
    return found, entries


def test_two_thousand_recordings_leave_no_orphan_either_way(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    worker = RunningWorker()
    try:
        with phones("127.0.0.1") as (phone,):
            worker.add(1, phone)
            worker.lock(1, phone)
            worker.send(Enter(1, 1))
            worker.settle()
            asyncio.run(until_killed(folder, worker))
    finally:
        worker.end()
    found, entries = asyncio.run(started_again(folder))
    assert found == Audit((), ())
    assert len(entries) == TOTAL
    states = [entry.state for entry in entries]
    assert states.count("complete") == TOTAL - AT_ONCE
    assert states.count("interrupted") == AT_ONCE
    for entry in entries:
        content = (folder / entry.file).read_bytes()
        assert entry.sha256 == hashlib.sha256(content).hexdigest()
        assert entry.seconds is not None
        assert entry.seconds >= LASTS_S - 1.0
