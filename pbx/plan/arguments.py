"""How the arguments of verbs are written: one class per type.

A verb is a function whose parameters say `Annotated[float, Seconds()]`; the annotation is how the
file writes the argument, what the documentation says of it and what the JSON Schema allows. What is
wrong is noted at its place by the `Reading` that is handed in, and the value is then None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pbx.marks import Node
from pbx.marks.problem import WRONG_TYPE, did_you_mean
from pbx.marks.reader import duration, yes_no
from pbx.marks.tree import MapNode
from pbx.plan.condition import parse_condition
from pbx.plan.step import Reading
from pbx.plan.text import NAME, Text, parse_text

T = TypeVar("T")

Schema = Mapping[str, Any]


def _convert(reading: Reading, node: Node, what: str, convert: Callable[[str], T]) -> T | None:
    text = reading.text(node, what)
    if text is None:
        return None
    try:
        return convert(text)
    except ValueError as error:
        reading.problem(node, WRONG_TYPE, f'{what}: "{text}" {error}')
        return None


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time; the value is seconds."""

    written: ClassVar[str] = "5s, 2m, 1h"

    def read(self, reading: Reading, node: Node, what: str) -> float | None:
        """Return seconds."""
        return _convert(reading, node, what, duration)

    def schema(self) -> Schema:
        """Return a pattern."""
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?[smhd]$"}


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no."""

    written: ClassVar[str] = "yes or no"

    def read(self, reading: Reading, node: Node, what: str) -> bool | None:
        """Return a bool."""
        return _convert(reading, node, what, yes_no)

    def schema(self) -> Schema:
        """Return both spellings: editors write booleans."""
        return {"enum": ["yes", "no", True, False]}


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    @property
    def written(self) -> str:
        """Return the range."""
        return f"{self.low}-{self.high}"

    def read(self, reading: Reading, node: Node, what: str) -> int | None:
        """Return an int."""
        return _convert(reading, node, what, self._number)

    def schema(self) -> Schema:
        """Return a range."""
        return {"type": ["integer", "string"], "minimum": self.low, "maximum": self.high}

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not self.low <= int(text) <= self.high:
            raise ValueError(f"is no whole number from {self.low} to {self.high}")
        return int(text)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def written(self) -> str:
        """Return the words."""
        return ", ".join(self.words)

    def read(self, reading: Reading, node: Node, what: str) -> str | None:
        """Return the word."""
        text = reading.text(node, what)
        if text is None or text in self.words:
            return text
        near = did_you_mean(text, self.words)
        reading.problem(node, WRONG_TYPE, f'{what}: "{text}" is none of {self.written}', near)
        return None

    def schema(self) -> Schema:
        """Return the words."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches `pattern` whole; `sentence` says what it must be."""

    pattern: str
    written: str
    sentence: str

    def read(self, reading: Reading, node: Node, what: str) -> str | None:
        """Return the text."""
        return _convert(reading, node, what, self._match)

    def schema(self) -> Schema:
        """Return the pattern."""
        return {"type": ["string", "integer"], "pattern": f"^({self.pattern})$"}

    def _match(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(self.sentence)
        return text


VARIABLE = Pattern(NAME, "a variable", "is no name of a variable; write small letters, 0-9 and _")
KEY = Pattern(r"[0-9*#]", 'one key, "#" in quotes', "is no key of a phone; write 0-9, * or #")
KEYS = Pattern(r"[0-9*#A-D]{1,32}", "keys", "are no keys of a phone; write 0-9, *, #")


@dataclass(frozen=True, slots=True)
class Values:
    """A text that may hold values: `${name}`. The value is a `Text`.

    With `secrets` it may hold `${secret.NAME}`, which goes nowhere that a caller could hear of it.
    """

    secrets: bool = False

    written: ClassVar[str] = "a text, ${name} inserts a value"

    def read(self, reading: Reading, node: Node, what: str) -> Text | None:
        """Return the text in parts."""
        text = _convert(reading, node, what, parse_text)
        if text is None or (not self.secrets and tell_secret(reading, node, what, text.names)):
            return None
        return text

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": ["string", "number"]}


def tell_secret(reading: Reading, node: Node, what: str, names: Collection[str]) -> bool:
    """Note that one of `names` is a secret, which may not stand here; tell whether one is."""
    secret = next((name for name in sorted(names) if name.startswith("secret.")), None)
    if secret is None:
        return False
    sentence = f"{what}: ${{{secret}}} may stand only in address and headers of a lookup or webhook"
    reading.problem(node, WRONG_TYPE, sentence, "remove it")
    return True


@dataclass(frozen=True, slots=True)
class If:
    """A condition."""

    written: ClassVar[str] = "NAME is VALUE, in [a, b], >, <, starts with, is empty; and, or"

    def read(self, reading: Reading, node: Node, what: str) -> Any:
        """Return a `Condition`."""
        condition = _convert(reading, node, what, parse_condition)
        if condition is None or tell_secret(reading, node, what, condition.names):
            return None
        return condition

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


_KINDS = {"hours": "opening hours", "voicemail": "a voicemail box"}


def _named(kind: str) -> str:
    """Return what has a name of that kind: "a flow"."""
    return _KINDS.get(kind, f"a {kind}")


@dataclass(frozen=True, slots=True)
class Name:
    """The name of something that stands in another section: a `flow`, a `prompt`, a `lookup`."""

    kind: str

    @property
    def written(self) -> str:
        """Return what is named."""
        return f"name of {_named(self.kind)}"

    def read(self, reading: Reading, node: Node, what: str) -> str | None:
        """Return the name."""
        return reading.name(node, self.kind, what)

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Names:
    """One name or a list of them. The value is a tuple."""

    kind: str

    @property
    def written(self) -> str:
        """Return what is named."""
        return f"name of {_named(self.kind)}, or [one, two]"

    def read(self, reading: Reading, node: Node, what: str) -> tuple[str, ...] | None:
        """Return the names."""
        names = [reading.name(item, self.kind, what) for item in reading.items(node, what)]
        return tuple(name for name in names if name is not None) or None

    def schema(self) -> Schema:
        """Return one or many."""
        one = {"type": "string"}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class Place:
    """A destination; only of these `kinds`, where some are given."""

    kinds: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """Return how it is written."""
        return " or ".join(f"{kind}:NAME" for kind in self.kinds) or "kind:name or a word"

    def read(self, reading: Reading, node: Node, what: str) -> Any:
        """Return a `Destination`."""
        place = reading.destination(node, what)
        if place is not None and self.kinds and place.kind not in self.kinds:
            reading.problem(node, WRONG_TYPE, f"{what} cannot be {place}", f"write {self.written}")
            return None
        return place

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Places:
    """A list of destinations of these `kinds`. The value is a tuple."""

    kinds: tuple[str, ...]

    @property
    def written(self) -> str:
        """Return how they are written."""
        return f"[{', '.join(f'{kind}:NAME' for kind in self.kinds)}]"

    def read(self, reading: Reading, node: Node, what: str) -> Any:
        """Return `Destination`s."""
        one = Place(self.kinds)
        places = [one.read(reading, item, what) for item in reading.items(node, what)]
        return tuple(place for place in places if place is not None) or None

    def schema(self) -> Schema:
        """Return one or many."""
        one = {"type": "string"}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class Assignments:
    """A map of variables and the texts that they become. The value maps names to `Text`s."""

    written: ClassVar[str] = "{NAME: TEXT, …}"

    def read(self, reading: Reading, node: Node, what: str) -> Mapping[str, Text] | None:
        """Return the texts by name."""
        if not isinstance(node, MapNode):
            reading.problem(node, WRONG_TYPE, f"{what} must be a map", f"write {self.written}")
            return None
        found: dict[str, Text] = {}
        for key, value in node.entries:
            name = VARIABLE.read(reading, key, what)
            text = Values().read(reading, value, f"{what}: {key.value}")
            if name is not None and text is not None:
                found[name] = text
        return found

    def schema(self) -> Schema:
        """Return a map of texts."""
        return {"type": "object", "additionalProperties": {"type": ["string", "number"]}}


LEVELS = range(1, 11)
"""How good an agent may be at something."""


def level_of(text: str) -> int:
    """Return a level; 1 for the empty text. Raises ValueError with a sentence."""
    if not re.fullmatch(r"0*[0-9]{0,2}", text) or int(text or 1) not in LEVELS:
        raise ValueError(f"is no level from {LEVELS[0]} to {LEVELS[-1]}")
    return int(text or 1)


@dataclass(frozen=True, slots=True)
class Levels:
    """A map of skills and their levels, which may be values. The value maps names to `Text`s."""

    written: ClassVar[str] = "{SKILL: LEVEL, …}"

    def read(self, reading: Reading, node: Node, what: str) -> Mapping[str, Text] | None:
        """Return the texts by name; those without values are levels."""
        found = Assignments().read(reading, node, what)
        if isinstance(node, MapNode) and found is not None:
            for key, value in node.entries:
                if key.value in found and found[key.value].fixed:
                    _convert(reading, value, f"{what}: {key.value}", level_of)
        return found

    def schema(self) -> Schema:
        """Return a map of levels, or texts with values."""
        return {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}


@dataclass(frozen=True, slots=True)
class DigitCount:
    """How many digits: `6` or `6-12`. The value is (least, most)."""

    written: ClassVar[str] = "6 or 6-12"

    def read(self, reading: Reading, node: Node, what: str) -> tuple[int, int] | None:
        """Return least and most."""
        return _convert(reading, node, what, _digit_count)

    def schema(self) -> Schema:
        """Return a pattern."""
        return {"type": ["string", "integer"], "pattern": r"^[0-9]+(-[0-9]+)?$"}


MOST_DIGITS = 32


def _digit_count(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,2})(?:-([0-9]{1,2}))?", text)
    least = int(found[1]) if found else 0
    most = int(found[2] or found[1]) if found else 0
    if not 1 <= least <= most <= MOST_DIGITS:
        raise ValueError(f"is no count of digits; write 6, or 6-12; {MOST_DIGITS} at most")
    return least, most
