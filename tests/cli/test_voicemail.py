"""`callpbx voicemail …` with and without a server: lists, sound, deletion, PINs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from pbx.config import Home, load_settings
from pbx.mailboxes.model import MessageEntry
from pbx.office import open_office
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command
from tests.mailboxes.cabinet import LAYOUT, START


@pytest.fixture
def messages(office: Home) -> list[str]:
    """Give an office with two messages for 101 and one for `service`; return their ids."""

    async def leave() -> list[str]:
        async with open_office(office, load_settings(office)) as opened:
            ids = []
            for place, box in enumerate(("101", "101", "service")):
                draft = opened.boxes.begin(
                    box,
                    call="c1",
                    caller="13800138000",
                    caller_name=None,
                    at=START + 60 * place,
                )
                Path(draft.path).write_bytes(LAYOUT.header(40_000) + bytes(40_000))
                opened.boxes.keep(
                    draft.id, seconds=75.0, octets=40_058, sha256="ab" * 32, error=None
                )
                ids.append(draft.id)
            await opened.boxes.close()
            return ids

    return asyncio.run(leave())


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a player on the PATH that copies what it plays; return where to."""
    played = tmp_path / "played"
    script = tmp_path / "bin" / "aplay"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\n/bin/cat "$2" > {played}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))
    return played


def test_the_list_is_newest_first(messages: list[str], command: Command) -> None:
    status, out, _ = command("voicemail", "list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == messages[::-1]
    assert "1:15" in out
    assert "13800138000" in out
    rows = json.loads(command("voicemail", "list", "101", "--json")[1])
    assert [row["id"] for row in rows] == messages[1::-1]
    limited = json.loads(command("voicemail", "list", "--limit", "1", "--json")[1])
    assert [row["id"] for row in limited] == messages[2:]


def test_an_office_without_messages_says_so(office: Home, command: Command) -> None:
    assert command("voicemail", "list") == (0, "No messages\n", "")
    assert command("voicemail", "list", "101")[1] == "No messages in mailbox 101\n"
    assert command("voicemail", "boxes")[1].startswith("No messages, and nothing is set")


def test_the_boxes_are_listed(messages: list[str], command: Command) -> None:
    command("voicemail", "set", "101", "--pin", "4711", "--mail", "a@b.example")
    rows = json.loads(command("voicemail", "boxes", "--json")[1])
    assert rows == [
        {
            "box": "101",
            "new": 2,
            "old": 0,
            "pin": True,
            "mail": "a@b.example",
            "greeting": False,
        },
        {"box": "service", "new": 1, "old": 0, "pin": False, "mail": None, "greeting": False},
    ]
    assert "a@b.example" in command("voicemail", "boxes")[1]


def test_a_message_is_played(
    office: Home, messages: list[str], command: Command, player: Path
) -> None:
    assert command("voicemail", "play", messages[0])[0] == 0
    kept = office.voicemail / f"{messages[0]}.wav"
    assert player.read_bytes() == kept.read_bytes()


def test_without_a_player_the_file_is_named(
    office: Home, messages: list[str], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    status, _, error = command("voicemail", "play", messages[0])
    assert status == 1
    assert str(office.voicemail / f"{messages[0]}.wav") in error


def test_a_message_is_exported(messages: list[str], command: Command, tmp_path: Path) -> None:
    file = tmp_path / "message.wav"
    assert command("voicemail", "export", messages[0], str(file)) == (
        0,
        f"{file} is written: SHA-256 {'ab' * 32}\n",
        "",
    )
    assert file.stat().st_size == 40_058
    assert "exists" in command("voicemail", "export", messages[0], str(file))[2]
    assert "name it" in command("voicemail", "export", messages[0], "message.mp3")[2]


def test_a_message_whose_file_is_gone_is_not_exported(
    office: Home, messages: list[str], command: Command, tmp_path: Path
) -> None:
    (office.voicemail / f"{messages[0]}.wav").unlink()
    file = tmp_path / "message.wav"
    status, _, error = command("voicemail", "export", messages[0], str(file))
    assert (status, file.exists()) == (1, False)
    assert "is gone" in error


def test_a_deleted_message_is_gone(office: Home, messages: list[str], command: Command) -> None:
    assert command("voicemail", "delete", messages[0])[1] == f"Message {messages[0]} is deleted\n"
    assert not (office.voicemail / f"{messages[0]}.wav").exists()
    status, _, error = command("voicemail", "delete", messages[0])
    assert (status, error) == (1, f"there is no message {messages[0]}\n")
    assert command("voicemail", "play", "../../etc/passwd")[0] == 1


def test_a_box_is_set(office: Home, command: Command) -> None:
    command("extension", "add", "101")
    said = command("voicemail", "set", "101", "--pin", "4711")
    assert said == (0, "Mailbox 101 is set\n", "")
    said = command("voicemail", "set", "nobody", "--mail", "a@b.example")
    assert said[1] == "Mailbox nobody is set; but nobody has such a mailbox yet\n"
    command("voicemail", "set", "101", "--pin", "")
    rows = {row["box"]: row for row in json.loads(command("voicemail", "boxes", "--json")[1])}
    assert (rows["101"]["pin"], rows["nobody"]["mail"]) == (False, "a@b.example")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--pin", "12"), "4 to 10 digits"),
        (("--pin", "8001"), "its own number"),
        (("--pin", "1234"), "the first that anybody tries"),
        (("--mail", "nobody"), "no e-mail address"),
        (("--mail", "a@b.example\nBcc: c@d.example"), "no e-mail address"),
        ((), "Say what to set"),
    ],
)
def test_what_cannot_be_set_is_refused(
    office: Home, command: Command, words: tuple[str, ...], complaint: str
) -> None:
    status, _, error = command("voicemail", "set", "8001", *words)
    assert status in (1, 2)
    assert complaint in error


def test_a_running_server_is_asked(live: OfficeDouble, command: Command) -> None:
    live.mailboxes.rows = [
        MessageEntry(
            id="0123456789abcdef",
            box="101",
            call="c1",
            received_at="2026-11-21T08:00:00.000Z",
            caller="102",
            caller_name="李雷",
            state="new",
            seconds=5.0,
            octets=None,
            sha256=None,
            error=None,
        )
    ]
    assert "李雷" in command("voicemail", "list")[1]
    command("voicemail", "set", "101", "--pin", "4711", "--standard-greeting")
    assert live.mailboxes.changed == [("101", "4711", None, True)]
    command("voicemail", "delete", "0123456789abcdef")
    assert live.mailboxes.rows == []
