"""YAML text → a tree of nodes with marks.

The tree is built from PyYAML's events, not by its constructors: nothing is resolved, so all scalars
are text. What YAML has beyond maps, lists and text — anchors, aliases, tags, merges, several
documents — is refused, which also leaves no way to blow a small file up. libyaml parses, where
PyYAML was built with it; what it refuses the pure-Python parser reads again, whose error marks are
the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml import events as yaml_events

from pbx.marks.diagnosis import diagnose, full_width_colon
from pbx.marks.problem import DUPLICATE_KEY, LOST_KEY, SYNTAX, Problem

SWALLOWED = re.compile(
    r"\s*(?:-\s+)?(?:[a-z_]+\s*：|[\"']?[0-9*#+]+[\"']?\s*：\s*[a-z_]+(?::\S+)?\s*(?:#.*)?$)"
)
"""A line meant as KEY: VALUE, rather than as words of a text that goes on."""

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40

TOO_LONG: Final = f"the file is longer than {MAX_CHARACTERS:,} characters"

SECTION = re.compile(r"[a-z_]+:(?:\s|$)")
"""The first line of a section."""

LONG = 30_000
"""Characters that take the slow parser a few tenths of a second."""

NEAR = 5
"""Lines before and after an error within which its cause is looked for at least."""

_SLOW: Final[Any] = yaml.BaseLoader
_FAST: Final[Any] = getattr(yaml, "CBaseLoader", _SLOW)

HASH_KEY = re.compile(r"\s*(#+)\s*:\s+[a-z_]+(?::\S+)?\s*$")
"""A `#` meant as a key: followed by a colon and nothing but a destination."""


@dataclass(frozen=True, slots=True)
class TextNode:
    """A scalar, always text. `plain` tells that it stands without quotes."""

    value: str
    line: int
    column: int
    plain: bool = True
    file: str = ""

    @property
    def is_null(self) -> bool:
        """Tell whether nothing is written here (empty, `null` or `~`, without quotes)."""
        return self.plain and self.value in ("", "null", "~")


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    items: tuple[Node, ...]
    line: int
    column: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; keys are text and stand once."""

    entries: tuple[tuple[TextNode, Node], ...]
    line: int
    column: int
    file: str = ""

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, None where it is absent."""
        return next((value for name, value in self.entries if name.value == key), None)


Node = TextNode | ListNode | MapNode


@dataclass(frozen=True, slots=True)
class Tree:
    """A file as read: its root, None where it is empty or cannot be parsed, and its problems."""

    file: str
    root: Node | None
    problems: tuple[Problem, ...]


def read_tree(text: str, file: str) -> Tree:
    """Parse `text`; `file` is the name that problems show."""
    if len(text) > MAX_CHARACTERS:
        return Tree(file, None, (Problem(SYNTAX, file, 1, 1, TOO_LONG),))
    slowly = [text]
    try:
        return _compose(text, file, _FAST)
    except yaml.MarkedYAMLError as error:
        if len(text) > LONG:
            slowly.insert(0, _around(text, error))
    except (yaml.YAMLError, UnicodeEncodeError):
        pass  # a character that YAML does not allow, which the other parser sees at once
    try:
        for part in slowly:
            tree = _compose(part, file, _SLOW)
        return tree
    except yaml.YAMLError as error:
        return Tree(file, None, (diagnose(text, error, file),))


def _around(text: str, error: yaml.MarkedYAMLError) -> str:
    """Return the text with nothing but the sections around an error, in their lines.

    The slow parser takes seconds for a large file; the cause is seldom further away.
    """
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None]
    lines = text.splitlines(keepends=True)
    begin, end = max(0, min(marks, default=0) - NEAR), max(marks, default=len(lines)) + NEAR
    while begin > 0 and not SECTION.match(lines[min(begin, len(lines) - 1)]):
        begin -= 1
    while end < len(lines) and not SECTION.match(lines[end]):
        end += 1
    return "\n" * begin + "".join(lines[begin:end])


def _compose(text: str, file: str, parser: Any) -> Tree:
    composer = _Composer(file, text)
    try:
        root = composer.compose(yaml.parse(text, Loader=parser))
    except _Unusable as unusable:
        return Tree(file, None, (*composer.problems, unusable.problem))
    return Tree(file, root, (*composer.problems, *_lost_hash_keys(text, file)))


def _lost_hash_keys(text: str, file: str) -> Iterator[Problem]:
    """Yield the lines such as `#: operator`, which YAML drops as comments."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := HASH_KEY.match(line):
            column = found.start(1) + 1
            sentence = "this line is a comment in YAML: its # key is lost"
            yield Problem(LOST_KEY, file, number, column, sentence, f'quote it: "{found[1]}":')


class _Unusable(Exception):
    """Composing cannot go on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


@dataclass(slots=True)
class _Composer:
    """Builds nodes from parser events."""

    file: str
    text: str
    problems: list[Problem] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)

    def compose(self, parsed: Iterator[yaml_events.Event]) -> Node | None:
        root: Node | None = None
        for event in parsed:
            if isinstance(event, yaml_events.DocumentStartEvent):
                if root is not None:
                    raise self._unusable(event, "the file holds a second document", 'remove "---"')
            elif isinstance(event, yaml_events.NodeEvent):
                root = self._node(event, parsed, depth=0)
        return root

    def _node(
        self, event: yaml_events.Event, parsed: Iterator[yaml_events.Event], *, depth: int
    ) -> Node:
        if depth > MAX_DEPTH:
            raise self._unusable(event, f"more than {MAX_DEPTH} levels inside one another")
        line, column = _place(event)
        if isinstance(event, yaml_events.AliasEvent):
            raise self._alias(event, SYNTAX)
        self._refuse_extras(event)
        if isinstance(event, yaml_events.ScalarEvent):
            last = event.end_mark.line + 1 if event.end_mark else line
            if last > line and not event.style:
                self._check_swallowed(line, last)
            return TextNode(event.value, line, column, not event.style, self.file)
        if isinstance(event, yaml_events.SequenceStartEvent):
            return ListNode(tuple(self._items(parsed, depth=depth)), line, column, self.file)
        return MapNode(tuple(self._entries(parsed, depth=depth)), line, column, self.file)

    def _items(self, parsed: Iterator[yaml_events.Event], *, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(parsed), yaml_events.SequenceEndEvent):
            yield self._node(event, parsed, depth=depth + 1)

    def _entries(
        self, parsed: Iterator[yaml_events.Event], *, depth: int
    ) -> Iterator[tuple[TextNode, Node]]:
        seen: dict[str, TextNode] = {}
        while not isinstance(event := next(parsed), yaml_events.MappingEndEvent):
            if isinstance(event, yaml_events.AliasEvent):
                raise self._alias(event, LOST_KEY)
            key = self._node(event, parsed, depth=depth + 1)
            value = self._node(next(parsed), parsed, depth=depth + 1)
            if not isinstance(key, TextNode):
                raise self._unusable(event, "a key must be a word", "quote it")
            if key.plain and key.value == "<<":
                raise self._unusable(event, '"<<" is not supported', "use like: NAME")
            if first := seen.get(key.value):
                self._problem(
                    event,
                    DUPLICATE_KEY,
                    f'"{key.value}" stands twice, first on line {first.line}',
                    "remove one of the two",
                )
                continue
            seen[key.value] = key
            yield key, value

    def _check_swallowed(self, first: int, last: int) -> None:
        """Tell of lines behind the `first` of a text, counted from 1, that a full-width colon made
        part of it."""
        if not self._lines:
            self._lines = self.text.splitlines()
        for number, line in enumerate(self._lines[first:last], start=first + 1):
            column = full_width_colon(line)
            if column is not None and SWALLOWED.match(line):
                sentence, suggestion = "a full-width colon ：", 'write ": " (colon and space)'
                place = (number, column + 1)
                self.problems.append(Problem(SYNTAX, self.file, *place, sentence, suggestion))

    def _refuse_extras(self, event: yaml_events.Event) -> None:
        anchor: str | None = getattr(event, "anchor", None)
        if anchor:
            sentence = f'"&{anchor}" is an anchor, which is not supported'
            raise self._unusable(event, sentence, f'quote it: "&{anchor}"')
        tag: str | None = getattr(event, "tag", None)
        if tag and tag != "!":
            raise self._unusable(event, "tags (words after !) are not supported", "quote the value")

    def _alias(self, event: yaml_events.AliasEvent, code: str) -> _Unusable:
        word = f"*{event.anchor}".rstrip(":")
        sentence = f"{word} without quotes is not a text in YAML"
        return _Unusable(Problem(code, self.file, *_place(event), sentence, f'quote it: "{word}"'))

    def _problem(
        self, event: yaml_events.Event, code: str, sentence: str, suggestion: str | None
    ) -> None:
        self.problems.append(Problem(code, self.file, *_place(event), sentence, suggestion))

    def _unusable(
        self, event: yaml_events.Event, sentence: str, suggestion: str | None = None
    ) -> _Unusable:
        return _Unusable(Problem(SYNTAX, self.file, *_place(event), sentence, suggestion))


def _place(event: yaml_events.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
