"""The table of verbs: all of them, and the one that docs/dialplan.md holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.ivr.reference import BEGIN, END, verb_table, with_verbs
from pbx.ivr.verbs import VERBS

DOCUMENT = Path(__file__).parents[2] / "docs" / "dialplan.md"


def row_of(verb: str) -> list[str]:
    """Return the cells of a verb's row."""
    (row,) = (line for line in verb_table().splitlines() if line.startswith(f"| `{verb}` |"))
    return [cell.strip() for cell in row.strip("|").split(" |")]


def test_the_document_has_the_table_of_the_registry() -> None:
    document = DOCUMENT.read_text()
    assert document == with_verbs(document), "run: python docs/make_dialplan.py"


def test_each_verb_has_a_row() -> None:
    rows = verb_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(VERBS)


def test_a_row_says_what_is_written_and_what_holds_if_it_is_not() -> None:
    _, does, inputs, outcomes = row_of("ring")
    assert does == "Ring phones, all at once or one after the other."
    assert inputs.startswith("**`to`**: [ext:NAME, number:NAME]; `together`: yes or no (yes); ")
    assert "`each`: 5s, 2m, 1h (20s)" in inputs
    assert "`announce`: name of a prompt (optional)" in inputs
    assert outcomes == "`no_answer`, `busy`, `failed`"


def test_outcomes_that_must_be_there_are_marked() -> None:
    assert row_of("ask")[-1] == "`give_up` (needed)"
    assert row_of("choose")[-1] == "any value, `else`"


def test_what_is_not_there_yet_is_said() -> None:
    assert row_of("park")[1] == "Not in this version yet."
    assert row_of("send")[2].endswith("`sms`: not in this version yet")


def test_the_table_replaces_the_one_before() -> None:
    once = with_verbs(f"before\n{BEGIN}\nan old table\n{END}\nafter\n")
    assert once == f"before\n{BEGIN}\n\n{verb_table()}\n\n{END}\nafter\n"
    assert with_verbs(once) == once


@pytest.mark.parametrize("document", ["", BEGIN, END])
def test_a_document_without_markers_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="the document has no"):
        with_verbs(document)
