"""Section `tests`: calls to rehearse, as the file writes them."""

from __future__ import annotations

import pytest

from pbx.plan.model import Expectation
from tests.kit.broken import loaded, mistake

PLACES = """\
flows: {f: [hangup]}
lookups: {order: {sql: shop, query: SELECT 1}, crm: {http: "https://a.example/"}}
queues: {q: {if_no_agents: hangup}}
"""


def test_a_test_is_read_whole() -> None:
    (found,) = loaded(
        PLACES
        + """\
tests:
  - name: an order
    from: "13800138000"
    to: "4008001234"
    at: 2026-10-01 09:30
    press: "1 202600123#"
    mock: {order: {status: 已发货}, crm: nothing}
    phones: {1801: busy}
    queues: {q: full}
    expect: [flow:f, lookup:order, hangup]
"""
    ).tests
    assert found == Expectation(
        name="an order",
        to="4008001234",
        from_="13800138000",
        at="2026-10-01 09:30",
        press=("1", "202600123#"),
        mock={"order": {"status": "已发货"}, "crm": None},
        phones={"1801": "busy"},
        queues={"q": "full"},
        expect=("flow:f", "lookup:order", "hangup"),
        mark=found.mark,
    )
    assert (found.mark.line, found.mark.column) == (6, 5)


def test_a_failing_lookup_and_a_silent_caller() -> None:
    (found,) = loaded(
        PLACES + 'tests: [{name: a, to: 400, press: "", mock: {crm: error}, expect: hangup}]'
    ).tests
    assert (found.press, found.mock) == ((), {"crm": "error"})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("to: ▸x", 'E005 test "t" to: "x" is no number that can be dialled'),
        ("to: 1, press: ▸yes", "are no keys of a phone"),
        ("to: 1, at: ▸2026-02-31 10:00", "is no moment — write 2026-10-01 09:30"),
        ("to: 1, at: ▸10:00", "is no moment"),
        (
            "to: 1, mock: {▸ordr: nothing}",
            'E014 test "t" mock: unknown lookup "ordr" — did you mean',
        ),
        ("to: 1, mock: {order: ▸none}", '"none" is none of nothing, error'),
        ("to: 1, phones: {101: ▸rings}", "is none of answers, busy, no_answer, unregistered"),
        ("to: 1, queues: {▸x: full}", 'unknown queue "x"'),
        ("to: 1, queues: {q: ▸ful}", 'did you mean "full"?'),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    assert words in mistake(f"{PLACES}tests:\n  - {{name: t, expect: hangup, {keys}}}\n")


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("▸flow:g", 'E014 test "t" expect: unknown flow "g"'),
        ("▸say:p", 'unknown prompt "p"'),
        ("▸flaw:f", 'is no place that a call passes — did you mean "flow"?'),
        ("▸[]", "expect is empty"),
    ],
)
def test_places_must_be_there(expect: str, words: str) -> None:
    assert words in mistake(f"{PLACES}tests:\n  - {{name: t, to: 1, expect: {expect}}}\n")


def test_tests_are_a_list_of_maps() -> None:
    assert 'put "- " before each test' in mistake("tests: ▸x\n")
    assert "a test must hold lines of KEY: VALUE" in mistake("tests:\n  - ▸x\n")
    assert 'E005 test "t" has no to' in mistake("tests:\n  - ▸{name: t, expect: hangup}\n")
