"""Section `numbers`: which number starts where.

    numbers:
      "4008001234": flow:front_door
      "+85221234567": {to: flow:front_door, language: yue, tag: spring-advert}
      anything_else: operator

A number is what is dialled; `+852…`, `00852…` and `852…` are one number and stand once, and so are
`028…` and `+8628…` in China.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pbx.marks import MapNode, Node, TextNode, did_you_mean
from pbx.marks.problem import OVERLAP, WRONG_TYPE
from pbx.plan.arguments import OneOf, Pattern, Place
from pbx.plan.entries import read_entries
from pbx.plan.fields import Key, Keys, read_fields, schema_of, tell_missing
from pbx.plan.model import LANGUAGES, NumberRoute
from pbx.plan.names import mark_of, plain_spelling
from pbx.plan.numbering import spelled
from pbx.plan.reading import NUMBER, PlanReader
from pbx.plan.sections.section import Section

ANYTHING_ELSE: Final = "anything_else"

TAG = Pattern(r"[^\s,]{1,64}", "a word", "is no tag; write one word, such as spring-advert")

KEYS: Keys = {
    "to": Key("destination", Place(), required=True),
    "language": Key("language", OneOf(LANGUAGES)),
    "tag": Key("tag", TAG),
}


def _read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
    routes: dict[str, NumberRoute] = {}
    other: NumberRoute | None = None
    spellings: dict[str, NumberRoute] = {}
    for entry in read_entries(reader, parts, "numbers", None, r"(?s:.*)"):
        if entry.name != ANYTHING_ELSE and not _is_number(reader, entry.key):
            continue
        fields = _fields(reader, entry.name, entry.key, entry.node)
        if "destination" not in fields:
            continue
        route = NumberRoute(entry.name, mark=mark_of(entry.key), **fields)
        if entry.name == ANYTHING_ELSE:
            other = route
            continue
        first = spellings.setdefault(spelled(entry.name, reader.country), route)
        if first is not route:
            line = f"line {first.mark.line}"
            at = line if first.mark.file == entry.key.file else str(first.mark)
            sentence = f'"{entry.name}" is the same number as "{first.number}" ({at})'
            reader.problem(entry.key, OVERLAP, sentence, "keep one of the two")
        routes[entry.name] = route
    return {"numbers": routes, "other": other}


def _fields(reader: PlanReader, number: str, key: TextNode, node: Node) -> dict[str, Any]:
    what = f"numbers.{number}"
    if isinstance(node, MapNode) and not _is_lost_variable(node):
        tell_missing(reader, node, key, what, KEYS)
        return read_fields(reader, node, what, KEYS)
    destination = reader.destination(node, what)
    return {} if destination is None else {"destination": destination}


def _is_lost_variable(node: MapNode) -> bool:
    """Tell whether a map was meant as a value: `{caller}`."""
    key, value = node.entries[0] if len(node.entries) == 1 else (None, None)
    return getattr(value, "is_null", False) and key is not None and key.value not in KEYS


def _is_number(reader: PlanReader, key: TextNode) -> bool:
    if re.fullmatch(NUMBER, key.value):
        return True
    suggestion = did_you_mean(key.value, [ANYTHING_ELSE])
    plain = re.sub(r"[ ()./–-]", "", plain_spelling(key.value))
    if suggestion is None and re.fullmatch(NUMBER, plain):
        suggestion = f'write "{plain}"'
    suggestion = suggestion or "write digits alone, such as 4008001234"
    reader.problem(key, WRONG_TYPE, f'"{key.value}" is no number that can be dialled', suggestion)
    return False


SECTION = Section(
    "numbers",
    _read,
    {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, schema_of(KEYS)]}},
    KEYS,
)
