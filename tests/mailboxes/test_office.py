"""Mailboxes as an administrator sees them: pages, files, settings, and a disk that is full."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pbx.errors import NotFound, Refused, StorageError
from pbx.mailboxes.office import OfficeMailboxes
from tests.mailboxes.cabinet import START, Cabinet
from tests.mailboxes.test_writer import Disk


def test_messages_come_in_pages_newest_first(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        ids = [cabinet.leave(box, at=START + n) for n, box in enumerate(("101", "102", "101"))]
        await cabinet.boxes.close()
        office = OfficeMailboxes((await cabinet.restarted()).boxes)
        assert [each.id for each in await office.messages()] == ids[::-1]
        assert [each.id for each in await office.messages(box="101")] == [ids[2], ids[0]]
        assert [each.id for each in await office.messages(limit=1, before=ids[2])] == [ids[1]]
        assert [each.box for each in await office.boxes()] == ["101", "102"]
        with pytest.raises(NotFound, match="no message 4711"):
            await office.messages(before="4711")

    asyncio.run(main())


def test_a_message_is_read_from_the_database_where_no_server_runs(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        message = cabinet.leave()
        await cabinet.boxes.close()
        office = OfficeMailboxes(Cabinet(tmp_path, cabinet.database).boxes)
        entry, path = await office.fetch(message)
        assert (entry.id, path) == (message, cabinet.boxes.path(message))
        await office.delete(message)
        with pytest.raises(NotFound):
            await office.message(message)

    asyncio.run(main())


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        message = cabinet.leave()
        path = cabinet.boxes.path(message)
        path.unlink()
        path.symlink_to("/etc/passwd")
        cabinet.boxes.loaded = True
        with pytest.raises(Refused, match="is gone"):
            await OfficeMailboxes(cabinet.boxes).fetch(message)

    asyncio.run(main())


def test_what_is_set_is_cleared_by_an_empty_text(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        office = OfficeMailboxes(cabinet.boxes)
        draft = cabinet.boxes.begin_greeting()
        cabinet.speak(draft)
        await office.change("101", pin="4711", mail="a@b.example")
        cabinet.boxes.keep_greeting("101", draft.id)
        (box,) = await office.boxes()
        assert (box.pin, box.mail, box.greeting) == (True, "a@b.example", True)
        await office.change("101", pin="", mail="", standard_greeting=True)
        (box,) = await office.boxes()
        assert (box.pin, box.mail, box.greeting) == (False, None, False)
        assert list(tmp_path.iterdir()) == []
        await office.remove("101")
        assert await office.boxes() == []

    asyncio.run(main())


@pytest.mark.parametrize("box", ["", "x" * 81, "a\nb"])
def test_a_box_has_a_name_that_can_be_shown(tmp_path: Path, box: str) -> None:
    with pytest.raises(Refused, match="printable"):
        asyncio.run(OfficeMailboxes(Cabinet(tmp_path).boxes).change(box, pin="4711"))


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        disk = Disk()
        office = OfficeMailboxes(Cabinet(tmp_path, disk).boxes)
        disk.full = True
        with pytest.raises(StorageError, match="free some space"):
            await office.change("101", mail="a@b.example")

    asyncio.run(main())
