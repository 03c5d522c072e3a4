"""What a lookup's SQL says of itself, read without a database: does it only read, its `:names`.

Quoted texts, quoted names, comments and PostgreSQL's `::type` and `$$…$$` are passed over. This is
for sentences and for numbering parameters; that nothing is ever written is up to the connection,
which is read-only whatever the text says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKENS = re.compile(
    r"""
      '(?:[^']|'')*'                      # a text
    | "(?:[^"]|"")*"                      # a quoted name
    | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$
    | --[^\n]*                            # comments
    | /\*.*?\*/
    | ::                                  # a cast
    | :(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_LEADING = re.compile(r"(?:\s+|--[^\n]*\n?|/\*.*?\*/|\()*", re.DOTALL)
_SELECT = re.compile(r"(?:select|with|values)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A query with `$1`, `$2` … in place of names; `names[0]` is what `$1` stands for."""

    query: str
    names: tuple[str, ...]


def is_select(query: str) -> bool:
    """Tell whether the text begins as one that only reads: SELECT, WITH or VALUES."""
    start = _LEADING.match(query)
    return _SELECT.match(query, start.end() if start else 0) is not None


def parameters_of(query: str) -> tuple[str, ...]:
    """Return the names of its parameters, each once, in their order, without the colon."""
    return numbered(query).names


def numbered(query: str) -> Numbered:
    """Return the query as PostgreSQL's protocol takes it."""
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    text = _TOKENS.sub(number, query)
    return Numbered(text, tuple(numbers))
