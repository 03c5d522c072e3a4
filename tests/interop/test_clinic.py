"""The manual's first chapter, done as it says: from `callpbx init --template clinic` to a changed
menu that a real phone hears.

Everything goes through the command line, as a new user does it. What is written into the dialplan
is what docs/dialplan.md tells to write. Each prompt is a tone of its own, put where a recording of
the office's own would be.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbx.demo.office import COMMAND, Office
from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.callers import Caller, Marks, marked_prompts
from tests.kit.office import TestedOffice, fake_clock
from tests.kit.phones.pjsua import SoftPhone

DOCUMENT = Path(__file__).parents[2] / "docs" / "dialplan.md"

NUMBER = "8000"
NIGHT = "2026-09-28 14:00:00"  # UTC: 22:00 in Shanghai
SPOKEN_HZ = 1_000

PROMPTS = ("closed", "night_menu", "welcome", "main_menu", "pharmacy", "now-open", "invalid-key")

KEY_BEFORE = "      2: flow:results\n"
KEY = "      3: {say: pharmacy, goto: ext:103}\n"
PROMPT = """\
  pharmacy:
    zh: 正在转接药房。
    yue: 而家轉去藥房。
    en: We are connecting you to the pharmacy.
"""
TEST = (
    '  - {name: pharmacy, to: "8000", at: 2026-09-28 10:00, press: "3", '
    "expect: [say:pharmacy, ext:103]}\n"
)


class Clinic(TestedOffice):
    """An office as `callpbx init` makes it: its ports, its dialplan, its passwords."""

    def __init__(self, folder: Path) -> None:
        made = subprocess.run(
            [*COMMAND, "init", str(folder), "--template", "clinic", "--extensions", "101-104"],
            capture_output=True,
            text=True,
            check=True,
        )
        Office.__init__(self, folder)
        self.passwords = dict(re.findall(r"^\S+ +([0-9]{3}) +(\S+)$", made.stdout, re.MULTILINE))
        self.servers = ["127.0.0.1:5060"]
        self.server = self.servers[0]
        self.environment |= fake_clock(NIGHT)

    @property
    def dialplan(self) -> Path:
        """Return the file that is edited."""
        return self.folder / "dialplan.yaml"

    def write(self, before: str, added: str) -> None:
        """Add a line or more to the dialplan, behind or before others."""
        text = self.dialplan.read_text()
        assert text.count(before) == 1
        self.dialplan.write_text(text.replace(before, added))


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """Return the clinic, not started yet; its server must come through the test unharmed."""
    with Clinic(tmp_path / "clinic") as clinic:
        yield clinic
        assert_stopped_properly(clinic)


def call(clinic: Clinic, phone: SoftPhone, number: str, marks: Marks) -> Caller:
    """Let a phone call a number of the clinic."""
    calling = phone.dial(clinic.uri(number))
    calling.wait("confirmed")
    return Caller(calling, marks)


def menu_texts() -> list[tuple[str, str]]:
    """Return the menu's words before and after, line by line, as template and manual have them."""
    template = Path(__file__).parents[2] / "pbx/cli/templates/dialplan/clinic.yaml"
    pattern = re.compile(r"^  main_menu:\n((?:    (?:zh|yue|en): .*\n){3})", re.MULTILINE)
    (before,) = pattern.findall(template.read_text())
    (after,) = pattern.findall(DOCUMENT.read_text())
    return list(zip(before.splitlines(), after.splitlines(), strict=True))


@pytest.mark.interop("pjsua2", "faketime")
def test_a_new_user_changes_the_menu_and_hears_it(clinic: Clinic, phones: Phones) -> None:
    manual = DOCUMENT.read_text()
    assert [each for each in (KEY, PROMPT, TEST) if each not in manual] == []
    marks = marked_prompts(clinic.folder, [f"zh/{name}" for name in PROMPTS])
    clinic.start()
    patient, pharmacy = phones.at_once(
        lambda: phones.pjsua(clinic, "101"), lambda: phones.pjsua(clinic, "103")
    )
    assert isinstance(patient, SoftPhone)
    assert isinstance(pharmacy, SoftPhone)

    at_night = call(clinic, patient, NUMBER, marks)
    at_night.hears("zh/closed", "zh/night_menu")
    at_night.call.hang_up()
    key = call(clinic, patient, "*28", marks)
    key.hears("zh/now-open")
    key.call.wait("disconnected")
    caller = call(clinic, patient, NUMBER, marks)
    caller.hears("zh/welcome", "zh/main_menu")
    caller.presses("3")
    caller.hears("zh/invalid-key", "zh/main_menu")
    caller.call.hang_up()

    clinic.write(KEY_BEFORE, KEY_BEFORE + KEY)
    checked = clinic.run("check")
    assert checked.returncode == 1
    assert 'menus.main key 3 say: unknown prompt "pharmacy" — write it under prompts' in (
        checked.stdout
    )
    refused = clinic.run("reload")
    assert refused.returncode == 1
    assert "Running configuration v1 kept" in refused.stdout + refused.stderr

    clinic.write("  languages:\n    zh", f"{PROMPT}  languages:\n    zh")
    for before, after in menu_texts():
        clinic.write(before, after)
    clinic.dialplan.write_text(clinic.dialplan.read_text() + TEST)
    problems = clinic.ask("check", "--test")
    assert [row["code"] for row in problems["problems"]] == ["W026"]
    assert all(row["passed"] for row in problems["tests"])
    story = clinic.ask("simulate", "--to", NUMBER, "--at", "2026-11-23 10:00", "--press", "3")
    assert story["places"][-2:] == ["say:pharmacy", "ext:103"]
    assert "v2 is in force" in clinic.cli("reload")

    again = call(clinic, patient, NUMBER, marks)
    again.hears("zh/welcome", "zh/main_menu")
    again.presses("3")
    again.hears("zh/pharmacy")
    ringing = pharmacy.incoming()
    ringing.answer()
    ringing.wait_media()
    ringing.play(SPOKEN_HZ)
    again.hears_tone(SPOKEN_HZ)
    again.call.hang_up()
    newest = clinic.records(4)[0]
    assert newest["path"] == [f"numbers:{NUMBER}", "menu:main:3", "ext:103"]
