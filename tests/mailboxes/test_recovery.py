"""After a kill: what was being said is kept, what does not fit is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pbx.mailboxes.mending import CUT_OFF
from pbx.mailboxes.recovery import Recovered, recover
from tests.mailboxes.cabinet import Cabinet


async def after_a_kill(cabinet: Cabinet) -> tuple[Cabinet, Recovered, list[str]]:
    """Kill the server; return the mailboxes of the next, what it mended, and its alarms."""
    await cabinet.boxes.writer.flush()
    again = await cabinet.restarted()
    alarms: list[str] = []
    done = await recover(again.boxes, alarms.append)
    return again, done, alarms


def test_what_was_being_said_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        long, short, silent = cabinet.begin(), cabinet.begin(), cabinet.begin()
        cabinet.speak(long, 7.0, said=6.5)
        cabinet.speak(short, 1.0)
        again, done, alarms = await after_a_kill(cabinet)
        assert done == Recovered(mended=1, dropped=2)
        assert alarms == []
        (message,) = again.boxes.messages("101")
        assert (message.id, message.seconds, message.error) == (long.id, 7.0, CUT_OFF)
        assert again.lit == ["101"]
        assert again.arrived == [long.id]
        assert not again.boxes.knows(silent.id)
        assert [file.name for file in tmp_path.iterdir()] == [Path(long.path).name]
        _, done, _ = await after_a_kill(again)
        assert done == Recovered()

    asyncio.run(main())


def test_a_message_whose_file_is_gone_is_forgotten_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        gone, kept = cabinet.leave(), cabinet.leave()
        cabinet.boxes.path(gone).unlink()
        again, done, (alarm,) = await after_a_kill(cabinet)
        assert done == Recovered(missing=1)
        assert [message.id for message in again.boxes.messages("101")] == [kept]
        assert "1 voicemail messages are lost" in alarm

    asyncio.run(main())


def test_a_greeting_whose_file_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        cabinet.boxes.keep_greeting("101", cabinet.boxes.begin_greeting().id)
        again, done, _ = await after_a_kill(cabinet)
        assert done == Recovered(greetings=1)
        assert again.boxes.greeting("101") is None

    asyncio.run(main())


def test_a_file_that_belongs_to_nothing_is_told_and_left(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        stranger = tmp_path / "0123456789abcdef.wav"
        stranger.write_bytes(b"?")
        (tmp_path / "notes.txt").write_text("not ours")
        unfinished = cabinet.boxes.begin_greeting()
        cabinet.speak(unfinished)
        again, done, (alarm,) = await after_a_kill(cabinet)
        assert done == Recovered(strange=(stranger.name,))
        assert stranger.name in alarm
        await again.boxes.close()
        assert sorted(file.name for file in tmp_path.iterdir()) == [stranger.name, "notes.txt"]

    asyncio.run(main())


def test_a_file_that_is_no_sound_is_dropped(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        Path(cabinet.begin().path).write_bytes(b"not a wav file")
        Path(cabinet.begin().path).symlink_to("/etc/passwd")
        _, done, _ = await after_a_kill(cabinet)
        assert done == Recovered(dropped=2)
        assert list(tmp_path.iterdir()) == []

    asyncio.run(main())
