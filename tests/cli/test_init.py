"""`callpbx init`: a new office, nothing overwritten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pbx.cli.init import SAMPLES, TEMPLATES, sample_dialplan
from pbx.config import Home, Settings, parse_settings
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import check_plan
from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]


def test_an_office_is_made(home: Home, command: Command) -> None:
    status, out, err = command("init", str(home.path))
    assert (status, err) == (0, "")
    assert f"start it with callpbx --home {home.path} serve" in out
    assert home.database.stat().st_mode & 0o777 == 0o600
    assert home.settings.stat().st_mode & 0o777 == 0o600
    assert home.var.stat().st_mode & 0o777 == 0o700
    assert check_plan(home.dialplan, VOCABULARY)[1] == []
    assert home.dialplan.read_bytes() == sample_dialplan("office").read_bytes()


def test_nothing_is_overwritten(home: Home, command: Command) -> None:
    home.path.mkdir()
    home.dialplan.write_text("version: 1 # mine\n")
    status, out, _ = command("init", str(home.path))
    assert status == 0
    assert "dialplan.yaml is there already and stays as it is" in out
    assert home.dialplan.read_text() == "version: 1 # mine\n"
    assert home.settings.exists()


def test_the_current_office_is_the_default(home: Home, command: Command) -> None:
    assert command("init")[0] == 0
    assert home.database.exists()


def test_extensions_are_made_once_and_shown_once(home: Home, command: Command) -> None:
    _, out, _ = command("init", str(home.path), "--extensions", "099-101")
    rows = [row for line in out.splitlines() if len(row := line.split()) == 3 and row[1].isdigit()]
    assert [row[1] for row in rows] == ["099", "100", "101"]
    passwords = {row[2] for row in rows}
    assert len(passwords) == 3
    _, again, _ = command("init", str(home.path), "--extensions", "099-102")
    assert "3 phones there already: 099, 100, 101" in again
    assert "extension set 099 --new-password" in again
    assert not any(password in again for password in passwords)
    _, listed, _ = command("extension", "list", "--json")
    assert [row["number"] for row in json.loads(listed)] == ["099", "100", "101", "102"]


@pytest.mark.parametrize("text", ["104-101", "x", "1-2-3", "99-101", "1000-1999"])
def test_a_range_that_makes_no_sense_is_wrong_usage(
    home: Home, command: Command, text: str
) -> None:
    status, _, err = command("init", str(home.path), "--extensions", text)
    assert status == 2
    assert "Invalid value for --extensions" in err.replace("'", "")
    assert not home.path.exists()


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_office_begins_with_the_template_that_was_asked_for(
    home: Home, command: Command, template: str
) -> None:
    assert command("init", str(home.path), "--template", template)[0] == 0
    assert home.dialplan.read_bytes() == sample_dialplan(template).read_bytes()


@pytest.mark.parametrize(
    ("template", "codes"),
    [
        ("office", {"W026"}),
        ("clinic", {"W026"}),
        ("takeaway", {"W026", "W027"}),  # its table of customers is to be configured
        ("property", {"W026"}),
        ("outbound-desk", set()),
    ],
)
def test_a_new_office_is_told_only_what_it_lacks(
    home: Home, command: Command, template: str, codes: set[str]
) -> None:
    command("init", str(home.path), "--template", template)
    status, out, _ = command("check", "--test", "--json")
    assert status == 0
    assert {row["code"] for row in json.loads(out)["problems"]} == codes


def test_help_lists_the_templates_with_a_line_for_each(home: Home, command: Command) -> None:
    _, out, _ = command("init", "--help")
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert [[name, TEMPLATES[name]] for name in TEMPLATES] == [
        line for line in lines if line and line[0] in TEMPLATES
    ]


def test_each_template_is_a_file_and_each_file_a_template() -> None:
    assert {path.stem for path in (SAMPLES / "dialplan").iterdir()} == set(TEMPLATES)


def test_a_template_does_not_replace_a_dialplan_and_says_what_would(
    home: Home, command: Command
) -> None:
    command("init", str(home.path))
    _, out, _ = command("init", str(home.path), "--template", "clinic")
    assert "dialplan.yaml is there already and stays as it is" in out
    assert "To begin anew with clinic, move it away and run this again" in out
    assert home.dialplan.read_bytes() == sample_dialplan("office").read_bytes()


@pytest.mark.parametrize(
    ("template", "beginning"),
    [("palace", "there is "), ("clinics", 'did you mean "clinic"? There is ')],
)
def test_an_unknown_template_is_refused(
    home: Home, command: Command, template: str, beginning: str
) -> None:
    status, _, err = command("init", str(home.path), "--template", template)
    assert status == 1
    assert err == f'there is no template "{template}"; {beginning}{", ".join(TEMPLATES)}\n'
    assert not home.dialplan.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(home: Home, command: Command) -> None:
    home.path.mkdir()
    (home.path / "file").write_text("no folder")
    status, _, err = command("init", str(home.path / "file" / "inside"))
    assert status == 1
    assert err.count("\n") == 1
    assert "cannot be written" in err


def test_the_unit_is_printed_and_nothing_else_done(home: Home, command: Command) -> None:
    status, out, _ = command("init", str(home.path), "--systemd")
    assert status == 0
    assert f"--home {home.path} serve" in out
    assert "Restart=on-failure" in out
    assert not home.path.exists()


def test_the_sample_dialplan_is_the_projects_own() -> None:
    assert sample_dialplan("office").read_bytes() == (ROOT / "dialplan.yaml").read_bytes()


def test_the_sample_settings_uncommented_are_the_defaults() -> None:
    head, _, rest = (SAMPLES / "callpbx.yaml").read_text().partition("\n\n")
    assert all(line.startswith("# ") for line in head.splitlines())
    text = "\n".join(line.removeprefix("# ") for line in rest.splitlines())
    settings, problems = parse_settings(text, "callpbx.yaml", environ=os.environ)
    assert problems == []
    assert settings == Settings()
