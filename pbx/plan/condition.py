"""Conditions of `if:`: `customer.level is vip and caller.number starts with 138`.

Comparisons are `is`, `is not`, `in [a, b]`, `not in [a, b]`, `>`, `<`, `>=`, `<=`, `starts with`,
`is empty` and `is not empty`, joined by `and` and `or` (`and` binds closer). On the left stands a
variable, on the right a word, a "quoted text" or `${variable}`. Both sides compare as numbers where
both look like numbers, else as texts.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pbx.plan.text import NAME, Text, parse_text

MAX_CONDITION: Final = 2_000
"""Characters of a condition; what looks for its words takes longer for each."""

Comparison = Callable[[str, tuple[str, ...]], bool]


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?", text) else None


def _ordered(compare: Callable[[float, float], bool]) -> Comparison:
    """Compare as numbers; what is no number is neither more nor less."""

    def test(left: str, right: tuple[str, ...]) -> bool:
        first, second = _number(left), _number(right[0])
        return first is not None and second is not None and compare(first, second)

    return test


def _same(left: str, right: str) -> bool:
    first, second = _number(left), _number(right)
    if first is not None and second is not None and not _is_dialled(left, right):
        return first == second
    return left == right


def _is_dialled(left: str, right: str) -> bool:
    """Tell whether one begins with a 0 that counts: 0123 is not 123."""
    return any(re.match(r"0[0-9]", text) for text in (left, right))


COMPARISONS: Final[Mapping[str, Comparison]] = {
    "is": lambda left, right: _same(left, right[0]),
    "is not": lambda left, right: not _same(left, right[0]),
    "in": lambda left, right: any(_same(left, each) for each in right),
    "not in": lambda left, right: not any(_same(left, each) for each in right),
    "starts with": lambda left, right: left.startswith(right[0]),
    "is empty": lambda left, right: not left,
    "is not empty": lambda left, right: bool(left),
    ">": _ordered(operator.gt),
    "<": _ordered(operator.lt),
    ">=": _ordered(operator.ge),
    "<=": _ordered(operator.le),
}
"""How two values are compared, one row per word."""

_TERM = re.compile(
    rf"(?P<name>{NAME})\s+(?:"
    r"(?P<empty>is(?:\s+not)?\s+empty)"
    r"|(?P<in>(?:not\s+)?in)\s*\[(?P<list>[^\]]*)\]"
    r"|(?P<word>is\s+not|is|starts\s+with|>=|<=|>|<)\s*(?P<value>.+)"
    r")",
)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: the variable `name`, the `word` between, the values on the right."""

    name: str
    word: str
    values: tuple[Text, ...] = ()

    def holds(self, values: Mapping[str, str]) -> bool:
        """Tell whether it is so."""
        right = tuple(value.fill(values) for value in self.values)
        return COMPARISONS[self.word](values.get(self.name, ""), right)


@dataclass(frozen=True, slots=True)
class Condition:
    """Alternatives (`or`) of terms that all hold (`and`). `source` is how it was written."""

    alternatives: tuple[tuple[Term, ...], ...]
    source: str

    def holds(self, values: Mapping[str, str]) -> bool:
        """Tell whether it is so."""
        return any(all(term.holds(values) for term in terms) for terms in self.alternatives)

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all variables in it."""
        return frozenset(
            name
            for terms in self.alternatives
            for term in terms
            for name in (term.name, *(each for value in term.values for each in value.names))
        )

    def __str__(self) -> str:
        return self.source


def parse_condition(source: str) -> Condition:
    """Read a condition. Raises ValueError with a sentence."""
    if len(source) > MAX_CONDITION:
        raise ValueError(f"has more than {MAX_CONDITION} characters; ask in several steps")
    alternatives = tuple(
        tuple(_term(part) for part in _split(alternative, "and"))
        for alternative in _split(source, "or")
    )
    return Condition(alternatives, source)


def _split(source: str, word: str) -> list[str]:
    """Split at a word that stands outside quotes, brackets and ${…}."""
    parts, begin = [], 0
    for found in re.finditer(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]|\$\{[^}]*\}|\s(and|or)\s", source):
        if found[1] == word:
            parts.append(source[begin : found.start()])
            begin = found.end()
    return [*parts, source[begin:]]


def _term(source: str) -> Term:
    found = _TERM.fullmatch(source.strip())
    if found is None:
        raise ValueError('is no condition; write NAME is VALUE, such as "customer.level is vip"')
    name = found["name"]
    if found["empty"]:
        return Term(name, " ".join(found["empty"].split()))
    if found["in"]:
        values = tuple(_value(each) for each in found["list"].split(",") if each.strip())
        if not values:
            raise ValueError("has an empty list; write NAME in [one, two]")
        return Term(name, " ".join(found["in"].split()), values)
    return Term(name, " ".join(found["word"].split()), (_value(found["value"]),))


def _value(source: str) -> Text:
    text = source.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return parse_text(text)
