"""Section `menus`: what keys do.

menus:
  main:
    prompt: [welcome, main_menu]
    keys: {1: flow:order_status, 2: {language: yue, goto: back}, "#": repeat}
    dial_extension: 1000-1999
    no_input: [repeat, {say: are_you_there, then: repeat}, operator]
    give_up: operator
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pbx.marks import ListNode, Node
from pbx.marks.problem import KEY_IS_EXTENSION, KEY_WAITS, MISSING_OUTCOME, WRONG_TYPE
from pbx.plan.arguments import Names, YesNo
from pbx.plan.entries import Entry
from pbx.plan.fields import Converted, Key, Keys, Schema
from pbx.plan.model import Choice, Menu
from pbx.plan.names import mark_of
from pbx.plan.reading import PlanReader
from pbx.plan.sections.defaults import TIMING
from pbx.plan.sections.section import things
from pbx.plan.step import Mark
from pbx.plan.steps import read_choice

_CHOICE: Schema = {"$ref": "#/$defs/choice"}
_KEYED: Final = re.compile(r"[0-9*#]{1,8}")


@dataclass(frozen=True, slots=True)
class Follows:
    """Where a key leads: a destination, or verbs in order with a last `goto`."""

    written: ClassVar[str] = "kind:name, or {say: NAME, then: repeat}"

    def read(self, reading: PlanReader, node: Node, what: str) -> Choice | None:
        """Return a destination, or steps."""
        return read_choice(reading, node, what)

    def schema(self) -> Schema:
        """Return a reference to what a choice is."""
        return _CHOICE


@dataclass(frozen=True, slots=True)
class Tries:
    """What follows each try: one for all, or a list with one for each."""

    written: ClassVar[str] = "repeat, or one for each try: [repeat, operator]"

    def read(self, reading: PlanReader, node: Node, what: str) -> tuple[Choice, ...] | None:
        """Return one choice or several."""
        nodes = node.items if isinstance(node, ListNode) else (node,)
        choices = [read_choice(reading, each, what) for each in nodes]
        return tuple(choice for choice in choices if choice is not None)

    def schema(self) -> Schema:
        """Return one or many."""
        return {"anyOf": [_CHOICE, {"type": "array", "items": _CHOICE, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class KeyMap:
    """Keys and what follows each."""

    written: ClassVar[str] = "{1: menu:sales, 0: operator}"

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[str, Any] | None:
        """Return the fields `keys` and `key_marks`."""
        choices: dict[str, Choice] = {}
        marks: dict[str, Mark] = {}
        entries = reading.mapping(node, what)
        for keyed, (key, value) in entries.items():
            if not _KEYED.fullmatch(keyed):
                suggestion = "write 0-9, * or #, or several digits; * and # in quotes"
                if keyed in KEYS:
                    suggestion = "it stands beside keys: indent it less"
                sentence = f'{what}: "{keyed}" is no key of a phone'
                reading.problem(key, WRONG_TYPE, sentence, suggestion)
                continue
            choice = read_choice(reading, value, f"{what.removesuffix(' keys')} key {keyed}")
            if choice is not None:
                choices[keyed] = choice
                marks[keyed] = mark_of(key)
        return {"keys": choices, "key_marks": marks}

    def schema(self) -> Schema:
        """Return a map of choices."""
        pattern = {f"^{_KEYED.pattern}$": _CHOICE}
        return {"type": "object", "patternProperties": pattern, "additionalProperties": False}


def _extensions(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"([0-9]{2,10})\s*(?:-\s*([0-9]{2,10}))?", text)
    first, last = (found[1], found[2] or found[1]) if found else ("", "")
    if not found or len(first) != len(last) or first > last:
        raise ValueError("is no range of extensions — write 1000-1999")
    return first, last


KEYS: Keys = {
    "prompt": Key("prompt", Names("prompt"), required=True),
    "keys": Key("", KeyMap(), required=True),
    "dial_extension": Key(
        "extensions", Converted(_extensions, "1000-1999", {"type": ["string", "integer"]})
    ),
    "no_input": Key("no_input", Tries()),
    "invalid": Key("invalid", Tries()),
    "give_up": Key("give_up", Follows(), required=True, code=MISSING_OUTCOME),
    **TIMING,
    "interrupt": Key("interrupt", YesNo()),
}


def _build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> Menu | None:
    menu = Menu(**{"keys": {}, **fields})
    if menu.extensions is not None and "keys" not in entry.copied:
        for key, mark in menu.key_marks.items():
            _compare(reader, menu, menu.extensions, key, mark)
    return menu


def _compare(
    reader: PlanReader, menu: Menu, extensions: tuple[str, str], key: str, mark: Mark
) -> None:
    """Tell of a key that is an extension, or that an extension begins with."""
    first, last = extensions
    if len(key) == len(first) and first <= key <= last:
        sentence = f"menus.{menu.name}: key {key} is also an extension of dial_extension"
        reader.problem_at(mark, KEY_IS_EXTENSION, sentence, "give the key other digits")
    elif len(key) < len(first) and first[: len(key)] <= key <= last[: len(key)]:
        sentence = f"menus.{menu.name}: key {key} begins extensions of {first}-{last}"
        suggestion = "callers who press it wait for between_keys"
        reader.problem_at(mark, KEY_WAITS, sentence, suggestion)


SECTION = things("menus", "menu", KEYS, _build)
