"""What a section is: its name, how it is read, and what editors are told of it.

Most sections hold named things, all with the same keys; `things` makes a section of such a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pbx.marks import MapNode, Node, TextNode
from pbx.plan.entries import LIKE, THING, Entry, read_entries
from pbx.plan.fields import Key, Keys, Schema, read_fields, schema_of, tell_missing
from pbx.plan.names import mark_of
from pbx.plan.reading import PlanReader
from pbx.plan.step import Mark

Build = Callable[[PlanReader, Entry, Mapping[str, Any]], Any]
"""Makes the thing of its fields, `name` and `mark` among them; may note what only all of them
show. None where it cannot be used."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of dialplan.yaml.

    `read` takes the section's node of each file that has one and returns fields of `Plan`. `keys`
    are those of its things, for the documentation.
    """

    name: str
    read: Callable[[PlanReader, Sequence[Node]], Mapping[str, Any]]
    schema: Schema
    keys: Keys = field(default_factory=dict)


def things(
    name: str, kind: str, keys: Keys, build: Build, *, called: str = "name", pattern: str = THING
) -> Section:
    """Return the section of things that have these keys, and `like`. `called` is the field of the
    model for a thing's name, `pattern` what names look like."""

    def read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
        found = {}
        for entry in read_entries(reader, parts, name, kind, pattern):
            what = f"{name}.{entry.name}"
            fields: dict[str, Any] = {called: entry.name, "mark": mark_of(entry.key)}
            fields |= read_fields(reader, entry.node, what, keys, entry.copied)
            odd = not isinstance(entry.node, MapNode) and not _is_null(entry.node)
            if odd or entry.incomplete or tell_missing(reader, entry.node, entry.key, what, keys):
                continue
            if any(key.required and key.field and key.field not in fields for key in keys.values()):
                continue  # what is wrong with it is told
            thing = build(reader, entry, fields)
            if thing is not None:
                found[entry.name] = thing
        return {name: found}

    schema = schema_of({**keys, LIKE: Key("", _Like())})
    required = schema.pop("required", None)  # which `like` may bring
    one = schema if required else {"anyOf": [schema, {"type": "null"}]}
    return Section(name, read, {"type": "object", "additionalProperties": one}, keys)


def _is_null(node: Node) -> bool:
    return isinstance(node, TextNode) and node.is_null


def plainly(model: Callable[..., Any]) -> Build:
    """Return what builds a thing of nothing but its fields."""

    def build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> Any:
        return model(**fields)

    return build


def place(entry: Entry, key: str) -> Node:
    """Return where a key of an entry stands, else where its name does."""
    entries = getattr(entry.node, "entries", ())
    return next((name for name, _ in entries if name.value == key), entry.key)


def mark_at(entry: Entry, key: str) -> Mark:
    """Return the mark of the same."""
    return mark_of(place(entry, key))


@dataclass(frozen=True, slots=True)
class _Like:
    """The key `like`, which is copied before anything is read."""

    written: str = "NAME"

    def read(self, reading: PlanReader, node: Node, what: str) -> None:
        """Return nothing."""

    def schema(self) -> Schema:
        """Return a name."""
        return {"type": "string"}
