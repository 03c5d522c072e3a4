"""The files of a dialplan: the first, and those that its `defaults.include` names.

    defaults: {include: [dialplan.d/*.yaml]}

Patterns are relative to the folder of the first file, and what they match stays below it, links
followed: an include can read nothing that is not the office's. A pattern that matches nothing is
fine. Included files include nothing themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from pbx.errors import ConfigError
from pbx.marks import ListNode, MapNode, Node, Problem, TextNode, Tree, read_tree
from pbx.marks.encoding import decoded
from pbx.marks.problem import SYNTAX, WRONG_TYPE
from pbx.marks.tree import MAX_CHARACTERS, TOO_LONG
from pbx.plan.reading import PlanReader

MAX_BYTES: Final = 4 * MAX_CHARACTERS + 4
"""More than this no text of the allowed length is."""

MOST_FILES: Final = 200

MOST_CHARACTERS: Final = 4 * MAX_CHARACTERS
"""Of all included files together."""


def read_first(path: Path) -> str | Problem:
    """Return the text of a dialplan, or why it is none. Raises ConfigError where it cannot be
    read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    except FileNotFoundError:
        hint = "; callpbx init writes one" if path.name == "dialplan.yaml" else ""
        raise ConfigError(f"{path} does not exist{hint}") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    return _decoded(content, path.name)


def _decoded(content: bytes, name: str) -> str | Problem:
    if len(content) == MAX_BYTES:  # whose last character may be cut in two
        return Problem(SYNTAX, name, 1, 1, TOO_LONG, "put parts of it into files of their own")
    return decoded(content, name)


def included(reader: PlanReader, first: Path, root: Node | None) -> Iterator[tuple[str, Tree]]:
    """Yield text and tree of each file that `first`, whose root is given, includes; by name."""
    folder = first.parent
    seen, left = {first.resolve()}, MOST_CHARACTERS
    for pattern in _patterns(root):
        for path in _matches(reader, folder, pattern):
            where = path.resolve()
            if where in seen or not path.is_file():
                continue
            seen.add(where)
            name = path.relative_to(folder).as_posix()
            if not where.is_relative_to(folder.resolve()):
                sentence = f"include: {name} leads out of the office's folder"
                reader.problem(pattern, WRONG_TYPE, sentence, "copy the file into it")
                continue
            if len(seen) > MOST_FILES:
                sentence = f"include: more than {MOST_FILES} files"
                reader.problem(pattern, WRONG_TYPE, sentence, "put several of them into one")
                return
            text = _text(reader, pattern, path, name)
            if text is None:
                continue
            left -= len(text)
            if left < 0:
                sentence = f"include: more than {MOST_CHARACTERS:,} characters in all files"
                reader.problem(pattern, WRONG_TYPE, sentence, "remove what is not used any more")
                return
            yield text, read_tree(text, name)


def _patterns(root: Node | None) -> Iterator[TextNode]:
    """Yield the patterns; what else stands there is told when the section is read."""
    defaults = root.get("defaults") if isinstance(root, MapNode) else None
    include = defaults.get("include") if isinstance(defaults, MapNode) else None
    for node in include.items if isinstance(include, ListNode) else (include,):
        if isinstance(node, TextNode) and not node.is_null and node.value.strip():
            yield node


def _matches(reader: PlanReader, folder: Path, pattern: TextNode) -> list[Path]:
    path = PurePosixPath(pattern.value)
    sentence = suggestion = None
    if path.is_absolute() or ".." in path.parts or "\0" in pattern.value:
        sentence = f'include: "{pattern.value}" leads out of the office\'s folder'
        suggestion = "write it relative to dialplan.yaml, such as dialplan.d/*.yaml"
    elif "**" in pattern.value:
        sentence = f'include: "{pattern.value}" would search every folder'
        suggestion = "name the folder: dialplan.d/*.yaml"
    if sentence is not None:
        reader.problem(pattern, WRONG_TYPE, sentence, suggestion)
        return []
    try:
        return sorted(folder.glob(pattern.value))
    except (OSError, ValueError, NotImplementedError) as error:
        reader.problem(pattern, WRONG_TYPE, f'include: "{pattern.value}" is no pattern: {error}')
        return []


def _text(reader: PlanReader, pattern: TextNode, path: Path, name: str) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    except OSError as error:
        sentence = f"include: {name} cannot be read: {error.strerror}"
        reader.problem(pattern, WRONG_TYPE, sentence)
        return None
    text = _decoded(content, name)
    if isinstance(text, Problem):
        reader.problems.append(text)
        return None
    return text


def version_of(texts: Iterable[str]) -> str:
    """Return a short hash of the texts of all files, in their order."""
    digest = hashlib.sha256()
    for number, text in enumerate(texts):
        digest.update(b"\0" * (number > 0) + text.encode("utf-8", "replace"))
    return digest.hexdigest()[:12]
