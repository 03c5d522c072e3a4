"""`callpbx extension …` on an office without a server."""

from __future__ import annotations

import json

import pytest

from pbx.cli.extension import escape
from pbx.config import Home
from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("office")


def test_a_new_phone_shows_what_to_type_into_it(command: Command) -> None:
    status, out, err = command("extension", "add", "101", "--name", "王小明")
    assert (status, err) == (0, "")
    assert out.startswith("Extension 101 (王小明) is ready. Type this into the phone:\n")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[2:5])
    assert set(lines) == {"Server", "User", "Password"}
    assert lines["User"] == "101"
    assert "Lost it? callpbx extension set 101 --new-password" in out
    assert "█" not in out  # no QR into a pipe
    _, shown, _ = command("extension", "show", "101", "--json")
    assert lines["Password"] not in shown


def test_a_qr_is_drawn_on_demand(command: Command) -> None:
    _, out, _ = command("extension", "add", "101", "--qr")
    assert "█▀" in out


def test_json_is_one_document(command: Command) -> None:
    _, out, _ = command("extension", "add", "101", "--json")
    assert list(json.loads(out)) == ["number", "name", "server", "user", "password"]
    _, out, _ = command("extension", "list", "--json")
    assert [list(row) for row in json.loads(out)] == [
        [
            "number",
            "name",
            "registered",
            "voicemail",
            "no_answer_s",
            "contact",
            "srtp",
            "caller_id",
        ]
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "101"], "extension 101 exists already\n"),
        (["add", "1"], "an extension has 2 to 10 digits; '1' has not\n"),
        (["add", "102", "--password", "1234"], "the password is shorter than 8 characters; "),
        (["add", "102", "--contact", "door"], "'door' is no SIP URI such as sip:door@192.0.2.7\n"),
        (["add", "10a"], "an extension has 2 to 10 digits; '10a' has not\n"),
        (["add", "102", "--name", "a\nb"], "a name has 1 to 80 printable characters; "),
        (["show", "109"], "there is no extension 109\n"),
        (["remove", "109"], "there is no extension 109\n"),
        (["set", "109", "--name", "x"], "there is no extension 109\n"),
        (["show", "../tokens"], "there is nothing of that name\n"),
    ],
)
def test_a_refusal_is_one_sentence(command: Command, words: list[str], sentence: str) -> None:
    command("extension", "add", "101")
    status, out, err = command("extension", *words)
    assert (status, out) == (1, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_a_phone_is_changed_and_removed(command: Command) -> None:
    command("extension", "add", "101")
    _, out, _ = command(
        "extension", "set", "101", "--name", "Alice", "--no-answer", "1m", "--voicemail", "yes"
    )
    assert "Alice" in out
    assert "after 1m 0s" in out
    _, out, _ = command("extension", "set", "101", "--srtp", "required", "--json")
    assert json.loads(out)["srtp"] == "required"
    _, out, _ = command("extension", "set", "101", "--name", "", "--json")
    assert json.loads(out)["name"] is None
    assert command("extension", "remove", "101") == (0, "Extension 101 is removed\n", "")
    _, out, _ = command("extension", "list")
    assert out == "No phones yet; add one with callpbx extension add 101\n"


def test_a_lost_password_is_replaced(command: Command) -> None:
    _, first, _ = command("extension", "add", "101", "--json")
    _, second, _ = command("extension", "set", "101", "--new-password", "--json")
    assert json.loads(first)["password"] != json.loads(second)["password"]


@pytest.mark.parametrize(
    "words",
    [
        ["set", "101"],
        ["set", "101", "--no-answer", "20"],
        ["set", "101", "--password", "x9-Kq_27pL", "--new-password"],
        ["set", "101", "--voicemail", "perhaps"],
        ["add"],
    ],
)
def test_wrong_usage_exits_2(command: Command, words: list[str]) -> None:
    status, out, err = command("extension", *words)
    assert (status, out) == (2, "")
    assert "Usage: callpbx extension" in err


def test_a_new_realm_needs_new_passwords_for_all(command: Command, home: Home) -> None:
    command("extension", "add", "101")
    command("extension", "add", "102")
    home.settings.write_text("sip: {realm: other}\n")
    status, _, err = command("extension", "add", "103")
    assert status == 1
    assert "made for the realm 'callpbx'" in err
    _, out, _ = command("extension", "reissue", "--yes")
    assert "101" in out
    assert "shown only now" in out
    assert command("extension", "add", "103")[0] == 0


def test_what_a_uri_cannot_hold_is_escaped() -> None:
    assert escape("a:b@c/d e") == "a%3Ab%40c%2Fd%20e"
    assert escape("Az9-_") == "Az9-_"
