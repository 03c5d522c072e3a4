"""Section `tests`: calls that are rehearsed before each reload.

    tests:
      - {name: order, to: "4008001234", at: 2026-09-28 10:00, press: "1 202600123#",
         mock: {order: {status: shipped}}, expect: [flow:order_status, say:order_is]}

Keys of `press` are keyed group by group, each when the caller is asked next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from pbx.marks import MapNode, Node, TextNode, did_you_mean
from pbx.marks.problem import WRONG_TYPE
from pbx.plan.arguments import OneOf, Pattern
from pbx.plan.destination import KINDS, WORDS
from pbx.plan.fields import (
    Converted,
    Key,
    Keys,
    Many,
    MapOf,
    Schema,
    read_fields,
    schema_of,
    tell_missing,
)
from pbx.plan.model import Expectation
from pbx.plan.names import SECTION_OF, mark_of
from pbx.plan.reading import NUMBER, PlanReader
from pbx.plan.sections.section import Section

PHONES: Final = ("answers", "busy", "no_answer", "unregistered")
QUEUES: Final = ("answered", "no_agents", "full", "timeout")

_SPOKEN: Final = {
    "say": "prompt",
    "lookup": "lookup",
    "hours": "hours",
    "do": "flow",
}
"""Steps whose line of the trace has a name → the kind of that name."""


def _press(text: str) -> tuple[str, ...]:
    groups = tuple(text.split())
    if any(set(group) - set("0123456789*#ABCDw,") for group in groups):
        raise ValueError('are no keys of a phone — write groups of keys: "1 202600123#"')
    return groups


def _moment(text: str) -> str:
    shape = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:[0-9]{2})?"
    try:
        if not re.fullmatch(shape, text):
            raise ValueError(text)
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no moment — write 2026-10-01 09:30") from None
    return text


@dataclass(frozen=True, slots=True)
class Press:
    """Groups of keys; an empty text is a caller who keys nothing."""

    written: ClassVar[str] = '"1 202600123#"'

    def read(self, reading: PlanReader, node: Node, what: str) -> tuple[str, ...] | None:
        """Return the groups."""
        found: tuple[str, ...] | None = Converted(_press, self.written, {}).read(
            reading, node, what
        )
        return found

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": ["string", "integer"]}


@dataclass(frozen=True, slots=True)
class Mock:
    """What a lookup finds: a map of fields, `nothing`, or `error`."""

    written: ClassVar[str] = "{FIELD: VALUE}, nothing or error"

    def read(self, reading: PlanReader, node: Node, what: str) -> Any:
        """Return texts by field, "error", or "nothing"."""
        if isinstance(node, MapNode):
            return MapOf(_FIELD, _VALUE).read(reading, node, what)
        return OneOf(("nothing", "error")).read(reading, node, what)

    def schema(self) -> Schema:
        """Return either."""
        return {"anyOf": [{"enum": ["nothing", "error"]}, {"type": "object"}]}


@dataclass(frozen=True, slots=True)
class Mocks:
    """What lookups find, by name."""

    written: ClassVar[str] = "{LOOKUP: {FIELD: VALUE}}"

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[str, Any]:
        """Return them; None stands for nothing."""
        mocks: dict[str, Any] = {}
        for name, (key, value) in reading.mapping(node, what).items():
            reading.name(key, "lookup", what)
            found = Mock().read(reading, value, f"{what} {name}")
            if found is not None:
                mocks[name] = None if found == "nothing" else found
        return mocks

    def schema(self) -> Schema:
        """Return a map."""
        return {"type": "object", "additionalProperties": dict(Mock().schema())}


@dataclass(frozen=True, slots=True)
class Queues:
    """How queues are, by name."""

    written: ClassVar[str] = "{QUEUE: no_agents}"

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[str, str]:
        """Return them."""
        queues = {}
        for name, (key, value) in reading.mapping(node, what).items():
            reading.name(key, "queue", what)
            state = OneOf(QUEUES).read(reading, value, f"{what} {name}")
            if state is not None:
                queues[name] = state
        return queues

    def schema(self) -> Schema:
        """Return a map."""
        return {"type": "object", "additionalProperties": {"enum": list(QUEUES)}}


@dataclass(frozen=True, slots=True)
class Passed:
    """A place that a call passes: `kind:name`, as the trace has it."""

    written: ClassVar[str] = "menu:main"

    def read(self, reading: PlanReader, node: Node, what: str) -> str | None:
        """Return the place."""
        text = reading.text(node, what)
        if text is None:
            return None
        kind, colon, name = text.partition(":")
        known = {*KINDS, *WORDS, *reading.vocabulary.verbs, "numbers", "feature"}
        if kind not in known or (colon and not name):
            near = did_you_mean(kind, known) or "write kind:name, such as menu:main"
            sentence = f'{what}: "{text}" is no place that a call passes'
            reading.problem(node, WRONG_TYPE, sentence, near)
            return None
        if kind in KINDS and colon:
            reading.destination(node, what)
        elif colon and (named := _SPOKEN.get(kind)) in SECTION_OF:
            reading.refer(node, named or "", name, what)
        return text

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


_FIELD = Pattern(r"[^\s:]{1,64}", "a field", "is no name of a field")
_VALUE = Pattern(r"[\s\S]*", "a text", "is no text")
_NUMBER = Pattern(NUMBER, "a number", "is no number that can be dialled")
_TITLE = Pattern(r"[\s\S]{1,200}", "a few words", "is too long; 200 characters at most")
_CALLER = Pattern(r"[^\s]{0,64}", "a number", "is no number")
_TEXT: Schema = {"type": ["string", "integer"]}

KEYS: Keys = {
    "name": Key("name", _TITLE, required=True),
    "from": Key("from_", _CALLER),
    "to": Key("to", _NUMBER, required=True),
    "at": Key("at", Converted(_moment, "2026-10-01 09:30", _TEXT)),
    "press": Key("press", Press()),
    "mock": Key("mock", Mocks()),
    "phones": Key("phones", MapOf(_NUMBER, OneOf(PHONES))),
    "queues": Key("queues", Queues()),
    "expect": Key("expect", Many(Passed()), required=True),
}


def _read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
    tests: list[Expectation] = []
    for part in parts:
        if isinstance(part, TextNode) and not part.is_null:
            reader.problem(part, WRONG_TYPE, "tests must be a list", 'put "- " before each test')
            continue
        if isinstance(part, TextNode):
            continue
        for node in reader.items(part, "tests"):
            found = _test(reader, node)
            if found is not None:
                tests.append(found)
    return {"tests": tuple(tests)}


def _test(reader: PlanReader, node: Node) -> Expectation | None:
    name = node.get("name") if isinstance(node, MapNode) else None
    what = f'test "{name.value}"' if isinstance(name, TextNode) and name.value else "a test"
    fields = read_fields(reader, node, what, KEYS)
    if isinstance(node, MapNode):
        tell_missing(reader, node, node, what, KEYS)
    if not {"name", "to", "expect"} <= fields.keys():
        return None
    return Expectation(**fields, mark=mark_of(node))


SECTION = Section("tests", _read, {"type": "array", "items": schema_of(KEYS)}, KEYS)
