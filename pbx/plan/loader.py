"""dialplan.yaml → `Plan`, or all that is wrong with it.

All problems of all files are found in one reading, each with its file, line, column and stable code
(docs/dialplan.md lists them). Sections are read one after the other by their rows in
`pbx/plan/sections`; once all are, names are looked up. What only the plan as a whole shows — places
that nobody reaches, circles, variables that nobody sets — is for `pbx/ivr/check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pbx.marks import MapNode, Node, Problem, Tree, read_tree
from pbx.marks.problem import UNKNOWN_KEY, WRONG_TYPE
from pbx.plan.files import included, read_first, version_of
from pbx.plan.model import Plan
from pbx.plan.names import Reference
from pbx.plan.reading import PlanReader
from pbx.plan.sections import SECTIONS
from pbx.plan.vocabulary import Vocabulary

FORMAT_VERSION: Final = "1"
VERSION: Final = "version"
FIRST_ONLY: Final = "defaults"
"""The section that stands in the first file alone."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A dialplan as read. `plan` holds what could be read, whether `usable` or not; `references`
    are all places that name something."""

    plan: Plan
    problems: tuple[Problem, ...]
    references: tuple[Reference, ...] = ()

    @property
    def usable(self) -> bool:
        """Tell whether there is no error, warnings aside."""
        return all(problem.severity != "error" for problem in self.problems)


def load_plan(path: Path, vocabulary: Vocabulary) -> Plan:
    """Read a dialplan; raises ConfigError for its first error."""
    reading = read_plan(path, vocabulary)
    for problem in reading.problems:
        if problem.severity == "error":
            raise problem.error()
    return reading.plan


def check_plan(path: Path, vocabulary: Vocabulary) -> tuple[Plan | None, list[Problem]]:
    """Read a dialplan and return it with all problems, file by file from top to bottom; None where
    it cannot be used.

    Raises ConfigError where there is no such file.
    """
    return _result(read_plan(path, vocabulary))


def parse_plan(text: str, file: str, vocabulary: Vocabulary) -> tuple[Plan | None, list[Problem]]:
    """Do the same with a text, which includes nothing; `file` is the name that problems show."""
    return _result(read_text(text, file, vocabulary))


def read_plan(path: Path, vocabulary: Vocabulary) -> Reading:
    """Read a dialplan and all that it includes. Raises ConfigError where there is no such file."""
    text = read_first(path)
    if isinstance(text, Problem):
        return Reading(Plan(""), (text,))
    return read_text(text, path.name, vocabulary, path)


def read_text(text: str, file: str, vocabulary: Vocabulary, path: Path | None = None) -> Reading:
    """Read a dialplan of this text. `path` is its place, from which it includes others; without
    one it includes nothing."""
    reader = PlanReader(file, vocabulary)
    first = read_tree(text, file)
    others = list(included(reader, path, first.root)) if path is not None else []
    trees = [first, *(tree for _, tree in others)]
    version = version_of([text, *(text for text, _ in others)])
    fields = _fields(reader, trees)
    plan = Plan(version, **fields, files=tuple(tree.file for tree in trees))
    order = {tree.file: number for number, tree in enumerate(trees)}
    problems = sorted(
        (*(problem for tree in trees for problem in tree.problems), *reader.problems),
        key=lambda each: (order.get(each.file, len(order)), each.line, each.column),
    )
    return Reading(plan, tuple(problems), tuple(reader.names.references))


def _result(reading: Reading) -> tuple[Plan | None, list[Problem]]:
    return (reading.plan if reading.usable else None), list(reading.problems)


def _fields(reader: PlanReader, trees: Sequence[Tree]) -> dict[str, Any]:
    """Return the fields of the plan, section by section."""
    parts: dict[str, list[Node]] = {name: [] for name in SECTIONS}
    for number, tree in enumerate(trees):
        for name, node in _sections(reader, tree, first=number == 0).items():
            parts[name].append(node)
    fields: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        fields |= section.read(reader, parts[name])
    if all(tree.root is not None or not tree.problems for tree in trees):
        reader.resolve()  # else names are missing only because their file cannot be read
    return fields


def _sections(reader: PlanReader, tree: Tree, *, first: bool) -> dict[str, Node]:
    """Return the sections of one file; its frame is checked."""
    if tree.root is None and tree.problems:
        return {}
    root = tree.root or MapNode((), 1, 1, tree.file)
    found = {}
    for name, (key, node) in reader.mapping(root, tree.file, (VERSION, *SECTIONS)).items():
        if name == FIRST_ONLY and not first:
            sentence = f'section "{FIRST_ONLY}" stands in an included file'
            reader.problem(key, UNKNOWN_KEY, sentence, "move it to the first file")
        elif name != VERSION:
            found[name] = node
    if isinstance(root, MapNode):
        _check_version(reader, root, needed=first)
    return found


def _check_version(reader: PlanReader, root: MapNode, *, needed: bool) -> None:
    node = root.get(VERSION)
    if node is None:
        if needed:
            reader.problem(root, WRONG_TYPE, "the version is missing", 'write "version: 1" on top')
        return
    text = reader.text(node, VERSION)
    if text is not None and text != FORMAT_VERSION:
        reader.problem(node, WRONG_TYPE, f'version "{text}" is not known', 'write "version: 1"')
