"""Several files that are one dialplan: what is included, what is not, and whose names clash."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.ivr.verbs import VOCABULARY
from pbx.plan.files import MOST_FILES
from pbx.plan.loader import Reading, read_plan

FIRST = "version: 1\ndefaults: {include: [INCLUDE]}\nnumbers: {400: flow:a}\n"
FLOW = "flows: {NAME: [hangup]}\n"


def office(folder: Path, include: str, **files: str) -> Reading:
    """Write a dialplan that includes `include`, with files of the folder dialplan.d beside it."""
    (folder / "dialplan.d").mkdir()
    (folder / "dialplan.yaml").write_text(FIRST.replace("INCLUDE", include))
    for name, text in files.items():
        (folder / "dialplan.d" / f"{name}.yaml").write_text(text)
    return read_plan(folder / "dialplan.yaml", VOCABULARY)


def told(reading: Reading) -> list[str]:
    return [str(problem) for problem in reading.problems]


def test_included_files_are_one_plan_with_the_first(tmp_path: Path) -> None:
    tests = "tests: [{name: t, to: 400, expect: hangup}]\n"
    reading = office(
        tmp_path,
        "dialplan.d/*.yaml",
        b=FLOW.replace("NAME", "b") + tests,
        a="version: 1\n" + FLOW.replace("NAME", "a") + tests,
    )
    assert told(reading) == []
    assert list(reading.plan.flows) == ["a", "b"]
    assert len(reading.plan.tests) == 2
    assert reading.plan.files == ("dialplan.yaml", "dialplan.d/a.yaml", "dialplan.d/b.yaml")
    assert str(reading.plan.flows["b"].mark) == "dialplan.d/b.yaml:1"


def test_the_version_id_is_of_all_files(tmp_path: Path) -> None:
    first = office(tmp_path, "dialplan.d/*.yaml", a=FLOW.replace("NAME", "a"))
    (tmp_path / "dialplan.d" / "a.yaml").write_text(FLOW.replace("NAME", "a") + "# changed\n")
    second = read_plan(tmp_path / "dialplan.yaml", VOCABULARY)
    assert first.plan.version_id != second.plan.version_id


def test_a_name_stands_in_one_file(tmp_path: Path) -> None:
    flow = FLOW.replace("NAME", "a")
    assert told(office(tmp_path, "dialplan.d/*.yaml", a=flow, b="\n" + flow)) == [
        'dialplan.d/b.yaml:2:9 E003 "a" stands twice in flows, first at dialplan.d/a.yaml:1'
        " — give one of the two another name"
    ]


def test_a_number_stands_in_one_file(tmp_path: Path) -> None:
    numbers = "flows: {a: [hangup]}\nnumbers: {400: hangup}\n"
    (found,) = told(office(tmp_path, "dialplan.d/a.yaml", a=numbers))
    words = 'dialplan.d/a.yaml:2:11 E003 "400" stands twice in numbers, first at dialplan.yaml:3'
    assert found.startswith(words)


def test_a_suggestion_from_another_file_names_it(tmp_path: Path) -> None:
    (found,) = told(office(tmp_path, "dialplan.d/*.yaml", a="flows: {aa: [hangup]}\n"))
    assert 'dialplan.yaml:3:16 E014 numbers.400: unknown flow "a"' in found
    assert found.endswith('did you mean "aa" (dialplan.d/a.yaml:1)?')


def test_like_copies_from_another_file(tmp_path: Path) -> None:
    ring = "ring_groups: {s: {members: [ext:101], ring: 5}}\nflows: {a: [hangup]}\n"
    reading = office(tmp_path, "dialplan.d/*.yaml", a=ring, b="ring_groups: {t: {like: s}}\n")
    (found,) = told(reading)
    assert found.startswith("dialplan.d/a.yaml:1:45 E005 ring_groups.s ring")
    assert reading.plan.ring_groups["t"].members == reading.plan.ring_groups["s"].members


def test_a_pattern_that_matches_nothing_is_fine(tmp_path: Path) -> None:
    (found,) = told(office(tmp_path, "dialplan.d/*.yaml"))
    assert "unknown flow" in found


def test_a_file_that_cannot_be_parsed_hides_no_names(tmp_path: Path) -> None:
    (found,) = told(office(tmp_path, "dialplan.d/*.yaml", a="flows: {a: [hangup\n"))
    assert found.startswith("dialplan.d/a.yaml:1:12 E001")


def test_included_files_have_no_defaults_and_include_nothing(tmp_path: Path) -> None:
    text = "defaults: {include: ['*.yaml']}\n" + FLOW.replace("NAME", "a")
    (found,) = told(office(tmp_path, "dialplan.d/*.yaml", a=text))
    assert found.startswith('dialplan.d/a.yaml:1:1 E002 section "defaults" stands in an included')


@pytest.mark.parametrize(
    ("include", "words"),
    [
        ("../*.yaml", "leads out of the office's folder"),
        ("dialplan.d/../../x.yaml", "leads out of the office's folder"),
        ("/etc/*.yaml", "leads out of the office's folder"),
        ('"**/*.yaml"', "would search every folder"),
        ("dialplan.d/link.yaml", "dialplan.d/link.yaml leads out of the office's folder"),
    ],
)
def test_nothing_outside_is_read(tmp_path: Path, include: str, words: str) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text("flows: {a: [hangup]}\n")
    office(folder, "dialplan.d/none.yaml")
    (folder / "dialplan.d" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "dialplan.yaml").write_text(FIRST.replace("INCLUDE", include))
    reading = read_plan(folder / "dialplan.yaml", VOCABULARY)
    first, *_ = told(reading)
    assert first.startswith("dialplan.yaml:2:22 E005 include: ")
    assert words in first
    assert not reading.plan.flows


def test_folders_and_the_first_file_are_passed_over(tmp_path: Path) -> None:
    reading = office(tmp_path, "'*'", a="flows: {a: [hangup]}\n")
    assert reading.plan.files == ("dialplan.yaml",)


def test_there_is_an_end_to_files(tmp_path: Path) -> None:
    files = {f"f{number:03}": "" for number in range(MOST_FILES + 1)}
    reading = office(tmp_path, "dialplan.d/*.yaml", **files)
    assert "include: more than 200 files" in told(reading)[0]


def test_an_included_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "dialplan.yaml").write_text(FIRST.replace("INCLUDE", "a.yaml"))
    (tmp_path / "a.yaml").write_bytes(b"\xff")
    found = told(read_plan(tmp_path / "dialplan.yaml", VOCABULARY))
    assert "a.yaml:1:1 E001 the file is not UTF-8 — save it as UTF-8" in found


def test_there_is_an_end_to_what_files_hold_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbx.plan.files.MOST_CHARACTERS", 30)
    flow = FLOW.replace("NAME", "a")
    reading = office(tmp_path, "dialplan.d/*.yaml", a=flow, b=f"# {flow}")
    assert "include: more than 30 characters in all files" in told(reading)[0]
    assert reading.plan.files == ("dialplan.yaml", "dialplan.d/a.yaml")


def test_a_file_that_is_cut_off_is_too_long_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "dialplan.yaml").write_bytes("好".encode() * 3_500_000)
    (found,) = told(read_plan(tmp_path / "dialplan.yaml", VOCABULARY))
    assert "dialplan.yaml:1:1 E001 the file is longer than 1,000,000 characters" in found
