"""What a lookup's SQL says of itself."""

from __future__ import annotations

import pytest

from pbx.plan.query import Numbered, is_select, numbered, parameters_of


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "  select 1",
        "-- why\nSELECT 1",
        "/* a */ (SELECT 1)",
        "WITH a AS (SELECT 1) SELECT 2",
    ],
)
def test_what_begins_as_one_is_a_select(query: str) -> None:
    assert is_select(query)


@pytest.mark.parametrize(
    "query",
    ["", "DELETE FROM a", "selection", "-- SELECT 1", "ATTACH 'x' AS y", "PRAGMA x", "COPY a"],
)
def test_anything_else_is_none(query: str) -> None:
    assert not is_select(query)


def test_parameters_are_numbered_by_their_names() -> None:
    query = "SELECT a FROM t WHERE b = :no AND (c = :other OR d = :no)"
    assert numbered(query) == Numbered(
        "SELECT a FROM t WHERE b = $1 AND (c = $2 OR d = $1)", ("no", "other")
    )


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ':a', 'it''s :b'",
        'SELECT ":a"',
        "SELECT 1::text",
        "SELECT 1 -- :a\n",
        "SELECT /* :a */ 1",
        "SELECT $$:a$$, $x$ :b $x$",
    ],
)
def test_what_only_looks_like_a_parameter_is_left(query: str) -> None:
    assert parameters_of(query) == ()
    assert numbered(query).query == query
