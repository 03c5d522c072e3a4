"""Reading of nodes: places and names, what is told of them, and what is muted."""

from __future__ import annotations

from pbx.marks import ListNode, TextNode
from pbx.plan.destination import OPERATOR, Destination
from pbx.plan.reading import PlanReader
from pbx.plan.step import Mark
from pbx.plan.vocabulary import Vocabulary


def reader() -> PlanReader:
    return PlanReader("d.yaml", Vocabulary({}))


def node(text: str) -> TextNode:
    return TextNode(text, 4, 7, file="e.yaml")


def test_problems_stand_in_the_file_of_their_node() -> None:
    one = reader()
    one.problem(node("x"), "E005", "is odd")
    one.problem(TextNode("x", 1, 2), "E005", "is odd")
    one.problem_at(Mark("f.yaml", 3, 4), "E010", "is there twice", "remove it")
    assert [str(problem) for problem in one.problems] == [
        "e.yaml:4:7 E005 is odd",
        "d.yaml:1:2 E005 is odd",
        "f.yaml:3:4 E010 is there twice — remove it",
    ]


def test_a_destination_refers_to_its_name() -> None:
    one = reader()
    assert one.destination(node("menu:main"), "there") == Destination("menu", "main")
    assert one.destination(node("operator"), "there") == OPERATOR
    assert one.destination(node("ext:101"), "there") == Destination("ext", "101")
    assert one.destination(node("voicemail:101"), "there") == Destination("voicemail", "101")
    assert [(each.kind, each.name) for each in one.names.references] == [("menu", "main")]


def test_nothing_is_noted_while_muted() -> None:
    one = reader()
    with one.muted():
        assert one.destination(node("menu:main"), "there") == Destination("menu", "main")
        assert one.destination(node("nowhere"), "there") is None
    assert (one.problems, one.names.references) == ([], [])
    one.destination(node("nowhere"), "there")
    assert len(one.problems) == 1


def test_what_is_missing_is_told() -> None:
    one = reader()
    assert one.text(node(""), "a title") is None
    assert one.items(node(""), "titles") == ()
    assert one.items(ListNode((), 1, 1), "titles") == ()
    assert [problem.sentence for problem in one.problems] == [
        "a title is missing: nothing stands behind the colon",
        "titles is missing: nothing stands behind the colon",
    ]


def test_one_mistake_at_a_place_is_enough() -> None:
    one = reader()
    one.destination(node("menu:main"), "there")
    one.problem(node("menu:main"), "E005", "there cannot be a menu")
    one.resolve()
    assert len(one.problems) == 1
