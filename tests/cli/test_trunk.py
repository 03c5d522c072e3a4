"""`callpbx trunk …` and `callpbx token …`."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("office")


def test_a_line_is_added_by_address_listed_and_removed(command: Command) -> None:
    status, out, _ = command("trunk", "add", "main", "--server", "sip:192.0.2.7", "--max", "30")
    assert status == 0
    assert out.startswith("Trunk main is added: calls from sip:192.0.2.7 are its calls\n")
    match = ("--match", "192.0.2.8", "--match", "192.0.2.9:5070")
    command(
        "trunk", "add", "backup", "--server", "sip:carrier.example", *match, "--srtp", "required"
    )
    _, out, _ = command("trunk", "list", "--json")
    rows = json.loads(out)
    assert [row["name"] for row in rows] == ["backup", "main"]
    assert rows[0]["match"] == ["192.0.2.8", "192.0.2.9:5070"]
    assert [row["srtp"] for row in rows] == ["required", "optional"]
    assert (rows[1]["max_calls"], rows[1]["register"]) == (30, False)
    _, out, _ = command("trunk", "list")
    assert "192.0.2.8, 192.0.2.9:5070" in out
    assert command("trunk", "remove", "main")[0] == 0
    assert command("trunk", "remove", "main") == (1, "", "there is no trunk main\n")


@pytest.mark.parametrize("words", [["--register"], ["--username", "u", "--password", "p"]])
def test_registering_is_not_there_yet(command: Command, words: list[str]) -> None:
    status, _, err = command("trunk", "add", "main", "--server", "sip:192.0.2.7", *words)
    assert status == 1
    assert "not in this version yet" in err


def test_a_server_is_needed(command: Command) -> None:
    assert command("trunk", "add", "main")[0] == 2
    status, _, err = command("trunk", "add", "main", "--server", "nonsense at all")
    assert status == 1
    assert "is no SIP server" in err


def test_a_token_is_shown_once(command: Command) -> None:
    status, out, err = command("token", "add", "crm", "--scope", "read")
    assert status == 0
    assert len(out.strip()) > 30  # alone on stdout, for scripts
    assert "shown only now" in err
    _, listed, _ = command("token", "list")
    assert out.strip() not in listed
    _, listed, _ = command("token", "list", "--json")
    assert json.loads(listed) == [{"name": "crm", "scope": "read", "last_used": None}]
    assert command("token", "remove", "crm") == (0, "Token crm is removed\n", "")
    assert command("token", "remove", "crm")[0] == 1
    assert command("token", "add", "crm", "--scope", "root")[0] == 2
