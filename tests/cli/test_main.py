"""The command line as a whole: its table, its errors, its exit status, its weight."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import click
import pytest

import pbx.cli
from pbx.cli import COMMANDS, Commands, cli, run
from pbx.errors import Refused

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name: str) -> None:
    command = Commands().get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help
    assert all(
        option.help or isinstance(option, click.Argument) or option.name == "help"
        for option in command.params
        if isinstance(option, click.Option)
    )


def test_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in COMMANDS)


@pytest.mark.parametrize("words", [["nonsense"], ["call"], ["status", "--colour"], []])
def test_wrong_usage_exits_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert "Usage: callpbx" in capsys.readouterr().err


def test_a_mistyped_command_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extention"]) == 2
    assert 'There is no command "extention" — did you mean "extension"?' in capsys.readouterr().err


@pytest.mark.parametrize("words", [["status"], ["calls"], ["call", "1", "2"], ["trace", "x"]])
def test_what_needs_a_server_says_how_to_start_one(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path), *words]) == 1
    printed = capsys.readouterr()
    assert printed.err == "callpbx is not running; start it with callpbx serve\n"
    assert printed.out == ""


def test_a_folder_without_an_office_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path), "extension", "list"]) == 1
    expected = f"there is no office in {tmp_path}; make one with callpbx init {tmp_path}\n"
    assert capsys.readouterr().err == expected
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_office_names_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(["--home", str(tmp_path), "cdr", "list"]) == 1
    owner = (tmp_path / "var").owner()
    expected = f"the office in {tmp_path} is {owner}'s; run the command as that user\n"
    assert capsys.readouterr().err == expected


def test_home_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALLPBX_HOME", str(tmp_path / "else"))
    assert run(["cdr", "list"]) == 1
    assert str(tmp_path / "else") in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(**_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(cli, "main", broken)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert run(["status"]) == 0


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    assert run(["status"]) == 130


def test_main_exits_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise Refused("no")

    monkeypatch.setattr(cli, "main", refuse)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(SystemExit) as exited:
        pbx.cli.main(["status"])
    assert exited.value.code == 1


def test_the_checkout_runs_without_installation() -> None:
    assert len((ROOT / "cli.py").read_text().splitlines()) == 3


def test_a_reader_that_leaves_early_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def left(**_: object) -> None:
        try:
            raise BrokenPipeError
        except BrokenPipeError:
            sys.exit(1)

    monkeypatch.setattr(cli, "main", left)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert run(["simulate"]) == 0


def test_a_file_that_may_not_be_used_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(**_: object) -> None:
        raise PermissionError(13, "Permission denied", "/srv/office/var")

    monkeypatch.setattr(cli, "main", denied)
    assert run(["prompts", "--render"]) == 1
    assert capsys.readouterr().err == "/srv/office/var cannot be used: Permission denied\n"
