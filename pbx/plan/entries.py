"""The named things of a section: their names, clashes between files, and `like`.

`like: NAME` copies whole keys of another thing of the same section; a key of its own replaces the
whole key. The copy is made of nodes, so that each value keeps the place where it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pbx.marks import MapNode, Node, TextNode
from pbx.marks.problem import DUPLICATE_KEY, ENDLESS, WRONG_TYPE
from pbx.plan.reading import PlanReader

LIKE: Final = "like"
THING: Final = r"\w[\w-]{0,63}"
"""What things may be called."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One named thing: `key` is where its name stands, `copied` the keys that `like` brought.

    It is `incomplete` where nothing has the name that it is `like`, which is told elsewhere.
    """

    name: str
    key: TextNode
    node: Node
    copied: frozenset[str] = frozenset()
    incomplete: bool = False


def read_entries(
    reader: PlanReader, parts: Sequence[Node], section: str, kind: str | None, pattern: str = THING
) -> list[Entry]:
    """Return the entries of a section, over all files; their names are defined as `kind`."""
    found: dict[str, Entry] = {}
    for part in parts:
        for name, (key, node) in reader.mapping(part, section).items():
            if first := found.get(name):
                sentence = f'"{name}" stands twice in {section}, first at {_place(first.key)}'
                reader.problem(key, DUPLICATE_KEY, sentence, "give one of the two another name")
                continue
            found[name] = Entry(name, key, node)
            if kind is not None:
                reader.names.define(kind, name, key)
    _tell_odd_names(reader, found, section, pattern)
    if kind is not None:
        copying = _Copying(reader, found, section, kind)
        return [copying.copied(entry) for entry in found.values()]
    return list(found.values())


def _tell_odd_names(
    reader: PlanReader, found: Mapping[str, Entry], section: str, pattern: str
) -> None:
    for name, entry in found.items():
        if not re.fullmatch(pattern, name):
            plain = re.sub(r"\W+", "_", name).strip("_")
            if not re.fullmatch(pattern, plain):
                plain = plain.lower()
            suggestion = f"write {plain}" if re.fullmatch(pattern, plain) else None
            sentence = f'{section}: "{name}" cannot be a name here'
            reader.problem(entry.key, WRONG_TYPE, sentence, suggestion)


def _place(node: Node) -> str:
    return f"{node.file}:{node.line}"


@dataclass(slots=True)
class _Copying:
    """Fills in what `like` copies, for the entries of one section, each once."""

    reader: PlanReader
    entries: Mapping[str, Entry]
    section: str
    kind: str
    done: dict[str, Entry] = field(default_factory=dict)

    def copied(self, entry: Entry) -> Entry:
        """Return the entry with the keys of those that it is like."""
        chain: dict[str, Entry] = {}
        following: Entry | None = entry
        while following is not None and following.name not in self.done:
            if following.name in chain:
                self._tell_circle(list(chain.values())[list(chain).index(following.name) :])
                following = None
            else:
                chain[following.name] = following
                following = self._following(following)
        base = self.done.get(following.name) if following is not None else None
        for each in reversed(chain.values()):
            base = self.done[each.name] = _merged(each, base)
        return self.done[entry.name]

    def _following(self, entry: Entry) -> Entry | None:
        """Return the entry that this one is like; what is wrong with its name is noted."""
        like = _like(entry)
        if like is None:
            return None
        name = self.reader.name(like, self.kind, f"{self.section}.{entry.name} like")
        return self.entries.get(name or "")

    def _tell_circle(self, circle: Sequence[Entry]) -> None:
        names = " → ".join(each.name for each in (*circle, circle[0]))
        sentence = f"{self.section}: like goes in a circle: {names}"
        at = _like(circle[0]) or circle[0].key
        self.reader.problem(at, ENDLESS, sentence, "remove one of them")


def _like(entry: Entry) -> Node | None:
    return entry.node.get(LIKE) if isinstance(entry.node, MapNode) else None


def _merged(entry: Entry, base: Entry | None) -> Entry:
    """Return an entry with the keys of `base` that it does not have itself."""
    if not isinstance(entry.node, MapNode) or _like(entry) is None:
        return entry
    own = {key.value: (key, node) for key, node in entry.node.entries if key.value != LIKE}
    if base is None:
        return replace(
            entry, node=replace(entry.node, entries=tuple(own.values())), incomplete=True
        )
    theirs = base.node.entries if isinstance(base.node, MapNode) else ()
    keys = {key.value: (key, node) for key, node in theirs} | own
    return replace(
        entry,
        node=replace(entry.node, entries=tuple(keys.values())),
        copied=frozenset(keys.keys() - own.keys()),
        incomplete=base.incomplete,
    )
