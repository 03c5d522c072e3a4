"""Broken dialplans, one mistake each: the right code at the right line, and nothing else.

The first line of each file of tests/data/broken says what is wrong, as CODE:LINE. All are checked
with the same facts: one agent, one connection, one host, one sound file, one fixed day. What this
version says of any office without a carrier (W026) counts only where a file asks for it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pbx.config import AllowedHost, HttpSettings, MailSettings, Settings
from pbx.ivr.check import Checked, Facts, check
from pbx.ivr.expectations import run_tests
from pbx.marks import problem
from pbx.marks.problem import NO_EMERGENCY_LINE, TEST_FAILED

BROKEN = sorted((Path(__file__).parents[2] / "data" / "broken").glob("*.yaml"))
TODAY = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SETTINGS = Settings(
    connections={"shop": "sqlite:///shop.db"},
    http=HttpSettings((AllowedHost("crm.example"),)),
    mail=MailSettings(server="smtp://mail.example"),
)
CODES = {
    value: name
    for name, value in vars(problem).items()
    if isinstance(value, str) and re.fullmatch(r"[EW]0[0-9]{2}", value)
}


def sound(path: str) -> str | None:
    """Know one sound file, and no other."""
    return None if path == "sounds/hello.wav" else f"there is no file {path}"


FACTS = Facts(TODAY.date(), settings=SETTINGS, agents=({"service": 3},), sounds=sound)


def expected(file: Path) -> set[str]:
    """Return what the file's first line says is wrong."""
    first = file.read_bytes().split(b"\n")[0].decode()
    return set(first.lstrip("# ").split())


def told(checked: Checked) -> set[str]:
    """Return what check says, and its tests, as CODE:LINE."""
    problems = list(checked.problems)
    if checked.plan is not None:
        problems += [each.problem() for each in run_tests(checked.plan, TODAY) if not each.passed]
    return {f"{each.code}:{each.line}" for each in problems}


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_mistake_is_told_where_it_is_and_nothing_else(file: Path) -> None:
    wanted, found = expected(file), told(check(file, FACTS))
    always = f"{NO_EMERGENCY_LINE}:1"
    assert found - {always} == wanted - {always}
    assert always in found or always not in wanted


def test_there_are_sixty_of_them() -> None:
    assert len(BROKEN) >= 60


def test_every_code_is_told_of_some_file() -> None:
    told_of = {each.partition(":")[0] for file in BROKEN for each in expected(file)}
    assert told_of == set(CODES)
    assert TEST_FAILED in told_of


def test_every_code_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "dialplan.md").read_text()
    section = text.partition("## What check says")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| ([EW]0[0-9]{2}) \|", section, re.MULTILINE)
    assert documented == sorted(documented)
    assert set(documented) == set(CODES)
