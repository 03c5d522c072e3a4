"""Bindings in the database: durable when saved, grouped when many, gone when expired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from pbx.db.engine import MemoryDatabase, open_database
from pbx.directory.bindings import BindingStore
from pbx.errors import StorageError
from tests.directory.entries import NOW, binding
from tests.kit.loop import run

T = TypeVar("T")


class SlowDisk(MemoryDatabase):
    """A database that takes a while for each transaction, counts them, and can be full."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.full = False

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Take 10 ms of virtual time, then write or fail."""
        self.writes += 1
        await asyncio.sleep(0.01)
        if self.full:
            raise StorageError("database or disk is full")
        return await super().write(change)


def test_a_binding_comes_back_as_it_was_saved() -> None:
    whole = binding(
        path=("<sip:edge@192.0.2.1;lr>", "<sip:p2;lr>"),
        remote=("2001:db8::7", 40_000),
        transport="tcp",
        user_agent="Phone/1.0 ☎",
        instance="<urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128>",
        cseq=2**31 - 1,
    )

    async def main() -> None:
        store = BindingStore(MemoryDatabase())
        await store.save([whole], [])
        assert await store.load(NOW) == [whole]

    run(main())


def test_a_refreshed_binding_replaces_itself_and_others_stay() -> None:
    async def main() -> None:
        store = BindingStore(MemoryDatabase())
        await store.save([binding(port=5060), binding(port=5061), binding("102")], [])
        newer = binding(port=5061, cseq=8, expires_at=NOW + 600)
        await store.save([newer], [binding(port=5060).key])
        assert await store.load(NOW) == [newer, binding("102")]

    run(main())


def test_expired_bindings_are_not_loaded_and_are_forgotten() -> None:
    async def main() -> None:
        store = BindingStore(MemoryDatabase())
        await store.save([binding("101"), binding("102", expires_at=NOW + 900)], [])
        assert [row.aor for row in await store.load(NOW + 300)] == ["102"]
        assert [row.aor for row in await store.load(NOW)] == ["102"]

    run(main())


def test_contacts_that_differ_in_an_escaped_zero_are_two() -> None:
    async def main() -> None:
        store = BindingStore(MemoryDatabase())
        await store.save([binding(contact="sip:null-%00@h"), binding(contact="sip:null-@h")], [])
        assert len(await store.load(NOW)) == 2

    run(main())


def test_those_who_save_at_once_share_a_transaction() -> None:
    async def main() -> None:
        disk = SlowDisk()
        store = BindingStore(disk)
        await asyncio.gather(*(store.save([binding(f"{n}")], []) for n in range(100, 300)))
        assert disk.writes <= 2
        assert len(await store.load(NOW)) == 200

    run(main())


def test_the_last_word_on_a_contact_counts_within_a_group() -> None:
    async def main() -> None:
        disk = SlowDisk()
        store = BindingStore(disk)
        row = binding()
        first = asyncio.ensure_future(store.save([binding("999")], []))
        await asyncio.sleep(0.001)
        await asyncio.gather(
            store.save([row], []), store.save([], [row.key]), store.save([replace(row, cseq=9)], [])
        )
        await first
        assert disk.writes == 2
        assert await store.load(NOW) == [replace(row, cseq=9), binding("999")]

    run(main())


def test_saving_returns_only_when_it_is_on_disk() -> None:
    async def main() -> None:
        disk = SlowDisk()
        store = BindingStore(disk)
        saving = asyncio.ensure_future(store.save([binding()], []))
        await asyncio.sleep(0.009)
        assert not saving.done()
        await saving

    run(main())


def test_a_full_disk_is_told_to_all_who_wait_and_the_next_may_try_again() -> None:
    async def main() -> None:
        disk = SlowDisk()
        store = BindingStore(disk)
        disk.full = True
        outcomes = await asyncio.gather(
            *(store.save([binding(f"{n}")], []) for n in range(100, 103)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [StorageError] * 3
        disk.full = False
        await store.save([binding()], [])
        assert await store.load(NOW) == [binding()]

    run(main())


def test_who_stops_waiting_takes_nobody_along() -> None:
    async def main() -> None:
        store = BindingStore(SlowDisk())
        impatient = asyncio.ensure_future(store.save([binding("101")], []))
        patient = asyncio.ensure_future(store.save([binding("102")], []))
        await asyncio.sleep(0.001)
        impatient.cancel()
        await patient
        assert len(await store.load(NOW)) == 2

    run(main())


def test_nobody_waiting_for_a_failure_is_no_error() -> None:
    async def main() -> None:
        disk = SlowDisk()
        disk.full = True
        store = BindingStore(disk)
        saving = asyncio.ensure_future(store.save([binding()], []))
        await asyncio.sleep(0.001)
        saving.cancel()
        await asyncio.wait({saving})
        await store.close()

    run(main())


def test_closing_waits_for_what_was_given() -> None:
    async def main() -> None:
        store = BindingStore(SlowDisk())
        saving = asyncio.ensure_future(store.save([binding()], []))
        await asyncio.sleep(0)
        await store.close()
        assert saving.done() or await saving is None
        assert await store.load(NOW) == [binding()]

    run(main())


def test_bytes_that_are_no_text_spoil_nothing() -> None:
    broken = binding(contact="sip:\udcff@h", user_agent="\ud800", call_id="\udc80")

    async def main() -> None:
        store = BindingStore(MemoryDatabase())
        await store.save([broken, binding("102")], [])
        assert next(row.contact for row in await store.load(NOW)) == "sip:\ufffd@h"
        await store.save([], [broken.key])
        assert await store.load(NOW) == [binding("102")]

    run(main())


@pytest.mark.load
def test_five_thousand_registrations_after_a_restart_are_saved_in_seconds(tmp_path: Path) -> None:
    async def main() -> None:
        database = open_database(tmp_path / "callpbx.db")
        store = BindingStore(database)
        began = time.perf_counter()
        for start in range(0, 5_000, 50):
            rows = [binding(f"{n}") for n in range(start + 10_000, start + 10_050)]
            await asyncio.gather(*(store.save([row], []) for row in rows))
        took = time.perf_counter() - began
        print(f"5,000 in {took:.2f} s")
        assert took < 10
        assert len(await store.load(NOW)) == 5_000
        await database.close()

    asyncio.run(main())
