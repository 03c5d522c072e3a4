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
    assert "under outbound" in out
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
    assert "sip:carrier.example" in out
    assert command("trunk", "remove", "main")[0] == 0
    assert command("trunk", "remove", "main") == (1, "", "there is no trunk main\n")


def test_a_line_that_registers_needs_a_user_and_a_password(command: Command) -> None:
    words = ("trunk", "add", "main", "--server", "sip:192.0.2.7", "--register")
    status, _, err = command(*words)
    assert (status, err) == (1, "trunk main needs a username and a password to register\n")
    numbers = ("--number", "02888886666", "--number", "02888886667", "--per-minute", "20")
    status, out, _ = command(*words, "--username", "u1", "--password", "geheim", *numbers)
    assert status == 0
    assert "and it registers as u1" in out
    _, out, _ = command("trunk", "list", "--json")
    (row,) = json.loads(out)
    assert (row["numbers"], row["per_minute"]) == (["02888886666", "02888886667"], 20)
    assert "geheim" not in out


def test_only_a_number_of_ours_is_shown_to_the_outside(command: Command) -> None:
    command("trunk", "add", "main", "--server", "sip:192.0.2.7", "--number", "02888886667")
    command("extension", "add", "101")
    assert command("extension", "set", "101", "--caller-id", "02888886667")[0] == 0
    status, _, err = command("extension", "set", "101", "--caller-id", "02812345678")
    assert status == 1
    assert err.startswith("02812345678 is no number of ours; add it to its trunk")
    _, out, _ = command("extension", "show", "101", "--json")
    assert json.loads(out)["caller_id"] == "02888886667"
    _, out, _ = command("extension", "set", "101", "--caller-id", "", "--json")
    assert json.loads(out)["caller_id"] is None


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
