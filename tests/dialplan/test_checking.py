"""What there is to say of a dialplan, and of one that is being saved meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.dialplan import checking
from pbx.dialplan.changes import NOTHING
from pbx.dialplan.checking import answer
from pbx.dialplan.pieces import put_together
from pbx.dialplan.question import Question
from pbx.plan.loader import Reading, read_plan
from pbx.plan.vocabulary import Vocabulary

GOOD = 'version: 1\nnumbers:\n  "4001": ext:101\n'
FAILS = (
    GOOD
    + "flows: {night: [hangup]}\n"
    + "tests: [{name: by night, to: '4001', expect: flow:night}]\n"
)


def written(folder: Path, text: str, name: str = "dialplan.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_good_dialplan_is_told_with_its_texts(tmp_path: Path) -> None:
    text = "version: 1\ndefaults: {include: [more.d/*.yaml]}\n"
    path = written(tmp_path, text)
    written(tmp_path, GOOD, "more.d/numbers.yaml")
    found = answer(Question(path))
    assert found.refusal is None
    assert {problem.severity for problem in found.problems} <= {"warning"}
    assert "4001" in put_together(found.pieces).numbers
    assert found.texts == {"dialplan.yaml": text, "more.d/numbers.yaml": GOOD}
    assert found.files == ("dialplan.yaml", "more.d/numbers.yaml")


def test_errors_leave_no_plan_but_its_files(tmp_path: Path) -> None:
    found = answer(Question(written(tmp_path, GOOD + "flws: {}\n")))
    assert found.pieces == ()
    assert [problem.code for problem in found.problems if problem.severity == "error"] == ["E002"]
    assert found.files == ("dialplan.yaml",)


def test_tests_of_the_file_are_rehearsed_unless_it_was_accepted_before(tmp_path: Path) -> None:
    path = written(tmp_path, FAILS)
    found = answer(Question(path))
    assert [problem.code for problem in found.problems if problem.severity == "error"] == ["E019"]
    assert found.pieces == ()
    assert answer(Question(path, kept=True)).pieces


def test_the_whole_plan_is_analysed_and_not_only_its_lines(tmp_path: Path) -> None:
    circle = "flows: {a: [goto: flow:b], b: [goto: flow:a]}\n"
    found = answer(Question(written(tmp_path, GOOD.replace("ext:101", "flow:a") + circle)))
    assert "E017" in {problem.code for problem in found.problems}
    assert found.pieces == ()


def test_a_trial_tells_what_changes_and_gives_no_plan(tmp_path: Path) -> None:
    old = written(tmp_path, GOOD, "old.yaml")
    found = answer(Question(written(tmp_path, GOOD.replace("101", "102")), compare_with=old))
    assert found.pieces == ()
    assert [change.number for change in found.changes.numbers] == ["4001"]
    broken = answer(Question(written(tmp_path, FAILS), compare_with=old))
    assert broken.changes == NOTHING


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = answer(Question(tmp_path / "dialplan.yaml"))
    assert found.refusal is not None
    assert "does not exist; callpbx init writes one" in found.refusal


def test_a_file_that_is_saved_meanwhile_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, GOOD)
    saved = iter([1, 2])

    def reading(path: Path, vocabulary: Vocabulary) -> Reading:
        found = read_plan(path, vocabulary)
        if edit := next(saved, None):
            written(tmp_path, GOOD + f"# edit {edit}\n")
        return found

    monkeypatch.setattr(checking, "read_plan", reading)
    found = answer(Question(path))
    assert found.texts == {"dialplan.yaml": GOOD + "# edit 2\n"}
    assert next(saved, None) is None
    saved = iter(range(1, 100))
    assert answer(Question(path)).refusal == "dialplan.yaml is being changed all the time"
