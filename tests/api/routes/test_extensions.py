"""The directory of phones over the API."""

from __future__ import annotations

import pytest

from pbx.api.passwords import MADE_LENGTH
from pbx.api.views import Registration
from pbx.errors import NotFound, Refused
from tests.api.office_double import OfficeDouble, Phone, client_of


def office() -> OfficeDouble:
    double = OfficeDouble()
    double.directory.phones = {
        "102": Phone("102", contact="sip:door@192.0.2.7"),
        "101": Phone("101", "王小明"),
    }
    assert double.live is not None
    double.live.bindings = [
        Registration(number="101", contact="sip:101@192.0.2.1", transport="udp", expires_in_s=60.0)
    ]
    return double


def test_phones_are_listed_by_number_with_their_state() -> None:
    with client_of(office()) as api:
        assert api.get("/extensions") == [
            {
                "number": "101",
                "name": "王小明",
                "registered": True,
                "voicemail": False,
                "no_answer_s": 20.0,
                "contact": None,
                "srtp": "optional",
                "caller_id": None,
            },
            {
                "number": "102",
                "name": None,
                "registered": False,
                "voicemail": False,
                "no_answer_s": 20.0,
                "contact": "sip:door@192.0.2.7",
                "srtp": "optional",
                "caller_id": None,
            },
        ]


def test_without_a_server_nobody_knows_who_is_registered() -> None:
    double = office()
    double.live = None
    with client_of(double) as api:
        assert [row["registered"] for row in api.get("/extensions")] == [None, None]


def test_a_phone_is_added_with_a_made_password_that_is_shown_once() -> None:
    double = office()
    with client_of(double) as api:
        created = api.post("/extensions", {"number": "105", "name": "Bob"})
        assert len(created["password"]) == MADE_LENGTH
        assert created == {
            "number": "105",
            "name": "Bob",
            "server": "192.168.1.5",
            "user": "105",
            "password": double.directory.phones["105"].password,
        }
        assert "password" not in api.get("/extensions/105")
    assert double.live is not None
    assert double.live.done == [("directory_changed",)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"number": "101"}, "extension 101 exists"),
        ({"number": "105", "password": "1234"}, "shorter than 8 characters; leave it out and"),
        ({"number": "1" * 201}, "number: "),
        ({"number": "105", "colour": "red"}, "colour: "),
        ({}, "number: Field required"),
    ],
)
def test_a_phone_that_cannot_be_added_is_explained_in_one_sentence(
    body: dict[str, str], words: str
) -> None:
    with client_of(office()) as api, pytest.raises(Refused, match=words) as refused:
        api.post("/extensions", body)
    assert "\n" not in str(refused.value)


def test_a_phone_is_changed_in_parts() -> None:
    double = office()
    with client_of(double) as api:
        changed = api.patch("/extensions/101", {"no_answer_s": 30, "voicemail": True})
    assert (changed["name"], changed["no_answer_s"], changed["voicemail"]) == ("王小明", 30.0, True)


def test_a_password_is_changed_or_made_anew() -> None:
    double = office()
    with client_of(double) as api:
        with pytest.raises(Refused, match="too simple"):
            api.patch("/extensions/101", {"password": "aaaaaaaa"})
        api.patch("/extensions/101", {"password": "x9-Kq_27pL"})
        assert double.directory.phones["101"].password == "x9-Kq_27pL"
        made = api.post("/extensions/101/password")
        assert double.directory.phones["101"].password == made["password"] != "x9-Kq_27pL"
        assert made["name"] == "王小明"


def test_a_phone_is_removed_once() -> None:
    double = office()
    with client_of(double) as api:
        api.delete("/extensions/101")
        for ask in (api.delete, api.get):
            with pytest.raises(NotFound, match="there is no extension 101"):
                ask("/extensions/101")


def test_every_phone_gets_a_new_password_at_once() -> None:
    double = office()
    with client_of(double) as api:
        accounts = api.post("/extensions/reissue")
    assert [account["user"] for account in accounts] == ["101", "102"]
    for account in accounts:
        assert double.directory.phones[account["user"]].password == account["password"]
