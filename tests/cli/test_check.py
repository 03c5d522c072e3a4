"""`callpbx check`: all that is wrong, each with its place."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from pbx.cli.check import find_plan, find_problems
from pbx.config import Home
from pbx.marks import Problem
from tests.cli.conftest import Command

NO_LINE = (
    "W026 there is no line for emergency calls: phones here cannot call 110, 119 or 120"
    " — keep a mobile phone at hand, and say so to all\n"
)
TESTED = """version: 1
numbers: {"400": ext:101}
tests:
  - {name: front desk, to: "400", expect: ext:%s}
"""


def test_a_fresh_office_has_no_errors(office: Home, command: Command) -> None:
    expected = f"dialplan.yaml:1:1 {NO_LINE}1 problem (0 errors).\n"
    assert command("check") == (0, expected, "")
    assert office.dialplan.exists()


def test_problems_of_both_files_are_listed_with_their_codes_in_line(
    office: Home, command: Command
) -> None:
    office.dialplan.write_text("version: 1\nnumbers:\n  400: 101\n  500: menu:main\n")
    office.settings.write_text("grace: 5\n")
    status, out, _ = command("check")
    assert status == 1
    lines = out.splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "dialplan.yaml:3:8",
        "dialplan.yaml:4:8",
        "callpbx.yaml:1:8",
        "3",
    ]
    assert {line.find(" E") for line in lines[:-1]} == {len("dialplan.yaml:3:8")}
    assert lines[-1] == "3 problems (3 errors)."


def test_what_a_line_of_the_office_means_is_known(office: Home, command: Command) -> None:
    with closing(sqlite3.connect(office.database)) as connection:
        columns = connection.execute("PRAGMA table_info(trunks)").fetchall()
        needed = {name: kind for _, name, kind, required, given, _ in columns if required}
        values = [0 if "INT" in kind or "BOOL" in kind else name for name, kind in needed.items()]
        places = ", ".join("?" * len(needed))
        sql = f"INSERT INTO trunks ({', '.join(needed)}) VALUES ({places})"
        connection.execute(sql, values)
        connection.commit()
    status, out, _ = command("check")
    assert status == 1
    assert "dialplan.yaml:1:1 E018" in out


def test_another_file_can_be_checked(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("version: 1\n")
    assert command("check", str(file)) == (0, f"new.yaml:1:1 {NO_LINE}1 problem (0 errors).\n", "")
    status, _, err = command("check", str(tmp_path / "none.yaml"))
    assert (status, err) == (
        1,
        f"{tmp_path / 'none.yaml'} does not exist\n",
    )


def test_a_file_beside_the_dialplan_knows_the_office(office: Home, command: Command) -> None:
    file = office.path / "next.yaml"
    file.write_text(
        'version: 1\nnumbers: {"400": flow:door}\nflows: {door: [say: hello, hangup]}\n'
        "prompts: {hello: {zh: sounds/nowhere.wav}}\n"
    )
    assert "next.yaml:4:11 E015" in command("check", str(file))[1]
    (office.path.parent / "next.yaml").write_text(file.read_text())
    assert "E015" not in command("check", str(office.path.parent / "next.yaml"))[1]


def test_what_could_move_the_cursor_is_not_printed(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text('version: 1\nnumbers: {"400": "menu:\\e[2J"}\n')
    status, out, _ = command("check", str(file))
    assert status == 1
    assert "\x1b" not in out


def test_tests_are_rehearsed_on_request(office: Home, command: Command) -> None:
    office.dialplan.write_text(TESTED % "101")
    assert "front desk" not in command("check")[1]
    status, out, _ = command("check", "--test")
    assert status == 0
    assert out.splitlines()[1:] == [
        "test        passed  where it went",
        "front desk  yes     numbers:400 → ext:101",
        "1 problem (0 errors).",
    ]


def test_a_test_that_fails_is_an_error(office: Home, command: Command) -> None:
    office.dialplan.write_text(TESTED % "102")
    status, out, _ = command("check", "--test")
    assert status == 1
    assert 'dialplan.yaml:4:5 E019 test "front desk": the call did not pass ext:102' in out
    assert "front desk  no      numbers:400 → ext:101" in out


def test_tests_of_a_broken_plan_are_not_rehearsed(office: Home, command: Command) -> None:
    office.dialplan.write_text((TESTED % "101").replace("ext:101}\ntests", "exten:101}\ntests"))
    assert "The tests were not run: mend the errors first." in command("check", "--test")[1]


def test_json_is_a_bare_list(office: Home, command: Command) -> None:
    assert [each["code"] for each in json.loads(command("check", "--json")[1])] == ["W026"]
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
            "sentence": 'numbers.400: "101" is no destination',
            "suggestion": "write ext:101",
        }
    ]


def test_json_has_the_tests_too_where_they_were_asked_for(office: Home, command: Command) -> None:
    office.dialplan.write_text(TESTED % "101")
    answer = json.loads(command("check", "--test", "--json")[1])
    assert [each["code"] for each in answer["problems"]] == ["W026"]
    (test,) = answer["tests"]
    assert test == {"name": "front desk", "passed": True, "went": ["numbers:400", "ext:101"]}


def test_the_schema_needs_no_office(command: Command) -> None:
    status, out, _ = command("check", "--schema")
    assert status == 0
    assert json.loads(out)["title"] == "dialplan.yaml of callpbx"


def test_other_commands_find_plan_and_problems(office: Home) -> None:
    assert "8000" in find_plan(office).numbers
    (problem,) = find_problems(office)
    assert isinstance(problem, Problem)
    assert problem.code == "W026"
