"""Nodes → values, with every problem collected rather than the first one raised.

A converter is a plain function from text to a value that raises ValueError with a sentence ("is no
duration; write 5s, 2m, 1h or 90d"); the reader adds the place. Converters for what both files share
are below: durations, sizes, whole numbers, yes and no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from pbx.marks.diagnosis import full_width_colon
from pbx.marks.problem import SYNTAX, UNKNOWN_KEY, WRONG_TYPE, Problem, did_you_mean
from pbx.marks.tree import ListNode, MapNode, Node, TextNode

T = TypeVar("T")

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Reader:
    """Reads nodes and keeps what is wrong in `problems`. `file` is theirs who know of none."""

    def __init__(self, file: str, problems: Collection[Problem] = ()) -> None:
        self.file = file
        self.problems: list[Problem] = list(problems)

    def problem(self, node: Node, code: str, sentence: str, suggestion: str | None = None) -> None:
        """Note a problem at the place of `node`."""
        file = node.file or self.file
        self.problems.append(Problem(code, file, node.line, node.column, sentence, suggestion))

    def mapping(
        self, node: Node | None, what: str, known: Collection[str] | None = None
    ) -> Mapping[str, tuple[TextNode, Node]]:
        """Return the entries of a map by key; keys outside `known` are problems and left out.

        An absent or empty node is an empty map. `what` names the map in sentences.
        """
        if node is None or (isinstance(node, TextNode) and node.is_null):
            return {}
        if not isinstance(node, MapNode):
            self._no_map(node, what, known or ())
            return {}
        found: dict[str, tuple[TextNode, Node]] = {}
        for key, value in node.entries:
            if known is None or key.value in known:
                found[key.value] = (key, value)
            else:
                suggestion = did_you_mean(key.value, known) or _one_of("write ", known)
                self.problem(key, UNKNOWN_KEY, f'unknown key "{key.value}" in {what}', suggestion)
        return found

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """Return the items of a list; one text stands for a list of one."""
        if isinstance(node, ListNode):
            return node.items
        if isinstance(node, TextNode):
            return () if node.is_null else (node,)
        self.problem(node, WRONG_TYPE, f"{what} must be a list", "write [one, two]")
        return ()

    def text(self, node: Node, what: str) -> str | None:
        """Return a scalar's text, None where it is empty or no scalar."""
        if isinstance(node, TextNode):
            return None if node.is_null else node.value
        lost = _lost_variable(node)
        self.problem(
            node,
            WRONG_TYPE,
            f"{what} must be a text",
            f'did you mean "${{{lost}}}"?' if lost else None,
        )
        return None

    def value(self, node: Node, what: str, convert: Callable[[str], T], default: T) -> T:
        """Return `convert(text)`, and `default` where the node is empty or wrong."""
        text = self.text(node, what)
        if text is None:
            return default
        try:
            return convert(text)
        except ValueError as error:
            self.problem(node, WRONG_TYPE, f'{what}: "{text}" {error}')
            return default

    def _no_map(self, node: Node, what: str, known: Collection[str]) -> None:
        if isinstance(node, TextNode) and (column := full_width_colon(node.value)) is not None:
            at = TextNode(node.value, node.line, node.column + column, file=node.file)
            self.problem(at, SYNTAX, "a full-width colon ：", 'write ": " (colon and space)')
            return
        suggestion = _one_of("KEY is ", known)
        if isinstance(node, TextNode) and re.match(r"[0-9+*#]+:\S", node.value):
            suggestion = 'put a space after the colon: "KEY: VALUE"'
        self.problem(node, WRONG_TYPE, f"{what} must hold lines of KEY: VALUE", suggestion)


MOST_LISTED: Final = 6
"""Keys that a suggestion lists; more of them are for the documentation."""


def _one_of(before: str, known: Collection[str]) -> str | None:
    """Return `before` and the known keys: "zh, yue or en"; None where they are too many."""
    if not 0 < len(known) <= MOST_LISTED:
        return None
    *others, last = known
    return f"{before}{', '.join(others)} or {last}" if others else f"{before}{last}"


def _lost_variable(node: Node) -> str | None:
    """Return NAME of a node written `{NAME}`, which YAML reads as a map with an empty value."""
    if isinstance(node, MapNode) and len(node.entries) == 1:
        key, value = node.entries[0]
        if isinstance(value, TextNode) and value.is_null:
            return key.value
    return None


def duration(text: str) -> float:
    """Return seconds of `90s`, `5m`, `2h` or `7d` (m is always minutes)."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])", text)
    if not found:
        raise ValueError("is no duration; write a number and s, m (minutes), h or d, such as 30s")
    return float(found[1]) * SECONDS[found[2]]


def size(text: str) -> int:
    """Return bytes of `500MB` or `1GB` (powers of ten)."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([kKMGT]?B?)", text)
    if not found or (unit := found[2].upper()) not in BYTES:
        raise ValueError("is no size; write a number and kB, MB, GB or TB, such as 1GB")
    return int(float(found[1]) * BYTES[unit])


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a converter of whole numbers from `low` to `high`."""

    def convert(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or not low <= int(text) <= high:
            raise ValueError(f"is no whole number from {low} to {high}")
        return int(text)

    return convert


def yes_no(text: str) -> bool:
    """Return True for yes, true, on; False for no, false, off."""
    word = text.lower()
    if word in ("yes", "true", "on"):
        return True
    if word in ("no", "false", "off"):
        return False
    raise ValueError("is neither yes nor no")


def one_of(*words: str) -> Callable[[str], str]:
    """Return a converter that takes one of `words` only."""

    def convert(text: str) -> str:
        if text in words:
            return text
        near = did_you_mean(text, words)
        raise ValueError(f"is none of {', '.join(words)}" + (f" — {near}" if near else ""))

    return convert
