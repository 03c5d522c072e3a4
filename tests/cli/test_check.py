"""`callpbx check`: all that is wrong, each with its place."""

from __future__ import annotations

import json
from pathlib import Path

from pbx.config import Home
from tests.cli.conftest import Command


def test_a_fresh_office_has_no_problems(office: Home, command: Command) -> None:
    assert command("check") == (0, "dialplan.yaml and callpbx.yaml: no problems\n", "")
    assert office.dialplan.exists()


def test_problems_of_both_files_are_listed(office: Home, command: Command) -> None:
    office.dialplan.write_text("version: 1\nnumbers:\n  400: 101\n  500: menu:main\n")
    office.settings.write_text("grace: 5\n")
    status, out, _ = command("check")
    assert status == 1
    assert [line.split(" ")[0] for line in out.splitlines()] == [
        "dialplan.yaml:3:8",
        "dialplan.yaml:4:8",
        "callpbx.yaml:1:8",
        "3",
    ]
    assert out.endswith("3 problems (3 errors)\n")


def test_another_file_can_be_checked(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("version: 1\n")
    assert command("check", str(file)) == (0, "new.yaml: no problems\n", "")
    status, _, err = command("check", str(tmp_path / "none.yaml"))
    assert (status, err) == (
        1,
        f"{tmp_path / 'none.yaml'} does not exist; callpbx init writes one\n",
    )


def test_json_is_a_bare_list(office: Home, command: Command) -> None:
    assert json.loads(command("check", "--json")[1]) == []
    office.dialplan.write_text("version: 1\nnumbers:\n  400: 101\n")
    status, out, _ = command("check", "--json")
    assert status == 1
    assert json.loads(out) == [
        {
            "code": "E005",
            "severity": "error",
            "file": "dialplan.yaml",
            "line": 3,
            "column": 8,
            "sentence": '"101" is no destination',
            "suggestion": "write ext:101",
        }
    ]
