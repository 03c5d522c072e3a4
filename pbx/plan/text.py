"""Texts with values in them: `Welcome back ${customer.name or caller.number:digits}.`

A value is written `${name}`, or `${first or second or "a word"}` for the first that is not empty,
with `:format` behind it to say how it is spoken. Inserting is all that happens: a value is never
read as a text of its own, whatever stands in it, and nothing is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

NAME: Final = r"[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*"
"""A variable's name; `customer.level` is what lookup `customer` found."""

FORMATS: Final = ("date", "time", "datetime", "digits", "number", "money")
"""How a value can be spoken."""

MAX_INSERT: Final = 200
"""Characters between `${` and `}`."""

_INSERT = re.compile(r"\$\{([^{}]*)\}")
_SOURCE = re.compile(rf"({NAME})|\"([^\"]*)\"|'([^']*)'")


@dataclass(frozen=True, slots=True)
class Source:
    """One alternative of an insert: a variable's name, or a word as it is."""

    name: str | None
    literal: str = ""


@dataclass(frozen=True, slots=True)
class Insert:
    """`${a or b:format}`: the first of `sources` that is not empty, spoken as `format`.

    `offset` is the place of its `$` in the text, in characters from 0.
    """

    sources: tuple[Source, ...]
    format: str | None = None
    offset: int = 0

    def value(self, values: Mapping[str, str]) -> str:
        """Return the first value that is not empty, else the empty text."""
        for source in self.sources:
            found = source.literal if source.name is None else values.get(source.name, "")
            if found:
                return found
        return ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text as parts: fixed texts and inserts."""

    parts: tuple[str | Insert, ...]

    @property
    def fixed(self) -> bool:
        """Tell whether the text holds no values."""
        return all(isinstance(part, str) for part in self.parts)

    @property
    def inserts(self) -> Iterator[Insert]:
        """Yield the inserts in their order."""
        return (part for part in self.parts if isinstance(part, Insert))

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all variables in it."""
        return frozenset(
            source.name
            for insert in self.inserts
            for source in insert.sources
            if source.name is not None
        )

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with the values in it, as they are; formats are for the ear."""
        return "".join(part if isinstance(part, str) else part.value(values) for part in self.parts)

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else _written(part) for part in self.parts)


def parse_text(text: str) -> Text:
    """Read a text. Raises ValueError with a sentence for an insert that cannot be read."""
    parts: list[str | Insert] = []
    end = 0
    for found in _INSERT.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        parts.append(_insert(found[1], found.start()))
        end = found.end()
    if end < len(text):
        parts.append(text[end:])
    if any(isinstance(part, str) and "${" in part for part in parts):
        raise ValueError('has "${" without its "}"; write ${name}')
    return Text(tuple(parts))


def _insert(inside: str, offset: int) -> Insert:
    if len(inside) > MAX_INSERT:
        raise ValueError(
            f"has more than {MAX_INSERT} characters between ${{ and }}; write ${{name}}"
        )
    body, format = inside.strip(), None
    if found := re.fullmatch(r"(.*?)\s*:\s*([a-z]+)", body):
        body, format = found[1], found[2]
        if format not in FORMATS:
            raise ValueError(f'has the unknown format ":{format}"; write one of {_formats()}')
    sources = []
    for word in re.split(r"\s+or\s+", body):
        found = _SOURCE.fullmatch(word)
        if found is None:
            raise ValueError(f'has "${{{inside}}}", which names no value; write ${{name}}')
        literal = found[2] if found[2] is not None else found[3]
        sources.append(Source(found[1], literal or ""))
    return Insert(tuple(sources), format, offset)


def _formats() -> str:
    return ", ".join(f":{format}" for format in FORMATS)


def _written(insert: Insert) -> str:
    words = [source.name or f'"{source.literal}"' for source in insert.sources]
    return "${" + " or ".join(words) + (f":{insert.format}" if insert.format else "") + "}"
