"""Voicemail over the API: pages, sound, deletion, settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.errors import NotFound, Refused
from pbx.mailboxes.model import BoxEntry, MessageEntry
from tests.api.office_double import OfficeDouble, Phone, client_of


def entry(id: str, box: str = "101") -> MessageEntry:
    return MessageEntry(
        id=id,
        box=box,
        call="c1",
        received_at="2026-11-21T08:00:00.000Z",
        caller="13800138000",
        caller_name=None,
        state="new",
        seconds=12.5,
        octets=100_058,
        sha256="0" * 64,
        error=None,
    )


@pytest.fixture
def office(tmp_path: Path) -> OfficeDouble:
    double = OfficeDouble()
    double.mailboxes.rows = [*(entry(f"m{n}") for n in range(4)), entry("m4", "service")]
    double.mailboxes.shown = [
        BoxEntry(box="101", new=4, old=0, pin=True, mail=None, greeting=False)
    ]
    sound = tmp_path / "m0.wav"
    sound.write_bytes(bytes(range(256)) * 40)
    double.mailboxes.files["m0"] = sound
    return double


def test_a_message_is_the_documented_object(office: OfficeDouble) -> None:
    with client_of(office) as api:
        assert api.get("/voicemail/messages/m4") == {
            "id": "m4",
            "box": "service",
            "call": "c1",
            "received_at": "2026-11-21T08:00:00.000Z",
            "caller": "13800138000",
            "caller_name": None,
            "state": "new",
            "seconds": 12.5,
            "octets": 100_058,
            "sha256": "0" * 64,
            "error": None,
        }
        with pytest.raises(NotFound, match="no message m9"):
            api.get("/voicemail/messages/m9")


def test_messages_come_in_pages(office: OfficeDouble) -> None:
    with client_of(office) as api:
        pages = list(api.pages("/voicemail/messages", {"box": "101"}, 4))
        assert len(pages) == 1
        assert b"m3" in pages[0]
        rows = api.get("/voicemail/messages", {"limit": 2, "before": "m1"})
        assert [row["id"] for row in rows] == ["m2", "m3"]


def test_boxes_are_listed(office: OfficeDouble) -> None:
    with client_of(office) as api:
        assert api.get("/voicemail/boxes") == [
            {"box": "101", "new": 4, "old": 0, "pin": True, "mail": None, "greeting": False}
        ]


def test_the_sound_comes_by_ranges(office: OfficeDouble) -> None:
    with client_of(office) as api:
        parts = list(api.download("/voicemail/messages/m0/audio"))
    assert b"".join(parts) == office.mailboxes.files["m0"].read_bytes()


def test_a_message_is_deleted(office: OfficeDouble) -> None:
    with client_of(office) as api:
        api.delete("/voicemail/messages/m0")
    assert [row.id for row in office.mailboxes.rows] == ["m1", "m2", "m3", "m4"]


def test_what_is_left_out_stays(office: OfficeDouble) -> None:
    with client_of(office) as api:
        api.put("/voicemail/boxes/101", {"pin": "4711"})
        api.put("/voicemail/boxes/service", {"mail": "", "standard_greeting": True})
        with pytest.raises(Refused, match="colour"):
            api.put("/voicemail/boxes/101", {"colour": "red"})
    assert office.mailboxes.changed == [
        ("101", "4711", None, False),
        ("service", None, "", True),
    ]


def test_a_removed_extension_takes_its_mailbox_along(office: OfficeDouble) -> None:
    office.directory.phones["101"] = Phone("101")
    with client_of(office) as api:
        api.delete("/extensions/101")
    assert [row.box for row in office.mailboxes.rows] == ["service"]
