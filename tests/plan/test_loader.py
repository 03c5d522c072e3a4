"""dialplan.yaml as a whole: its frame, the order of problems, and that nothing makes it raise."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.errors import ConfigError
from pbx.ivr.verbs import VOCABULARY
from pbx.marks import problem
from pbx.plan.destination import Destination
from pbx.plan.loader import check_plan, load_plan, parse_plan, read_text
from tests.kit.broken import loaded, mistake, problems

EXAMPLE = Path(__file__).parents[3] / "shared" / "dialplan.example.yaml"

GOOD = 'version: 1\nnumbers:\n  "4008001234": ext:101\n'


def problems_of(text: str) -> list[str]:
    return [str(each) for each in parse_plan(text, "dialplan.yaml", VOCABULARY)[1]]


def example() -> str:
    if not EXAMPLE.exists():
        pytest.skip(f"{EXAMPLE} is not here")
    return EXAMPLE.read_text()


def test_the_worked_example_has_no_error() -> None:
    plan, found = parse_plan(example(), "dialplan.yaml", VOCABULARY)
    assert plan is not None
    assert [(each.line, each.code) for each in found] == [
        *((97, "W028"), (160, "W029"), (161, "W029"), (161, "W029")),
    ]
    assert len(plan.flows) == 5
    assert len(plan.menus) == 4
    assert plan.defaults.operator == Destination("queue", "service")
    assert plan.queues["tech"].skills == {"tech": 5}
    assert plan.queues["tech"].max_wait_s == plan.queues["service"].max_wait_s == 600.0
    assert plan.queues["tech"].if_timeout == Destination("queue", "service")
    assert [test.press for test in plan.tests] == [(), (), ("1", "202600123#"), ()]


def test_every_thing_of_the_example_stands_where_its_mark_says() -> None:
    text = example()
    plan, _ = parse_plan(text, "dialplan.yaml", VOCABULARY)
    assert plan is not None
    lines = text.splitlines()
    sections = ("numbers", "prompts", "hours", "lookups", "flows", "menus", "queues", "surveys")
    for section in sections:
        for name, thing in getattr(plan, section).items():
            at = lines[thing.mark.line - 1][thing.mark.column - 1 :]
            assert at.startswith((name, f'"{name}"')), f"{section} {name}: {at}"
    for flow in plan.flows.values():
        for step in flow.steps:
            assert lines[step.mark.line - 1][step.mark.column - 1 :].startswith(step.verb)
    for menu in plan.menus.values():
        for key, mark in menu.key_marks.items():
            assert lines[mark.line - 1][mark.column - 1 :].startswith(key)


CHANGES: tuple[Callable[[str, int], str], ...] = (
    lambda line, cut: "",
    lambda line, cut: line * 2,
    lambda line, cut: line[:cut],
    lambda line, cut: line[cut:],
    lambda line, cut: " " * (cut % 9) + line.lstrip(),
    lambda line, cut: line.replace(": ", ":", 1),
    lambda line, cut: line.replace(":", "：", 1),
    lambda line, cut: line.replace(": ", ": [", 1),
    lambda line, cut: line.replace(": ", ": *", 1),
    lambda line, cut: line[:cut] + "：，“{}[]#*&!:- \t\"'$|>"[cut % 20] + line[cut:],
)
"""What may happen to a line, at a place within it."""


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 120), st.sampled_from(CHANGES))))
@settings(max_examples=100, deadline=None)
def test_whatever_becomes_of_its_lines_a_file_is_read_or_explained(
    changes: list[tuple[int, int, Callable[[str, int], str]]],
) -> None:
    lines = example().splitlines()
    for number, cut, change in changes:
        at = number % len(lines)
        lines[at] = change(lines[at], cut % (len(lines[at]) + 1))
    reading = read_text("\n".join(lines), "dialplan.yaml", VOCABULARY)
    for each in reading.problems:
        assert each.sentence
        assert 1 <= each.line <= len(lines) + 1
        assert each.column >= 1


def test_the_version_id_follows_the_text() -> None:
    first = read_text(GOOD, "a", VOCABULARY).plan.version_id
    assert first == read_text(GOOD, "b", VOCABULARY).plan.version_id
    assert first != read_text(GOOD + "# changed\n", "a", VOCABULARY).plan.version_id
    assert re.fullmatch("[0-9a-f]{12}", first)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1:1 E005 the version is missing"),
        ("version: 2\n", '1:10 E005 version "2" is not known'),
        ("version:\n", "1:9 E005 version is missing"),
        ("version: 1\nnumbr:\n", 'unknown key "numbr" in dialplan.yaml — did you mean "numbers"?'),
        ("version：1\n", "1:8 E001 a full-width colon"),
        ("version: 1\nnumbers: ext:101\n", "2:10 E005 numbers must hold lines of KEY: VALUE"),
        ("- a\n", "1:1 E005 dialplan.yaml must hold lines of KEY: VALUE"),
    ],
)
def test_the_frame_is_checked(text: str, words: str) -> None:
    (found,) = problems_of(text)
    assert words in found


def test_sections_may_be_empty() -> None:
    names = ("defaults", "prompts", "hours", "numbers", "lookups", "flows", "menus", "queues")
    more = ("ring_groups", "voicemail", "surveys", "conferences", "features", "tests")
    loaded("".join(f"{name}:\n" for name in (*names, *more)))


def test_all_problems_come_in_the_order_of_the_file() -> None:
    text = "menus:\n  m: x\nnumbers:\n  400: 101\n  x: ext:101\nversion: 3\nflows: {f: [goto: q]}\n"
    assert [problem.split(" ")[0] for problem in problems_of(text)] == [
        "dialplan.yaml:2:6",
        "dialplan.yaml:4:8",
        "dialplan.yaml:5:3",
        "dialplan.yaml:6:10",
        "dialplan.yaml:7:19",
    ]


def test_a_name_that_is_missing_is_told_wherever_it_is_named() -> None:
    text = "numbers: {400: menu:teck}\nmenus: {tech: {like: teck}}\n"
    assert [str(each) for each in problems(text)] == [
        'd.yaml:2:16 E014 numbers.400: unknown menu "teck" — did you mean "tech" (line 3)?',
        'd.yaml:3:22 E014 menus.tech like: unknown menu "teck" — did you mean "tech" (line 3)?',
    ]


def test_a_thing_with_a_mistake_is_still_there_for_others() -> None:
    mistake("numbers: {400: ring:sales}\nring_groups: {▸sales: {how: all}}\n")


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_plan(path, VOCABULARY).numbers["4008001234"].destination.name == "101"


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_bytes("version: 1\n# 电话\n".encode("gb18030"))
    plan, (found,) = check_plan(path, VOCABULARY)
    assert plan is None
    assert str(found) == (
        "dialplan.yaml:2:1 E001 the file is not UTF-8; it seems to be GBK (ANSI of a Chinese"
        " Windows) — save it as UTF-8"
    )


def test_load_raises_the_first_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "dialplan.yaml"
    path.write_text("version: 1\nvoicemail: {a: {repeat: 5m}}\nnumbers:\n  400: 101\n")
    with pytest.raises(ConfigError, match=r"dialplan\.yaml:4:8 E005") as raised:
        load_plan(path, VOCABULARY)
    assert (raised.value.line, raised.value.column) == (4, 8)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; callpbx init writes one"):
        load_plan(tmp_path / "dialplan.yaml", VOCABULARY)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_plan(tmp_path, VOCABULARY)


def test_the_sample_of_the_project_is_valid() -> None:
    _, found = check_plan(Path(__file__).parents[2] / "dialplan.yaml", VOCABULARY)
    assert found == []


def test_references_are_kept_with_their_places() -> None:
    reading = read_text("version: 1\nnumbers: {400: menu:m}\n", "d.yaml", VOCABULARY)
    assert not reading.usable
    (reference,) = reading.references
    assert (reference.kind, reference.name, reference.what) == ("menu", "m", "numbers.400")
    assert (reference.node.line, reference.node.column) == (2, 16)


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dialplan.md").read_text()
    codes = [value for value in vars(problem).values() if re.fullmatch(r"[EW]\d{3}", str(value))]
    assert len(codes) >= 20
    assert all(f"\n| {code} |" in page for code in codes)
