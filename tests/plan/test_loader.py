"""dialplan.yaml: what this version loads, and every mistake with its place and a way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pbx.errors import ConfigError
from pbx.marks import problem
from pbx.plan.loader import LATER_SECTIONS, check_plan, load_plan, parse_plan
from pbx.plan.model import Destination

GOOD = """\
version: 1
numbers:
  "4008001234": ext:101
  +85221234567: ext:102
  "*55": ext:103
  anything_else: ext:101
"""


def problems_of(text: str) -> list[str]:
    plan, problems = parse_plan(text, "dialplan.yaml")
    assert plan is None
    return [str(problem) for problem in problems]


def test_numbers_lead_to_extensions() -> None:
    plan, problems = parse_plan(GOOD, "dialplan.yaml")
    assert problems == []
    assert plan is not None
    assert plan.destination("4008001234") == Destination("ext", "101")
    assert plan.destination("+85221234567") == Destination("ext", "102")
    assert plan.destination("*55") == Destination("ext", "103")
    assert plan.destination("101") is None
    assert plan.anything_else() == Destination("ext", "101")


def test_the_version_id_follows_the_text() -> None:
    first, _ = parse_plan(GOOD, "a")
    same, _ = parse_plan(GOOD, "b")
    other, _ = parse_plan(GOOD + "# changed\n", "a")
    assert first is not None
    assert same is not None
    assert other is not None
    assert first.version_id == same.version_id != other.version_id
    assert len(first.version_id) == 12


@pytest.mark.parametrize("section", LATER_SECTIONS)
def test_later_sections_are_refused_by_name(section: str) -> None:
    (problem,) = problems_of(f"version: 1\n{section}:\n  main: x\n")
    assert problem.startswith(
        f'dialplan.yaml:2:1 E002 section "{section}" is not in this version yet'
    )


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ("menu:main", "3:8", 'E002 destination "menu:main" is not in this version yet'),
        ("operator", "3:8", 'E002 destination "operator" is not in this version yet'),
        ("exte:101", "3:8", 'E002 unknown kind of destination "exte" — did you mean "ext"?'),
        ("101", "3:8", 'E005 "101" is no destination — write ext:101'),
        ("ext：101", "3:8", "write ext:101, with an ASCII colon"),
        ("ext:alice", "3:8", 'E005 "alice" is no extension number'),
        ("", "3:7", "E005 the destination is missing — write ext:NUMBER"),
        ("{to: ext:101, tag: x}", "3:8", "E002 options beside a destination are not in this"),
        ("[ext:101]", "3:8", "E005 a destination must be a text"),
    ],
)
def test_destinations_that_lead_nowhere_are_explained(value: str, place: str, words: str) -> None:
    (problem,) = problems_of(f"version: 1\nnumbers:\n  400: {value}\n")
    assert problem.startswith(f"dialplan.yaml:{place} ")
    assert words in problem


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            "400-800 1234",
            'E005 "400-800 1234" is no number that can be dialled — write "4008001234"',
        ),
        ("anything_els", 'did you mean "anything_else"?'),
        ("alice", 'E005 "alice" is no number that can be dialled'),
    ],
)
def test_keys_that_are_no_numbers_are_explained(key: str, words: str) -> None:
    (problem,) = problems_of(f"version: 1\nnumbers:\n  {key}: ext:101\n")
    assert words in problem


def test_two_spellings_of_one_number_overlap() -> None:
    text = 'version: 1\nnumbers:\n  "+85221234567": ext:101\n  "0085221234567": ext:102\n'
    assert problems_of(text) == [
        'dialplan.yaml:4:3 E010 "0085221234567" is the same number as "+85221234567" (line 3)'
        " — keep one of the two"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1:1 E005 the version is missing"),
        ("version: 2\n", '1:10 E005 version "2" is not known'),
        (
            "version: 1\nnumbr:\n",
            'E002 unknown key "numbr" in dialplan.yaml — did you mean "numbers"?',
        ),
        ("version：1\n", "1:8 E001 a full-width colon"),
        ("version: 1\nnumbers: ext:101\n", "2:10 E005 numbers must hold lines of KEY: VALUE"),
    ],
)
def test_the_frame_is_checked(text: str, words: str) -> None:
    assert words in problems_of(text)[0]


def test_all_problems_come_in_the_order_of_the_file() -> None:
    text = "menus:\nnumbers:\n  400: 101\n  x: ext:101\nversion: 3\n"
    assert [problem.split(" ")[0] for problem in problems_of(text)] == [
        "dialplan.yaml:1:1",
        "dialplan.yaml:3:8",
        "dialplan.yaml:4:3",
        "dialplan.yaml:5:10",
    ]


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_plan(path).destination("4008001234") == Destination("ext", "101")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_bytes("version: 1\n# 电话\n".encode("gb18030"))
    _, (problem,) = check_plan(path)
    assert str(problem) == "dialplan.yaml:2:1 E001 the file is not UTF-8 — save it as UTF-8"


def test_load_raises_the_first_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_text("version: 1\nnumbers:\n  400: 101\n")
    with pytest.raises(ConfigError, match=r"dialplan\.yaml:3:8 E005") as raised:
        load_plan(path)
    assert (raised.value.line, raised.value.column) == (3, 8)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; callpbx init writes one"):
        load_plan(tmp_path / "dialplan.yaml")


def test_the_sample_of_the_project_is_valid() -> None:
    _, problems = check_plan(Path(__file__).parents[2] / "dialplan.yaml")
    assert problems == []


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dialplan.md").read_text()
    codes = [value for value in vars(problem).values() if re.fullmatch(r"[EW]\d{3}", str(value))]
    assert len(codes) >= 6
    assert all(f"\n| {code} |" in page for code in codes)
