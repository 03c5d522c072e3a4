"""The named things of a section: their names, clashes between files, and `like`.

`like: NAME` copies whole keys of another thing of the same section; a key of its own replaces the
whole key. The copy is made of nodes, so that each value keeps the place where it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    """Fills in what `like` copies, for the entries of one section."""

    reader: PlanReader
    entries: Mapping[str, Entry]
    section: str
    kind: str

    def copied(self, entry: Entry) -> Entry:
        """Return the entry with the keys of those that it is like."""
        chain = self._chain(entry)
        keys: dict[str, tuple[TextNode, Node]] = {}
        for each in reversed(chain):
            if isinstance(each.node, MapNode):
                keys.update((key.value, (key, node)) for key, node in each.node.entries)
        keys.pop(LIKE, None)
        if not isinstance(entry.node, MapNode) or entry.node.get(LIKE) is None:
            return entry
        own = {key.value for key, _ in entry.node.entries}
        node = replace(entry.node, entries=tuple(keys.values()))
        end = chain[-1].node
        incomplete = isinstance(end, MapNode) and end.get(LIKE) is not None
        return replace(entry, node=node, copied=frozenset(keys) - own, incomplete=incomplete)

    def _chain(self, entry: Entry) -> list[Entry]:
        """Return the entry, the one that it is like, the one that that is like, …"""
        chain = [entry]
        while (following := self._following(chain[-1], last=len(chain) > 1)) is not None:
            if following in chain:
                if following is entry:
                    self._tell_circle(chain)
                break
            chain.append(following)
        return chain

    def _following(self, entry: Entry, *, last: bool) -> Entry | None:
        like = entry.node.get(LIKE) if isinstance(entry.node, MapNode) else None
        if like is None:
            return None
        what = f"{self.section}.{entry.name} like"
        if last:  # the entry itself tells what is wrong with its own `like`
            with self.reader.muted():
                name = self.reader.name(like, self.kind, what)
        else:
            name = self.reader.name(like, self.kind, what)
        return self.entries.get(name or "")

    def _tell_circle(self, chain: Sequence[Entry]) -> None:
        names = " → ".join(each.name for each in (*chain, chain[0]))
        like = chain[0].node.get(LIKE) if isinstance(chain[0].node, MapNode) else None
        sentence = f"{self.section}: like goes in a circle: {names}"
        self.reader.problem(like or chain[0].key, ENDLESS, sentence, "remove one of them")
