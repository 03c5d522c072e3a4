"""YAML read with care: every scalar stays text, every node knows its line and column.

`dialplan.yaml` and `callpbx.yaml` are written by people who are no programmers, so nothing is
guessed here: `0123` stays `0123`, `no` stays `no`, a key that stands twice is a mistake. `tree.py`
turns text into nodes, `diagnosis.py` finds the line that caused a syntax error (YAML itself often
blames a later one), `reader.py` turns nodes into values and collects all problems, `problem.py`
says what a problem is. Both `pbx/config.py` and `pbx/plan/` stand on this room.
"""

from pbx.marks.problem import Problem, did_you_mean
from pbx.marks.reader import Reader
from pbx.marks.tree import ListNode, MapNode, Node, TextNode, Tree, read_tree

__all__ = [
    "ListNode",
    "MapNode",
    "Node",
    "Problem",
    "Reader",
    "TextNode",
    "Tree",
    "did_you_mean",
    "read_tree",
]
