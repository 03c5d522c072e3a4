"""A plan comes out of its pieces as it went in."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.dialplan.pieces import ENTRIES, put_together, take_apart
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.destination import Destination
from pbx.plan.loader import load_plan
from pbx.plan.model import NumberRoute, Plan

EXAMPLE = Path(__file__).parents[3] / "shared" / "dialplan.example.yaml"


def test_a_plan_is_the_same_again() -> None:
    numbers = {
        str(4000 + n): NumberRoute(str(4000 + n), Destination("ext", str(100 + n)))
        for n in range(3 * ENTRIES + 1)
    }
    plan = Plan("abc", numbers, other=NumberRoute("x", Destination("operator")), files=("a", "b"))
    again = put_together(reversed(take_apart(plan)))
    assert again == plan
    assert again.inbound("4000") == plan.inbound("4000")
    assert put_together(take_apart(Plan("empty"))) == Plan("empty")


def test_the_example_survives_with_all_its_sections() -> None:
    if not EXAMPLE.exists():
        pytest.skip("the example dialplan is not beside this checkout")
    plan = load_plan(EXAMPLE, VOCABULARY)
    assert put_together(take_apart(plan)) == plan


def test_no_piece_holds_more_than_a_few_entries() -> None:
    numbers = {str(n): NumberRoute(str(n), Destination("ext", "101")) for n in range(1000)}
    pieces = take_apart(Plan("abc", numbers))
    assert len(pieces) >= 1000 / ENTRIES
    assert max(map(len, pieces)) < 5_000
