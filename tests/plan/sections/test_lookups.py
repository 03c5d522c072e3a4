"""Section `lookups`: a GET or a SELECT, and all that must not become one."""

from __future__ import annotations

import pytest

from pbx.plan.destination import OPERATOR
from tests.kit.broken import loaded, mistake


def test_a_web_lookup_is_read() -> None:
    lookup = loaded("""\
lookups:
  crm:
    http: https://crm.local/by-phone/${caller.number}?key=${secret.crm}
    headers: {Authorization: "Bearer ${secret.crm}"}
    timeout: 2s
    save: {name: name, level: data.level}
    if_empty: {level: normal}
    if_error: operator
""").lookups["crm"]
    assert lookup.http is not None
    assert lookup.http.names == {"caller.number", "secret.crm"}
    assert lookup.headers["Authorization"].names == {"secret.crm"}
    assert lookup.timeout_s == 2.0
    assert lookup.save == {"name": "name", "level": "data.level"}
    assert lookup.if_empty == {"level": "normal"}
    assert lookup.if_error == OPERATOR


def test_a_database_lookup_is_read() -> None:
    lookup = loaded("""\
lookups:
  order:
    sql: shop
    query: SELECT a::text, ':x' FROM t WHERE no = :no;
    with: {no: order.no}
""").lookups["order"]
    assert (lookup.sql, lookup.parameters) == ("shop", {"no": "order.no"})
    assert lookup.query == "SELECT a::text, ':x' FROM t WHERE no = :no;"
    assert lookup.if_empty == {}


HTTP, SQL = "http: https://a.example/", "sql: shop"


@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        ("http: ▸'https://${host}/'", "E005", "must begin with http://HOST/"),
        ("http: ▸'https://a.${x}/'", "E005", "a"),
        ("http: ▸ftp://x/", "E005", "must begin with http://HOST/"),
        ("http: ▸'https://me:word@a.example/'", "E005", "has a user or password in it"),
        ("http: ▸file:///etc/passwd", "E005", "must begin with http://HOST/"),
        (f"{SQL}, query: ▸'SELECT ${{x}}'", "E013", "write :name in the query and with:"),
        (f"{SQL}, query: ▸DELETE FROM t", "E013", "is no SELECT — a lookup only reads"),
        (f"{SQL}, query: ▸SELECT 1; DROP TABLE t", "E013", "has several statements"),
        (f"{SQL}, ▸query: 'SELECT :no'", "E013", "nothing says what :no is"),
        (f"{SQL}, query: SELECT 1, ▸with: {{no: x}}", "E013", "the query has no :no"),
        (f"{HTTP}, ▸query: SELECT 1", "E005", "query does not go with http"),
        (f"{SQL}, query: SELECT 1, ▸headers: {{A: b}}", "E005", "headers does not go with sql"),
        (f"{HTTP}, headers: {{▸'A:B': x}}", "E005", "is no name of a header"),
        (f"{HTTP}, if_empty: {{a: ▸'${{b}}'}}", "E005", "has a value in it; write the text itself"),
        (f"{HTTP}, if_error: ▸menu:x", "E014", 'unknown menu "x"'),
        (f"{HTTP}, timeout: ▸2", "E005", "is no duration"),
        (f"{HTTP}, save: {{▸Name: name}}", "E005", "is no name of a variable"),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, code: str, words: str) -> None:
    found = mistake(f"lookups:\n  o: {{{keys}}}\n")
    assert found.startswith(f"{code} lookups.o")
    assert words in found


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("{}", "E005 lookups.o has neither http nor sql — write one of the two"),
        (f"{{{HTTP}, {SQL}, query: SELECT 1}}", "E005 lookups.o has both http and sql"),
        ("{sql: shop}", "E005 lookups.o has no query — write query: SELECT"),
    ],
)
def test_a_lookup_is_one_of_two(keys: str, words: str) -> None:
    assert words in mistake(f"lookups:\n  ▸o: {keys}\n")


def test_the_name_of_a_lookup_is_a_variable() -> None:
    found = mistake("lookups:\n  ▸CRM: {http: https://a.example/}\n")
    assert found == 'E005 lookups: "CRM" cannot be a name here — write crm'
