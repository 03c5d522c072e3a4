"""Maps with known keys, as tables: key of the file → field of the model and how it is written.

One table is what the loader reads by, what editors are told (`schema`) and what the documentation
lists, so the three cannot differ. A key whose value is wrong is noted and its field left out, which
gives it the default of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pbx.marks import MapNode, Node, TextNode
from pbx.marks.problem import NOT_ACTED_ON, WRONG_TYPE
from pbx.marks.tree import ListNode
from pbx.plan.reading import PlanReader

T = TypeVar("T")
Schema = Mapping[str, Any]


class FieldType(Protocol):
    """How a value is written: an `ArgumentType` of `step.py`, or one that needs a `PlanReader`."""

    @property
    def written(self) -> str:
        """Return how to write it, for people."""

    def read(self, reading: PlanReader, node: Node, what: str) -> Any:
        """Return the value; None where it is wrong, which is noted. `what` names it."""

    def schema(self) -> Schema:
        """Return its JSON Schema."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a map. `field` is the field of the model; "" takes several from a map within.

    `code` is what is told where a required one is missing. `later` tells that this version does not
    act on it.
    """

    field: str
    type: FieldType
    required: bool = False
    code: str = WRONG_TYPE
    later: bool = False


Keys = Mapping[str, Key]


def read_fields(
    reader: PlanReader, node: Node | None, what: str, keys: Keys, copied: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the fields that a map gives; what stands in `copied` is told of elsewhere."""
    fields: dict[str, Any] = {}
    for name, (at, value) in reader.mapping(node, what, keys).items():
        key = keys[name]
        if name in copied:
            with reader.muted():
                _read_field(reader, key, value, f"{what} {name}", fields)
            continue
        if key.later:
            reader.problem(at, NOT_ACTED_ON, f"{what}: {name} is not acted on yet")
        _read_field(reader, key, value, f"{what} {name}", fields)
    return fields


def _read_field(
    reader: PlanReader, key: Key, value: Node, what: str, fields: dict[str, Any]
) -> None:
    found = key.type.read(reader, value, what)
    if found is None:
        return
    if key.field:
        fields[key.field] = found
    else:
        fields.update(found)


def tell_missing(reader: PlanReader, node: Node, at: Node, what: str, keys: Keys) -> bool:
    """Note the required keys that the map `node` lacks, at the place `at`; tell whether any is."""
    there = {key.value for key, _ in node.entries} if isinstance(node, MapNode) else set()
    missing = [name for name, key in keys.items() if key.required and name not in there]
    for name in missing:
        suggestion = f"write {name}: {keys[name].type.written}"
        reader.problem(at, keys[name].code, f"{what} has no {name}", suggestion)
    return bool(missing)


def schema_of(keys: Keys, **more: Any) -> dict[str, Any]:
    """Return the JSON Schema of a map with these keys."""
    required = [name for name, key in keys.items() if key.required]
    return {
        "type": "object",
        "properties": {name: dict(key.type.schema()) for name, key in keys.items()},
        **({"required": required} if required else {}),
        "additionalProperties": False,
        **more,
    }


@dataclass(frozen=True, slots=True)
class Part:
    """A map within a map: `position: {every: 60s}`. Its keys are fields of the same thing, or what
    `build` makes of them."""

    keys: Keys
    build: Callable[..., Any] = dict

    @property
    def written(self) -> str:
        """Return its keys."""
        return (
            "{" + ", ".join(f"{name}: {key.type.written}" for name, key in self.keys.items()) + "}"
        )

    def read(self, reading: PlanReader, node: Node, what: str) -> Any:
        """Return the fields that it gives, or what is built of them."""
        if isinstance(node, MapNode) and tell_missing(reading, node, node, what, self.keys):
            return None
        return self.build(**read_fields(reading, node, what, self.keys))

    def schema(self) -> Schema:
        """Return its keys."""
        return schema_of(self.keys)


@dataclass(frozen=True, slots=True)
class Converted:
    """A text that `convert` turns into a value, or refuses with a sentence (ValueError)."""

    convert: Callable[[str], Any]
    written: str
    json_schema: Schema

    def read(self, reading: PlanReader, node: Node, what: str) -> Any:
        """Return the value."""
        text = reading.text(node, what)
        if text is None:
            return None
        try:
            return self.convert(text)
        except ValueError as error:
            sentence, _, suggestion = str(error).partition(" — ")
            reading.problem(node, WRONG_TYPE, f'{what}: "{text}" {sentence}', suggestion or None)
            return None

    def schema(self) -> Schema:
        """Return what it was given."""
        return self.json_schema


@dataclass(frozen=True, slots=True)
class Many:
    """A list of what `one` reads, or one of it. The value is a tuple."""

    one: FieldType

    @property
    def written(self) -> str:
        """Return one and many."""
        return f"{self.one.written}, or [one, two]"

    def read(self, reading: PlanReader, node: Node, what: str) -> tuple[Any, ...] | None:
        """Return those that are right; None where nothing stands."""
        found = [self.one.read(reading, item, what) for item in reading.items(node, what)]
        if isinstance(node, ListNode) and not node.items:
            reading.problem(node, WRONG_TYPE, f"{what} is empty", f"write {self.written}")
        return tuple(each for each in found if each is not None) or None

    def schema(self) -> Schema:
        """Return one or many."""
        one = dict(self.one.schema())
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map of free keys, read by `key`, to what `value` reads."""

    key: FieldType
    value: FieldType

    @property
    def written(self) -> str:
        """Return one pair."""
        return f"{{{self.key.written}: {self.value.written}}}"

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[Any, Any] | None:
        """Return the pairs that are right."""
        if isinstance(node, TextNode) and node.is_null:
            reading.text(node, what)
            return None
        found = {}
        for name, (key, value) in reading.mapping(node, what).items():
            left = self.key.read(reading, key, what)
            right = self.value.read(reading, value, f"{what} {name}")
            if left is not None and right is not None:
                found[left] = right
        return found

    def schema(self) -> Schema:
        """Return a map."""
        return {"type": "object", "additionalProperties": dict(self.value.schema())}
