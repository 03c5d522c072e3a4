"""`callpbx prompts`: what callers hear in each language, who says it, and what lacks."""

from __future__ import annotations

import json

import pytest

from pbx.config import Home
from pbx.outside.speech import desk, engines
from tests.cli.conftest import Command
from tests.outside.speech.kit import FAKE, write_wav

PLAN = """\
version: 1
defaults: {language: zh}
prompts:
  welcome: {zh: 您好，欢迎致电。, en: sounds/en/welcome.wav}
  order_is: {zh: "您的订单${order}。", en: sounds/gone.wav}
  idle: {zh: 没有人说这个。}
numbers: {"100": flow:door}
flows:
  door:
    - set: {order: "1"}
    - say: [welcome, order_is]
    - hangup
"""


@pytest.fixture
def office(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Give an office with a dialplan, whose voices are a small program."""
    home.make_folders()
    home.dialplan.write_text(PLAN)
    write_wav(home.sounds / "en" / "welcome.wav")
    monkeypatch.setattr(engines, "has_espeak", lambda: True)
    monkeypatch.setattr(engines, "_has", lambda *_: False)
    fake = (desk.STUDIO[0], "-S", "-E", str(FAKE), str(home.var / "orders"))
    monkeypatch.setattr(desk.Desk.__init__, "__kwdefaults__", {"command": fake, "idle": 600.0})
    return home


def rows(command: Command, *words: str) -> dict[tuple[str, str], dict[str, object]]:
    """Return the rows of `--json` by prompt and language."""
    status, out, _ = command("prompts", "--json", *words)
    assert status == 0
    return {(row["name"], row["language"]): row for row in json.loads(out)}


@pytest.mark.usefixtures("office")
def test_each_prompt_has_a_row_per_language_with_its_state(command: Command) -> None:
    found = rows(command)
    assert {key: row["state"] for key, row in found.items()} == {
        ("welcome", "zh"): "not rendered",
        ("welcome", "en"): "file",
        ("order_is", "zh"): "with values",
        ("order_is", "en"): "broken",
        ("idle", "zh"): "not rendered",
        ("idle", "en"): "missing",
    }
    assert found["welcome", "zh"] == {
        "number": 1,
        "name": "welcome",
        "language": "zh",
        "text": "您好，欢迎致电。",
        "file": None,
        "used_by": ["flow:door"],
        "state": "not rendered",
        "problem": None,
    }
    assert found["order_is", "zh"]["text"] == "您的订单${order}。"
    assert "there is no file" in str(found["order_is", "en"]["problem"])
    assert found["idle", "en"]["problem"] == "callers hear zh"
    assert found["idle", "zh"]["used_by"] == []


@pytest.mark.usefixtures("office")
def test_the_table_says_who_uses_a_prompt_and_what_is_wrong(command: Command) -> None:
    status, out, _ = command("prompts")
    assert status == 0
    lines = out.splitlines()
    assert lines[1].split() == [
        "1",
        "welcome",
        "zh",
        "您好，欢迎致电。",
        "flow:door",
        "not",
        "rendered",
    ]
    assert any(line.split()[1:2] == ["idle"] and "nobody" in line for line in lines)
    assert lines[-1].startswith("order_is (en): there is no file")


def test_what_is_rendered_is_shown_and_not_rendered_again(office: Home, command: Command) -> None:
    status, out, err = command("prompts", "--render", "--language", "zh", "--json")
    assert status == 0
    states = {row["name"]: row["state"] for row in json.loads(out)}
    assert states == {"welcome": "rendered", "order_is": "with values", "idle": "rendered"}
    assert "zh welcome" in err.splitlines()[0]
    ordered = (office.var / "orders").read_text()
    assert command("prompts", "--render", "--language", "zh")[2] == ""
    assert (office.var / "orders").read_text() == ordered


def test_a_recording_by_phone_takes_the_place_of_the_text(office: Home, command: Command) -> None:
    write_wav(office.sounds / "zh" / "order_is.wav")
    row = rows(command)["order_is", "zh"]
    assert (row["state"], row["file"]) == ("recorded", "sounds/zh/order_is.wav")


@pytest.mark.usefixtures("office")
def test_where_nothing_speaks_it_says_what_to_install(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_espeak", lambda: False)
    status, out, err = command("prompts", "--language", "zh", "--render")
    assert status == 1
    assert "apt-get install espeak-ng" in out
    assert "texts could not be rendered" in err


def test_numbers_and_dates_can_be_read_through(home: Home, command: Command) -> None:
    status, out, _ = command("prompts", "--speak", "zh")
    assert status == 0
    assert "format" in out.splitlines()[0]
    assert "二" in out
    words = json.loads(command("prompts", "--speak", "en", "--json")[1])
    assert {"format", "value", "words"} == set(words[0])
    assert not home.var.exists()
