"""Reads the nodes of a dialplan: what `pbx.marks.Reader` does, and places, names, values.

One `PlanReader` reads all files of a dialplan; nodes know their file. It is the `Reading` that
types of arguments ask. What is copied with `like` is read a second time with `muted`, so that a
mistake in it is told once, where it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pbx.marks import Node, Problem, Reader, TextNode, did_you_mean
from pbx.marks.problem import UNDEFINED, UNKNOWN_KEY, WRONG_TYPE
from pbx.plan.destination import KINDS, WORDS, Destination
from pbx.plan.names import TITLES, Names, plain_spelling
from pbx.plan.step import Mark
from pbx.plan.vocabulary import Vocabulary

EXTENSION = r"[0-9]{2,10}"
NUMBER = r"\+?[0-9*#]{1,32}"

_SHAPES = {
    "ext": (EXTENSION, "is no extension number", "write ext: and digits, such as ext:101"),
    "number": (NUMBER, "is no number", "write number: and digits, such as number:13800138000"),
}
"""Kinds whose names no section defines → what they look like."""


class PlanReader(Reader):
    """Reads the nodes of all files of one dialplan."""

    def __init__(self, file: str, vocabulary: Vocabulary) -> None:
        super().__init__(file)
        self.vocabulary = vocabulary
        self.names = Names()
        self.timezone = "Asia/Shanghai"
        self.country = "CN"
        self._muted = False

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Note no problem and no reference within the block."""
        before, self._muted = self._muted, True
        try:
            yield
        finally:
            self._muted = before

    def problem(self, node: Node, code: str, sentence: str, suggestion: str | None = None) -> None:
        """Note a problem at the place of `node`."""
        if not self._muted:
            super().problem(node, code, sentence, suggestion)

    def problem_at(
        self, mark: Mark, code: str, sentence: str, suggestion: str | None = None
    ) -> None:
        """Note a problem at the place of what was read before."""
        self.problems.append(Problem(code, mark.file, mark.line, mark.column, sentence, suggestion))

    def text(self, node: Node, what: str) -> str | None:
        """Return a scalar's text; None where there is none, which is noted."""
        if isinstance(node, TextNode) and node.is_null:
            self.problem(node, WRONG_TYPE, f"{what} is missing: nothing stands behind the colon")
            return None
        return super().text(node, what)

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """Return the items of a list; one text stands for a list of one; none is noted."""
        items = super().items(node, what)
        if not items and isinstance(node, TextNode):
            self.text(node, what)
        return items

    def refer(self, node: Node, kind: str, name: str, what: str) -> None:
        """Note that `node` refers to something by name."""
        if not self._muted:
            self.names.refer(kind, name, node, what)

    def name(self, node: Node, kind: str, what: str) -> str | None:
        """Return a name of that kind; whether it exists is told once all is read."""
        text = self.text(node, what)
        if text is None:
            return None
        word, colon, rest = text.partition(":")
        if colon and rest and word == kind:
            self.problem(node, WRONG_TYPE, f"{what}: the name alone stands here", f"write {rest}")
            return None
        self.refer(node, kind, text, what)
        return text

    def destination(self, node: Node, what: str) -> Destination | None:
        """Return a destination; whether it exists is told once all is read."""
        text = self.text(node, what)
        if text is None:
            return None
        kind, colon, name = text.partition(":")
        if not colon:
            if text in WORDS:
                return Destination(text)
            self._tell_no_destination(node, text, what)
            return None
        if kind not in KINDS:
            sentence = f'{what}: unknown kind of destination "{kind}"'
            self.problem(node, UNKNOWN_KEY, sentence, did_you_mean(kind, KINDS))
            return None
        return self._placed(node, kind, name, what)

    def _placed(self, node: Node, kind: str, name: str, what: str) -> Destination | None:
        if "$" in name:
            sentence = f"{what}: a destination is written out; no value stands in it"
            self.problem(
                node, WRONG_TYPE, sentence, "use choose: for places that depend on a value"
            )
            return None
        if kind in _SHAPES:
            pattern, sentence, suggestion = _SHAPES[kind]
            if not re.fullmatch(pattern, name):
                if any(mark in name for mark in "，、"):
                    suggestion = 'write ", " between places, instead of a comma of full width'
                elif re.fullmatch(pattern, plain_spelling(name)):
                    suggestion = f"write {kind}:{plain_spelling(name)}, in ASCII characters"
                self.problem(node, WRONG_TYPE, f'{what}: "{name}" {sentence}', suggestion)
                return None
        elif name != name.strip() or not name:
            self.problem(
                node, WRONG_TYPE, f'{what}: "{kind}:{name}" names no {kind}', f"write {kind}:NAME"
            )
            return None
        elif kind != "voicemail" or not re.fullmatch(EXTENSION, name):
            self.refer(node, kind, name, what)  # an extension has its box without being named
        return Destination(kind, name)

    def _tell_no_destination(self, node: Node, text: str, what: str) -> None:
        suggestion = did_you_mean(text, WORDS)
        plain = plain_spelling(text)
        if re.fullmatch(EXTENSION, text):
            suggestion = f"write ext:{text}"
        elif plain != text and (plain in WORDS or ":" in plain):
            suggestion = f"write {plain}, in ASCII characters"
        elif text in KINDS:
            suggestion = f"write {text}:NAME"
        sentence = f'{what}: "{text}" is no destination'
        self.problem(node, WRONG_TYPE, sentence, suggestion or "write kind:name, such as menu:main")

    def resolve(self) -> None:
        """Tell of each name that nothing has, unless something else is wrong at its place."""
        told = {(each.file, each.line, each.column) for each in self.problems}
        for reference in self.names.undefined():
            kind, name, node = reference.kind, reference.name, reference.node
            if (node.file, node.line, node.column) in told:
                continue
            sentence = f'{reference.what}: unknown {TITLES.get(kind, kind)} "{name}"'
            self.problem(node, UNDEFINED, sentence, self.names.suggestion(kind, name, node))
