"""Nodes → values: every problem is collected, with its place and a way out."""

from __future__ import annotations

import pytest

from pbx.marks import MapNode, Reader, read_tree
from pbx.marks.reader import duration, one_of, size, whole_number, yes_no


def read(source: str) -> tuple[Reader, MapNode]:
    tree = read_tree(source, "f.yaml")
    assert isinstance(tree.root, MapNode)
    return Reader("f.yaml", tree.problems), tree.root


def test_unknown_keys_are_left_out_and_explained() -> None:
    reader, root = read("numbr: 1\nother: 2\nzzz: 3\n")
    assert list(reader.mapping(root, "the file", ("numbers", "other"))) == ["other"]
    assert [problem.text for problem in reader.problems] == [
        'E002 unknown key "numbr" in the file — did you mean "numbers"?',
        'E002 unknown key "zzz" in the file — write numbers or other',
    ]


def test_a_text_where_a_map_is_wanted_is_explained() -> None:
    reader, root = read("a: b\nc: 1:x\n")
    assert reader.mapping(root.get("a"), "a") == {}
    assert reader.mapping(root.get("c"), "c") == {}
    assert [problem.suggestion for problem in reader.problems] == [
        None,
        'put a space after the colon: "KEY: VALUE"',
    ]


def test_a_variable_without_its_dollar_is_recognised() -> None:
    reader, root = read("say: {caller}\n")
    node = root.get("say")
    assert node is not None
    assert reader.text(node, "say") is None
    assert reader.problems[0].suggestion == 'did you mean "${caller}"?'


def test_a_wrong_value_keeps_the_default_and_says_why() -> None:
    reader, root = read("wait: 5\n")
    node = root.get("wait")
    assert node is not None
    assert reader.value(node, "wait", duration, 3.0) == 3.0
    assert str(reader.problems[0]).startswith('f.yaml:1:7 E005 wait: "5" is no duration; write')


def test_one_text_stands_for_a_list_of_one() -> None:
    reader, root = read("a: x\nb: [x, y]\nc:\nd: {x: y}\n")
    lengths = [len(reader.items(value, key.value)) for key, value in root.entries]
    assert lengths == [1, 2, 0, 0]
    assert [problem.line for problem in reader.problems] == [4]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20s", 20.0), ("1.5s", 1.5), ("5m", 300.0), ("2h", 7200.0), ("7d", 604800.0)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "5 s", "-5s", "5ms", "s", "", "1e3s", "5M"])
def test_a_duration_needs_its_unit(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and s, m"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("500", 500), ("1kB", 1000), ("1.5MB", 1_500_000), ("1GB", 10**9), ("2T", None)],
)
def test_sizes_are_bytes(text: str, count: int | None) -> None:
    if count is None:
        with pytest.raises(ValueError, match="is no size"):
            size(text)
    else:
        assert size(text) == count


def test_the_small_converters_take_what_they_say() -> None:
    assert whole_number(1, 5)("5") == 5
    assert yes_no("Yes") is True
    assert yes_no("off") is False
    assert one_of("a", "b")("b") == "b"
    for convert, text in ((whole_number(1, 5), "6"), (yes_no, "maybe"), (one_of("pcma"), "pcm")):
        with pytest.raises(ValueError, match="is n"):
            convert(text)
