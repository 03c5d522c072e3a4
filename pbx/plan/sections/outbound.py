"""Section `outbound`: which numbers go out by which lines.

    outbound:
      national: {match: ["0", "1"], trunks: [main, backup], strip: 0, caller_id: "02888886666"}
      emergency: {match: [110, 119, 120], trunks: [main], emergency: yes}

The longest prefix wins; with `emergency` a number is matched whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pbx.marks import Node
from pbx.marks.problem import OVERLAP
from pbx.plan.arguments import Number, Pattern, YesNo
from pbx.plan.entries import Entry
from pbx.plan.fields import Key, Keys, Many
from pbx.plan.model import OutboundRule
from pbx.plan.reading import NUMBER, PlanReader
from pbx.plan.sections.section import Section, things

PREFIX = Pattern(
    r"\+?[0-9*#]{1,20}", 'first digits, such as "0"', "are no first digits of a number"
)
TRUNK = Pattern(r"[^\s:,]{1,64}", "a trunk", "is no name of a trunk")
ADDED = Pattern(r"(?:\+?[0-9*#]{1,20})?", "digits", "are no digits")
CALLER_ID = Pattern(NUMBER, "a number", "is no number")

KEYS: Keys = {
    "match": Key("match", Many(PREFIX), required=True),
    "trunks": Key("trunks", Many(TRUNK), required=True),
    "strip": Key("strip", Number(0, 20)),
    "add": Key("add", ADDED),
    "caller_id": Key("caller_id", CALLER_ID),
    "emergency": Key("emergency", YesNo()),
}


def _build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> OutboundRule:
    return OutboundRule(**fields)


_THINGS = things("outbound", "outbound", KEYS, _build)


def _read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
    read = _THINGS.read(reader, parts)
    _tell_overlaps(reader, read["outbound"])
    return read


def _tell_overlaps(reader: PlanReader, rules: Mapping[str, OutboundRule]) -> None:
    first: dict[tuple[str, bool], OutboundRule] = {}
    for rule in rules.values():
        for prefix in rule.match:
            other = first.setdefault((prefix, rule.emergency), rule)
            if other is not rule:
                sentence = f'outbound.{rule.name}: "{prefix}" is also matched by {other.name}'
                reader.problem_at(rule.mark, OVERLAP, sentence, "keep one of the two")


SECTION = Section("outbound", _read, _THINGS.schema, KEYS)
