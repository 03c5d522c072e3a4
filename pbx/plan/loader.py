"""dialplan.yaml → `Plan`, or all that is wrong with it.

All problems are found in one reading, each with its line, column and stable code (docs/dialplan.md
lists them). Sections and destinations that the format has but this version does not are refused by
name, so that nobody waits for a menu that never plays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from pbx.errors import ConfigError
from pbx.marks import MapNode, Node, Problem, Reader, TextNode, did_you_mean, read_tree
from pbx.marks.problem import OVERLAP, SYNTAX, UNDEFINED, UNKNOWN_KEY, WRONG_TYPE
from pbx.plan.destination import Destination
from pbx.plan.model import Conference, NumberRoute, Plan, spelling_of
from pbx.plan.rooms import read_rooms
from pbx.plan.step import Mark

FORMAT_VERSION = "1"
SECTIONS = ("version", "numbers", "conferences")
LATER_SECTIONS = (
    "defaults",
    "prompts",
    "hours",
    "lookups",
    "flows",
    "menus",
    "ring_groups",
    "queues",
    "voicemail",
    "surveys",
    "outbound",
    "features",
    "tests",
)
KINDS = ("ext", "conference")
LATER_KINDS = ("flow", "menu", "queue", "ring", "number", "voicemail", "survey")
LATER_WORDS = ("operator", "back", "repeat", "stay", "callback", "hangup")
ANYTHING_ELSE = "anything_else"


def load_plan(path: Path) -> Plan:
    """Read a dialplan; raises ConfigError for its first error."""
    plan, problems = check_plan(path)
    if plan is None:
        raise next(problem for problem in problems if problem.severity == "error").error()
    return plan


def check_plan(path: Path) -> tuple[Plan | None, list[Problem]]:
    """Read a dialplan and return it with all problems, in the order of the file; None if unusable.

    Raises ConfigError where there is no such file.
    """
    name = path.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; callpbx init writes one") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, [Problem(SYNTAX, name, line, 1, "the file is not UTF-8", "save it as UTF-8")]
    return parse_plan(text, name)


def parse_plan(text: str, file: str) -> tuple[Plan | None, list[Problem]]:
    """Do the same with a text; `file` is the name that problems show."""
    tree = read_tree(text, file)
    reader = Reader(file, tree.problems)
    plan = Plan(hashlib.sha256(text.encode()).hexdigest()[:12])
    if tree.root is not None or not tree.problems:
        plan = _plan(reader, tree.root, plan.version_id)
    problems = sorted(reader.problems, key=lambda problem: (problem.line, problem.column))
    usable = all(problem.severity != "error" for problem in problems)
    return (plan if usable else None), problems


def _plan(reader: Reader, root: Node | None, version_id: str) -> Plan:
    root = root or MapNode((), 1, 1)
    sections = reader.mapping(root, "dialplan.yaml", (*SECTIONS, *LATER_SECTIONS))
    for name, (key, _) in sections.items():
        if name in LATER_SECTIONS:
            sentence = f'section "{name}" is not in this version yet'
            reader.problem(key, UNKNOWN_KEY, sentence, "remove it, or put # before its lines")
    _version(reader, root, sections["version"][1] if "version" in sections else None)
    rooms = read_rooms(reader, sections["conferences"][1] if "conferences" in sections else None)
    numbers = sections["numbers"][1] if "numbers" in sections else None
    routes, other = _numbers(reader, numbers, rooms)
    return Plan(version_id, routes, other, rooms)


def _version(reader: Reader, root: Node, node: Node | None) -> None:
    if node is None:
        if isinstance(root, MapNode):
            reader.problem(root, WRONG_TYPE, "the version is missing", 'write "version: 1" on top')
        return
    text = reader.text(node, "version")
    if text != FORMAT_VERSION:
        sentence = f'version "{text or ""}" is not known'
        reader.problem(node, WRONG_TYPE, sentence, 'write "version: 1"')


def _numbers(
    reader: Reader, node: Node | None, rooms: Mapping[str, Conference]
) -> tuple[dict[str, NumberRoute], NumberRoute | None]:
    routes: dict[str, NumberRoute] = {}
    other: NumberRoute | None = None
    spellings: dict[str, NumberRoute] = {}
    for number, (key, value) in reader.mapping(node, "numbers").items():
        destination = _destination(reader, value, rooms)
        if number == ANYTHING_ELSE:
            other = (
                NumberRoute(number, destination, mark=Mark(reader.file, key.line, key.column))
                if destination
                else None
            )
        elif _is_number(reader, key) and destination:
            route = NumberRoute(number, destination, mark=Mark(reader.file, key.line, key.column))
            first = spellings.setdefault(spelling_of(number), route)
            if first is not route:
                sentence = (
                    f'"{number}" is the same number as "{first.number}" (line {first.mark.line})'
                )
                reader.problem(key, OVERLAP, sentence, "keep one of the two")
            routes[number] = route
    return routes, other


def _is_number(reader: Reader, key: TextNode) -> bool:
    if re.fullmatch(r"\+?[0-9*#]{1,32}", key.value):
        return True
    suggestion = did_you_mean(key.value, [ANYTHING_ELSE])
    if suggestion is None and re.fullmatch(r"\+?[0-9 ()./-]+", key.value):
        suggestion = f'write "{re.sub(r"[^0-9+]", "", key.value)}"'
    reader.problem(key, WRONG_TYPE, f'"{key.value}" is no number that can be dialled', suggestion)
    return False


def _destination(reader: Reader, node: Node, rooms: Mapping[str, Conference]) -> Destination | None:
    if isinstance(node, MapNode) and node.get("to") is not None:
        sentence = "options beside a destination are not in this version yet"
        reader.problem(node, UNKNOWN_KEY, sentence, "write NUMBER: ext:NUMBER")
        return None
    text = reader.text(node, "a destination")
    if text is None:
        if isinstance(node, TextNode):
            reader.problem(node, WRONG_TYPE, "the destination is missing", "write ext:NUMBER")
        return None
    kind, colon, name = text.partition(":")
    if kind in LATER_KINDS or (not colon and text in LATER_WORDS):
        sentence = f'destination "{text}" is not in this version yet'
        reader.problem(node, UNKNOWN_KEY, sentence, "use ext:NUMBER")
    elif not colon:
        known = (*KINDS, *LATER_KINDS, *LATER_WORDS)
        suggestion = did_you_mean(text, known)
        if text.isdigit():
            suggestion = f"write ext:{text}"
        elif "：" in text:
            suggestion = f"write {text.replace('：', ':')}, with an ASCII colon"
        reader.problem(node, WRONG_TYPE, f'"{text}" is no destination', suggestion)
    elif kind not in KINDS:
        suggestion = did_you_mean(kind, (*KINDS, *LATER_KINDS))
        reader.problem(node, UNKNOWN_KEY, f'unknown kind of destination "{kind}"', suggestion)
    elif kind == "conference" and name not in rooms:
        suggestion = did_you_mean(name, rooms) or "write it under conferences"
        reader.problem(node, UNDEFINED, f'unknown conference "{name}"', suggestion)
    elif not re.fullmatch(r"[0-9]{2,10}", name):
        sentence = f'"{name}" is no extension number'
        reader.problem(node, WRONG_TYPE, sentence, "write ext: and digits, such as ext:101")
    else:
        return Destination(kind, name)
    return None
