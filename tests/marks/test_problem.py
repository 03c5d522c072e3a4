"""What a problem says: short enough to be read, whatever stands in the file."""

from __future__ import annotations

from pbx.marks.problem import LONGEST, Problem


def test_what_quotes_too_much_is_cut_in_its_middle() -> None:
    long = "x" * 900_000
    problem = Problem("E005", "d.yaml", 1, 1, f'a: "{long}" is no duration', f'write "{long}"')
    assert problem.sentence.startswith('a: "xxx')
    assert problem.sentence.endswith('xxx" is no duration')
    assert len(problem.text) < 2 * LONGEST + 20


def test_what_is_short_stays_as_it_is() -> None:
    assert Problem("E005", "d.yaml", 1, 1, "it is wrong", "mend it").text == (
        "E005 it is wrong — mend it"
    )
