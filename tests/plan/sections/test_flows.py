"""Section `flows`: a list of steps under each name."""

from __future__ import annotations

import pytest

from pbx.plan.destination import HANGUP
from tests.kit.broken import loaded, mistake


def test_a_flow_is_its_steps_in_order() -> None:
    flow = loaded("flows:\n  night:\n    - answer\n    - goto: hangup\n").flows["night"]
    assert [step.verb for step in flow.steps] == ["answer", "goto"]
    assert flow.steps[1].arguments == {"to": HANGUP}
    assert (flow.mark.line, flow.steps[1].mark.line, flow.steps[1].mark.column) == (3, 5, 7)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("  f:▸", "E005 flows.f has no steps — write a step, such as - hangup"),
        ("  f: ▸[]", "E005 flows.f has no steps"),
        ("  f: ▸menu:main", 'E005 flows.f must be a list of steps — put "- " before each step'),
        ("  f:\n    ▸goto: hangup", "E005 flows.f must be a list of steps"),
        ("  ▸my flow: [hangup]", 'E005 flows: "my flow" cannot be a name here — write my_flow'),
    ],
)
def test_a_mistake_is_told_where_it_stands(lines: str, words: str) -> None:
    assert words in mistake(f"flows:\n{lines}\n")
