"""Tables of keys: what they read, what they tell editors, and keys that are not acted on."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.marks import MapNode, Node, read_tree
from pbx.plan.arguments import KEY, Number, Seconds, YesNo
from pbx.plan.fields import (
    Converted,
    FieldType,
    Key,
    Many,
    MapOf,
    Part,
    read_fields,
    schema_of,
    tell_missing,
)
from pbx.plan.reading import PlanReader
from pbx.plan.vocabulary import Vocabulary

KEYS = {
    "time": Key("time_s", Seconds(), required=True),
    "again": Key("", Part({"every": Key("every_s", Seconds(), required=True)})),
    "soon": Key("soon", YesNo(), later=True),
}


def tree(text: str) -> MapNode:
    root = read_tree(text, "d.yaml").root
    assert isinstance(root, MapNode)
    return root


def reader() -> PlanReader:
    return PlanReader("d.yaml", Vocabulary({}))


def read(text: str, copied: tuple[str, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    one = reader()
    return read_fields(one, tree(text), "it", KEYS, copied), [str(each) for each in one.problems]


def test_keys_become_fields_and_parts_are_flat() -> None:
    fields, problems = read("{time: 5s, again: {every: 1m}}")
    assert fields == {"time_s": 5.0, "every_s": 60.0}
    assert problems == []


def test_a_wrong_value_leaves_its_field_out() -> None:
    fields, (problem,) = read("{time: 5, again: {every: 1m}}")
    assert fields == {"every_s": 60.0}
    assert problem.startswith("d.yaml:1:8 E005 it time")


def test_what_is_copied_is_read_in_silence() -> None:
    fields, problems = read("{time: 5, soon: yes}", copied=("time", "soon"))
    assert fields == {"soon": True}
    assert problems == []


def test_a_key_for_later_is_warned_of_and_read() -> None:
    assert read("{soon: yes}") == (
        *({"soon": True}, ["d.yaml:1:2 W029 it: soon is not acted on yet"]),
    )


def test_required_keys_are_missed_at_the_place_given() -> None:
    one = reader()
    node = tree("{soon: yes}")
    assert tell_missing(one, node, node, "it", KEYS)
    assert [str(problem) for problem in one.problems] == [
        "d.yaml:1:1 E005 it has no time — write time: 5s, 2m, 1h"
    ]
    assert not tell_missing(one, tree("{time: x}"), node, "it", KEYS)


def _three(text: str) -> int:
    if text != "3":
        raise ValueError("is not three — write 3")
    return 3


THREE = Converted(_three, "3", {"const": "3"})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (THREE, "x: 3", 3),
        (THREE, "x: 4", None),
        (Many(THREE), "x: 3", (3,)),
        (Many(THREE), "x: [3, 3]", (3, 3)),
        (Many(THREE), "x: [4]", None),
        (Many(THREE), "x: []", None),
        (MapOf(KEY, Number(1, 9)), "x: {'#': 2, 1: 3}", {"#": 2, "1": 3}),
        (MapOf(KEY, Number(1, 9)), "x: {a: 2, 1: 30}", {}),
        (MapOf(KEY, Number(1, 9)), "x:", None),
        (Part({"n": Key("n", THREE)}), "x: {n: 3}", {"n": 3}),
        (Part({"n": Key("n", THREE, required=True)}), "x: {}", None),
    ],
)
def test_kinds_of_values(kind: FieldType, text: str, value: object) -> None:
    node: Node = tree(text).entries[0][1]
    assert kind.read(reader(), node, "x") == value


def test_a_refusal_has_a_suggestion() -> None:
    one = reader()
    THREE.read(one, tree("x: 4").entries[0][1], "x")
    (problem,) = one.problems
    assert (problem.sentence, problem.suggestion) == ('x: "4" is not three', "write 3")


def test_editors_are_told_the_same() -> None:
    assert schema_of(KEYS)["required"] == ["time"]
    assert sorted(schema_of(KEYS)["properties"]) == ["again", "soon", "time"]
    assert schema_of(KEYS)["properties"]["again"]["required"] == ["every"]
    assert Many(THREE).schema() == {
        "anyOf": [{"const": "3"}, {"type": "array", "items": {"const": "3"}, "minItems": 1}]
    }
    assert Part(KEYS).written == "{time: 5s, 2m, 1h, again: {every: 5s, 2m, 1h}, soon: yes or no}"
