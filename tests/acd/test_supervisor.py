"""What a supervisor does to queues and callers: checked, said with a name, told to the engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.acd import inputs, supervisor
from pbx.errors import NotFound, Refused
from pbx.events import CallerMoved, QueueSwitched
from tests.kit.boards import Wallboard


def test_a_queue_is_closed_once_by_somebody() -> None:
    wall = Wallboard()
    supervisor.switch(wall.floor, "sales", False, "crm")
    supervisor.switch(wall.floor, "tech", True, "crm")
    assert wall.engine.told == [inputs.QueueOpened("sales", False)]
    assert wall.emitted == [QueueSwitched(queue="sales", open=False, by="crm")]
    with pytest.raises(NotFound, match="there is no queue hr"):
        supervisor.switch(wall.floor, "hr", False, "crm")


@pytest.mark.parametrize("name", ["c-bert", "c-be", "13900"])
def test_a_caller_is_found_by_id_its_beginning_or_number(name: str) -> None:
    assert supervisor.find_caller(Wallboard().floor, name).call == "c-bert"


def test_a_name_of_nobody_or_of_two_is_refused() -> None:
    wall = Wallboard()
    with pytest.raises(NotFound, match="nobody waits under c-b"):
        supervisor.find_caller(wall.floor, "c-b")
    wall.engine.callers["c-bert"] = replace(wall.engine.callers["c-bert"], number="13800")
    with pytest.raises(Refused, match="13800 means 2 callers; name one of them: c-anna, c-bert"):
        supervisor.find_caller(wall.floor, "13800")


def test_a_caller_is_put_first() -> None:
    wall = Wallboard()
    supervisor.put_first(wall.floor, "sales", "c-bert", "socket")
    assert wall.engine.told == [inputs.CallerMoved("c-bert")]
    assert wall.emitted == [CallerMoved(call="c-bert", queue="sales", by="socket")]


def test_a_caller_is_moved_to_another_queue() -> None:
    wall = Wallboard()
    supervisor.move(wall.floor, "sales", "c-bert", "tech", "socket")
    assert wall.engine.told == [inputs.CallerMoved("c-bert", "tech")]
    assert wall.emitted == [CallerMoved(call="c-bert", queue="sales", to="tech", by="socket")]


@pytest.mark.parametrize(
    ("queue", "call", "to", "sentence"),
    [
        ("hr", "c-bert", "tech", "there is no queue hr"),
        ("sales", "c-carl", "tech", "no caller c-carl waits in queue sales"),
        ("tech", "c-bert", "sales", "no caller c-bert waits in queue tech"),
        ("sales", "c-bert", "hr", "there is no queue hr"),
        ("sales", "c-bert", "sales", "call c-bert waits in queue sales already"),
        ("sales", "c-bert", "tech", "queue tech is closed; callpbx queues open tech opens it"),
    ],
)
def test_a_move_that_cannot_be_is_explained(queue: str, call: str, to: str, sentence: str) -> None:
    wall = Wallboard()
    sales, tech = wall.engine.shown_queues
    wall.engine.shown_queues = [sales, replace(tech, open=False)]
    with pytest.raises((NotFound, Refused), match=sentence):
        supervisor.move(wall.floor, queue, call, to, "socket")
    assert wall.engine.told == []
    assert wall.emitted == []
