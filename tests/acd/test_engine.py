"""The queue engine: who gets whom, and what becomes of everybody."""

from __future__ import annotations

from tests.kit.desk import Desk


def test_a_caller_is_offered_to_whoever_is_idle_for_longest() -> None:
    desk = Desk(agents=("101", "102"))
    desk.later(10)
    desk.calls("102", seconds=1)
    desk.joins("c1")
    assert desk.offered("c1") == ("101",)
