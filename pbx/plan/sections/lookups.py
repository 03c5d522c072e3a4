"""Section `lookups`: outside data, named once.

    lookups:
      customer: {http: "https://crm.local/by-phone/${caller.number}", if_empty: {level: normal}}
      order: {sql: shop, query: SELECT status FROM orders WHERE no = :no, with: {no: order_no}}

A lookup is a GET or a SELECT. Values go into a path or beside a query, never into a host or the SQL
itself. `${secret.NAME}` may stand in address and headers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pbx.marks import MapNode, Node
from pbx.marks.problem import UNSAFE_SQL, WRONG_TYPE, did_you_mean
from pbx.plan.address import Address
from pbx.plan.arguments import VARIABLE, Pattern, Place, Seconds, Values
from pbx.plan.entries import Entry
from pbx.plan.fields import Key, Keys, MapOf, Schema
from pbx.plan.model import Lookup
from pbx.plan.query import is_select, parameters_of
from pbx.plan.reading import PlanReader
from pbx.plan.sections.section import place, things

LOOKUP_NAME: Final = r"[a-z_][a-z0-9_]{0,63}"
"""Fields of an answer are variables, `customer.level`, so the name is written like one."""

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_FOR_SQL: Final = ("query", "with")
_FOR_HTTP: Final = ("headers",)


@dataclass(frozen=True, slots=True)
class Select:
    """A single SELECT without a value in it."""

    written: ClassVar[str] = "SELECT … WHERE no = :no"

    def read(self, reading: PlanReader, node: Node, what: str) -> str | None:
        """Return the SQL."""
        text = reading.text(node, what)
        if text is None:
            return None
        sentence = suggestion = None
        if "${" in text:
            sentence = "has a value in the SQL, which a caller could make a command of"
            suggestion = "write :name in the query and with: {name: VARIABLE}"
        elif not is_select(text):
            sentence, suggestion = "is no SELECT", "a lookup only reads"
        elif ";" in _QUOTED.sub("", text).rstrip().rstrip(";"):
            sentence, suggestion = "has several statements", "write one SELECT"
        if sentence is not None:
            reading.problem(node, UNSAFE_SQL, f"{what} {sentence}", suggestion)
            return None
        return text

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Instead:
    """What there is instead of an answer: a place to go to, or values."""

    written: ClassVar[str] = "kind:name, or {NAME: VALUE}"

    def read(self, reading: PlanReader, node: Node, what: str) -> Any:
        """Return a `Destination`, or texts by name."""
        if isinstance(node, MapNode) and not _is_lost_variable(node):
            return MapOf(_FIELD, _FIXED).read(reading, node, what)
        return Place().read(reading, node, what)

    def schema(self) -> Schema:
        """Return either."""
        value = {"type": ["string", "number", "boolean"]}
        return {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": value}]}


def _is_lost_variable(node: MapNode) -> bool:
    return len(node.entries) == 1 and getattr(node.entries[0][1], "is_null", False)


_FIELD = Pattern(r"[a-z_][a-z0-9_]*", "a variable", "is no name of a variable; write small letters")
_FIXED = Pattern(r"([^$]|\$(?!\{))*", "a text", "has a value in it; write the text itself")
_ANSWER = Pattern(r"[^\s]{1,64}", "a field of the answer", "is no name of a field")
_PARAMETER = Pattern(r"[A-Za-z_][A-Za-z0-9_]*", "a :name", "is no name of a parameter")
_HEADER = Pattern(r"[A-Za-z0-9-]{1,64}", "the name of a header", "is no name of a header")
_CONNECTION = Pattern(
    r"[^\s:,/]{1,64}", "a connection of callpbx.yaml", "is no name of a connection"
)

KEYS: Keys = {
    "http": Key("http", Address()),
    "headers": Key("headers", MapOf(_HEADER, Values(secrets=True))),
    "sql": Key("sql", _CONNECTION),
    "query": Key("query", Select()),
    "with": Key("parameters", MapOf(_PARAMETER, VARIABLE)),
    "timeout": Key("timeout_s", Seconds()),
    "save": Key("save", MapOf(_FIELD, _ANSWER)),
    "if_empty": Key("if_empty", Instead()),
    "if_error": Key("if_error", Instead()),
}


def _build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> Lookup:
    what = f"lookups.{entry.name}"
    written = {key.value for key, _ in getattr(entry.node, "entries", ())}
    if ("http" in written) == ("sql" in written):
        both = "both http and sql" if "http" in written else "neither http nor sql"
        reader.problem(entry.key, WRONG_TYPE, f"{what} has {both}", "write one of the two")
    else:
        _tell_strangers(reader, entry, "http" if "http" in written else "sql", written)
    if "sql" in written and "query" not in written:
        sentence = f"{what} has no query"
        reader.problem(entry.key, WRONG_TYPE, sentence, f"write query: {Select.written}")
    if "query" in fields:
        _compare_names(reader, entry, fields["query"], fields.get("parameters", {}))
    return Lookup(**fields)


def _tell_strangers(reader: PlanReader, entry: Entry, kind: str, written: set[str]) -> None:
    """Tell of keys that mean nothing for a lookup of this kind."""
    for name in _FOR_SQL if kind == "http" else _FOR_HTTP:
        if name in written and name not in entry.copied:
            sentence = f"lookups.{entry.name}: {name} does not go with {kind}"
            reader.problem(place(entry, name), WRONG_TYPE, sentence, f"remove {name}")


def _compare_names(
    reader: PlanReader, entry: Entry, query: str, parameters: Mapping[str, str]
) -> None:
    """Tell of `:names` without a variable, and of variables that the query does not ask for."""
    what = f"lookups.{entry.name}"
    asked = parameters_of(query)
    for name in asked:
        if name not in parameters:
            sentence = f"{what}: nothing says what :{name} is"
            reader.problem(
                place(entry, "query"), UNSAFE_SQL, sentence, f"write with: {{{name}: VARIABLE}}"
            )
    for name in parameters:
        if name not in asked:
            sentence = f"{what} with: the query has no :{name}"
            reader.problem(place(entry, "with"), UNSAFE_SQL, sentence, did_you_mean(name, asked))


SECTION = things("lookups", "lookup", KEYS, _build, pattern=LOOKUP_NAME)
