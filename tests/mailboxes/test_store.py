"""Mailboxes: in memory at once, in the database soon, the same after a restart."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from pbx.db import schema
from pbx.errors import Refused
from pbx.mailboxes.model import MOST, Message
from tests.mailboxes.cabinet import LAYOUT, START, Cabinet


def test_a_message_is_new_until_it_is_heard(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        message = cabinet.leave()
        assert cabinet.boxes.counts("101") == (1, 0)
        assert (cabinet.lit, cabinet.arrived) == (["101"], [message])
        cabinet.boxes.mark_heard(message)
        cabinet.boxes.mark_heard(message)
        assert cabinet.boxes.counts("101") == (0, 1)
        assert cabinet.lit == ["101", "101"]

    asyncio.run(main())


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        later, earlier = cabinet.leave(at=START + 60), cabinet.leave(at=START)
        cabinet.boxes.mark_heard(later)
        await cabinet.boxes.set_pin("101", "4711")
        cabinet.boxes.set_mail("101", "a@b.example")
        await cabinet.boxes.close()
        boxes = (await cabinet.restarted()).boxes
        assert [message.id for message in boxes.messages("101")] == [earlier, later]
        assert boxes.counts("101") == (1, 1)
        assert (boxes.find(later), boxes.mail("101")) == (
            cabinet.boxes.find(later),
            "a@b.example",
        )
        assert boxes.boxes() == ("101",)

    asyncio.run(main())


def test_a_deleted_message_takes_its_file_along(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        message = cabinet.leave()
        await cabinet.boxes.writer.flush()
        cabinet.boxes.delete(message)
        cabinet.boxes.delete(message)
        assert cabinet.boxes.counts("101") == (0, 0)
        assert cabinet.boxes.file(message) is None
        await cabinet.boxes.writer.flush()
        assert list(tmp_path.iterdir()) == []
        rows = await cabinet.database.read(lambda c: list(c.execute(select(schema.messages))))
        assert rows == []

    asyncio.run(main())


def test_a_draft_is_no_message_yet(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        draft = cabinet.begin()
        assert cabinet.boxes.messages("101") == ()
        path = cabinet.speak(draft)
        cabinet.boxes.drop(draft.id)
        cabinet.boxes.keep(draft.id, seconds=5.0, octets=1, sha256=None, error=None)
        await cabinet.boxes.close()
        assert not path.exists()
        assert (await cabinet.restarted()).boxes.cut_off == ()
        assert cabinet.lit == []

    asyncio.run(main())


def test_a_box_is_full_with_those_that_are_being_said(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path)
    for _ in range(MOST - 1):
        cabinet.leave()
    assert not cabinet.boxes.is_full("101")
    cabinet.begin()
    assert cabinet.boxes.is_full("101")
    assert not cabinet.boxes.is_full("102")


def test_a_worker_that_died_costs_the_end_of_a_message(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        long, short = cabinet.begin(), cabinet.begin()
        cabinet.speak(long, 6.0, said=5.5)
        cabinet.speak(short, 2.0)
        for draft in (long, short, cabinet.begin()):
            cabinet.boxes.mend(draft.id)
        cabinet.boxes.mend("unknown")
        await cabinet.boxes.close()
        (message,) = cabinet.boxes.messages("101")
        assert (message.id, message.seconds) == (long.id, 6.0)
        assert message.error is not None
        assert len(list(tmp_path.iterdir())) == 1

    asyncio.run(main())


def test_the_silence_at_the_end_is_cut_off(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        draft = cabinet.begin()
        path = cabinet.speak(draft, 15.0)
        cabinet.boxes.keep(
            draft.id, seconds=5.0, octets=120_058, sha256="0" * 64, error=None, silence=10.0
        )
        await cabinet.boxes.close()
        (message,) = cabinet.boxes.messages("101")
        assert (message.seconds, message.octets) == (5.0, 40_058)
        assert message.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.read_bytes()[:58] == LAYOUT.header(40_000)
        assert cabinet.arrived == [message.id]

    asyncio.run(main())


@pytest.mark.parametrize("content", [b"not a sound", None])
def test_a_file_that_cannot_be_cut_stays_as_it_is(tmp_path: Path, content: bytes | None) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        draft = cabinet.begin()
        if content is not None:
            Path(draft.path).write_bytes(content)
        cabinet.boxes.keep(
            draft.id, seconds=5.0, octets=120_058, sha256="ab", error=None, silence=10.0
        )
        await cabinet.boxes.close()
        (message,) = cabinet.boxes.messages("101")
        assert (message.octets, message.sha256) == (120_058, "ab")

    asyncio.run(main())


def test_a_new_greeting_takes_the_place_of_the_old(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        old, new, unused = (cabinet.boxes.begin_greeting() for _ in range(3))
        for draft in (old, new, unused):
            cabinet.speak(draft)
        cabinet.boxes.keep_greeting("101", old.id)
        cabinet.boxes.keep_greeting("101", new.id)
        cabinet.boxes.drop(unused.id)
        cabinet.boxes.drop(new.id)
        await cabinet.boxes.close()
        assert cabinet.boxes.greeting("101") == new.path
        assert [file.name for file in tmp_path.iterdir()] == [Path(new.path).name]

    asyncio.run(main())


def test_a_removed_box_leaves_nothing_to_the_next_owner(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        cabinet.leave()
        await cabinet.boxes.set_pin("101", "4711")
        draft = cabinet.boxes.begin_greeting()
        cabinet.speak(draft)
        cabinet.boxes.keep_greeting("101", draft.id)
        await cabinet.boxes.writer.flush()
        cabinet.boxes.remove("101")
        cabinet.boxes.remove("102")
        await cabinet.boxes.writer.flush()
        assert list(tmp_path.iterdir()) == []
        boxes = (await cabinet.restarted()).boxes
        assert (boxes.boxes(), boxes.has_pin("101")) == ((), False)

    asyncio.run(main())


def test_a_pin_is_kept_as_a_digest(tmp_path: Path) -> None:
    async def main() -> None:
        boxes = Cabinet(tmp_path).boxes
        assert not boxes.has_pin("101")
        assert not await boxes.is_pin("101", "4711")
        await boxes.set_pin("101", "4711")
        assert boxes.has_pin("101")
        assert await boxes.is_pin("101", "4711")
        assert not await boxes.is_pin("101", "4712")
        assert "4711" not in str(boxes.settings("101"))
        boxes.clear_pin("101")
        assert not await boxes.is_pin("101", "4711")

    asyncio.run(main())


@pytest.mark.parametrize("pin", ["123", "12345678901", "47a1", "1234", "7777", "8001"])
def test_a_pin_that_is_none_is_refused(tmp_path: Path, pin: str) -> None:
    boxes = Cabinet(tmp_path).boxes
    with pytest.raises(Refused):
        asyncio.run(boxes.set_pin("8001", pin))


def test_what_was_heard_long_ago_is_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        old, young, unheard = (
            cabinet.leave(at=START),
            cabinet.leave(at=START + 100),
            cabinet.leave(at=START),
        )
        cabinet.boxes.mark_heard(old)
        cabinet.boxes.mark_heard(young)
        assert cabinet.boxes.forget_heard(START + 50) == 1
        left = {message.id for message in cabinet.boxes.messages("101")}
        assert left == {young, unheard}

    asyncio.run(main())


@pytest.mark.parametrize("id", ["../../etc/passwd", "", "x" * 16, "0" * 15, "/0123456789abcdef"])
def test_no_name_but_ours_leads_to_a_file(tmp_path: Path, id: str) -> None:
    boxes = Cabinet(tmp_path).boxes
    assert boxes.file(id) is None
    with pytest.raises(Refused, match="no message of ours"):
        boxes.path(id)


def test_an_entry_says_what_is_known(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path)
    found = cabinet.boxes.find(cabinet.leave())
    assert isinstance(found, Message)
    entry = found.entry()
    assert (entry.box, entry.caller, entry.caller_name) == ("101", "102", "李雷")
    assert (entry.state, entry.seconds) == ("new", 5.0)
    assert entry.received_at == "2026-11-21T08:00:00.000Z"
