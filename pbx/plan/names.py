"""Names: what the sections define, and where it is referred to.

A menu may lead to a queue that stands further down or in another file, so references are kept while
sections are read and looked up once all of them are. Each kind of thing has names of its own, over
all files of a dialplan.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pbx.marks import Node
from pbx.plan.step import Mark

SECTION_OF: Final[Mapping[str, str]] = {
    "prompt": "prompts",
    "hours": "hours",
    "lookup": "lookups",
    "flow": "flows",
    "menu": "menus",
    "ring": "ring_groups",
    "queue": "queues",
    "voicemail": "voicemail",
    "survey": "surveys",
    "conference": "conferences",
    "outbound": "outbound",
}
"""Kind of a name → the section that defines it."""

TITLES: Final[Mapping[str, str]] = {
    "ring": "ring group",
    "voicemail": "voicemail box",
    "outbound": "outbound rule",
}
"""What a kind is called in a sentence, where that is another word."""

MOST_SUGGESTIONS = 100
"""Names that are compared letter by letter, in one reading: more take too long and help nobody."""

_FULL_WIDTH: Final = str.maketrans(
    {"，": ",", "：": ":", "　": " ", **dict.fromkeys("“”‘’", "")}
    | {chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94)}
)


def plain_spelling(text: str) -> str:
    """Return a text with characters of full width, and without quotes, that an input method made of
    what was meant."""
    return text.translate(_FULL_WIDTH).strip()


def mark_of(node: Node) -> Mark:
    """Return the place of a node."""
    return Mark(node.file, node.line, node.column)


@dataclass(frozen=True, slots=True)
class Reference:
    """The place `node` says `name`, which is a `kind`; `what` says it there."""

    kind: str
    name: str
    node: Node
    what: str


class Names:
    """What is defined and referred to in one dialplan."""

    def __init__(self) -> None:
        self._defined: dict[str, dict[str, Node]] = {kind: {} for kind in SECTION_OF}
        self.references: list[Reference] = []
        self._suggestions = 0

    def define(self, kind: str, name: str, node: Node) -> None:
        """Note that `name` stands at `node`."""
        self._defined[kind][name] = node

    def refer(self, kind: str, name: str, node: Node, what: str) -> None:
        """Note that `node` means the `kind` of that name."""
        self.references.append(Reference(kind, name, node, what))

    def undefined(self) -> Iterator[Reference]:
        """Yield the references to what there is not."""
        return (each for each in self.references if each.name not in self._defined[each.kind])

    def suggestion(self, kind: str, name: str, node: Node) -> str:
        """Return what to do about the unknown `name` at `node`: the nearest name with its line."""
        known = self._defined[kind]
        if any(mark in name for mark in "，、"):
            return 'write ", " between names, instead of a comma of full width'
        plain = plain_spelling(name)
        if plain != name and plain in known:
            return f"write {plain}, in ASCII characters"
        self._suggestions += 1
        if self._suggestions <= MOST_SUGGESTIONS:
            for near in difflib.get_close_matches(name, known, n=1):
                at = known[near]
                place = f"line {at.line}" if at.file == node.file else f"{at.file}:{at.line}"
                return f'did you mean "{near}" ({place})?'
        return f"write it under {SECTION_OF[kind]}"
