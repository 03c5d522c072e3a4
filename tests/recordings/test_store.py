"""Looking recordings up, and who fetched them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pbx.errors import NotFound, Refused
from pbx.recordings.model import Access, RecordingQuery
from tests.recordings.shelf import START, Shelf


async def ids(shelf: Shelf, query: RecordingQuery) -> list[str]:
    return [entry.id for entry in await shelf.store.find(query)]


def test_recordings_are_found_newest_first_and_narrowed(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        for n in range(5):
            shelf.record(f"c{n}-1", START + 60 * n)
        shelf.record("c2-2", START + 600)
        assert await ids(shelf, RecordingQuery(limit=3)) == ["c2-2", "c4-1", "c3-1"]
        period = RecordingQuery(since=START + 60, until=START + 180)
        assert await ids(shelf, period) == ["c2-1", "c1-1"]
        assert await ids(shelf, RecordingQuery(call="c2")) == ["c2-2", "c2-1"]
        with pytest.raises(Refused, match="a page has"):
            await shelf.store.find(RecordingQuery(limit=0))

    asyncio.run(main())


def test_pages_lose_nothing_even_where_recordings_began_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        for n in range(7):
            shelf.record(f"c{n}-1", START + n // 3)
        found: list[str] = []
        before = None
        while page := await ids(shelf, RecordingQuery(limit=2, before=before)):
            found += page
            before = page[-1]
        assert found == sorted(found, reverse=True)
        assert len(found) == 7
        with pytest.raises(NotFound):
            await ids(shelf, RecordingQuery(before="c9-1"))

    asyncio.run(main())


def test_who_fetches_a_recording_is_noted(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        path = shelf.record("c1-1")
        entry, found = await shelf.store.fetch("c1-1", by="reporting", at=START + 60)
        assert (entry.id, found) == ("c1-1", path)
        await shelf.store.fetch("c1-1", by=None, at=START + 61)
        details = await shelf.store.find_one("c1-1")
        assert details.accesses == (Access(at="2026-11-21T08:01:00.000Z", by="reporting"),)

    asyncio.run(main())


def test_what_cannot_be_heard_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1")
        with pytest.raises(Refused, match="still going on"):
            await shelf.store.fetch("c1-1", by="me", at=START)
        shelf.record("c2-1").unlink()
        with pytest.raises(Refused, match="is gone"):
            await shelf.store.fetch("c2-1", by="me", at=START)
        with pytest.raises(NotFound, match="no recording c3-1"):
            await shelf.store.fetch("c3-1", by="me", at=START)

    asyncio.run(main())


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    async def main() -> None:
        secret = tmp_path / "secret"
        secret.write_text("password")
        shelf = Shelf(tmp_path / "recordings")
        path = shelf.record("c1-1")
        path.unlink()
        path.symlink_to(secret)
        with pytest.raises(Refused, match="not where it should be"):
            await shelf.store.fetch("c1-1", by="me", at=START)
        path.unlink()
        path.parent.rmdir()
        (tmp_path / "c1-1.wav").write_text("password")
        path.parent.symlink_to(tmp_path)
        with pytest.raises(Refused, match="not where it should be"):
            await shelf.store.fetch("c1-1", by="me", at=START)

    asyncio.run(main())


@pytest.mark.parametrize("name", ["../../etc/passwd", "c1-1/../c2-1", "", "c1-1.wav", "%2e%2e"])
def test_a_name_is_only_ever_looked_up(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.record("c1-1")
        with pytest.raises(NotFound):
            await shelf.store.fetch(name, by="me", at=START)

    asyncio.run(main())
