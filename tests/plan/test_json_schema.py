"""The JSON Schema for editors: sound in itself, and right about good and broken files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pbx.ivr.verbs import VOCABULARY
from pbx.marks import ListNode, Node, TextNode, read_tree
from pbx.plan.json_schema import json_schema

EXAMPLE = Path(__file__).parents[3] / "shared" / "dialplan.example.yaml"
SCHEMA = json_schema(VOCABULARY)


def instance(node: Node | None) -> Any:
    """Return what an editor makes of a node, by the core schema of YAML 1.2."""
    if node is None or (isinstance(node, TextNode) and node.is_null):
        return None
    if isinstance(node, TextNode):
        number = node.plain and re.fullmatch(r"-?(?:0|[1-9][0-9]*)", node.value)
        return int(node.value) if number else node.value
    if isinstance(node, ListNode):
        return [instance(item) for item in node.items]
    return {key.value: instance(value) for key, value in node.entries}


def wrong(text: str) -> list[str]:
    tree = read_tree(text, "d.yaml")
    assert not tree.problems
    errors = Draft202012Validator(SCHEMA).iter_errors(instance(tree.root))
    return [error.json_path for error in errors]


def patterns(schema: Any) -> Iterator[str]:
    """Yield the regular expressions of a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        yield from schema.get("patternProperties", ())
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from patterns(each)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_its_patterns_are_also_those_of_editors() -> None:
    for pattern in patterns(SCHEMA):
        assert "(?P" not in pattern, pattern
        assert not re.search(r"\(\?[a-z]+[:)]", pattern), pattern


def test_the_worked_example_is_right() -> None:
    if not EXAMPLE.exists():
        pytest.skip(f"{EXAMPLE} is not here")
    assert wrong(EXAMPLE.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "version: 1",
        "flows: {f: [answer, {if: a is b, then: hangup, else: [{say: x}]}, hangup]}",
        "flows: {f: [{choose: x, a: menu:b, else: {goto: back}}]}",
        "conferences:\n  7001:",
        "menus: {m: {prompt: a, keys: {'#': {say: b, then: repeat}}, give_up: back}}",
    ],
)
def test_what_loads_is_right(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("number: {}", "$"),
        ("version: 2", "$.version"),
        ("flows: {f: [{sya: x}]}", "$.flows"),
        ("flows: {f: [park]}", "$.flows"),
        ("queues: {q: {ring: 20}}", "$.queues"),
        ("menus: {m: {keys: {x: hangup}}}", "$.menus"),
        ("features: {ecko: '*43'}", "$.features"),
        ("hours: {o: {weakly: {}}}", "$.hours"),
    ],
)
def test_what_does_not_load_is_mostly_wrong(text: str, path: str) -> None:
    assert wrong(text) == [path]
