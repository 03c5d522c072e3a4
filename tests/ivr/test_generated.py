"""Every call in every plan ends, whatever the plan says and the caller presses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from pbx.events import MenuEntered, MenuLeft
from pbx.ivr.rehearsal import Circumstances
from pbx.ivr.run import MAX_SECONDS, MAX_STEPS
from pbx.ivr.simulate import Rehearsal, rehearse
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import parse_plan
from pbx.plan.model import Plan
from tests.kit.generated import EXTENSIONS, STATES, generated_plan, generated_press

BEGIN = datetime(2026, 9, 28, 2, tzinfo=UTC)
PLANS = 300
CALLS = 5


def made(seed: int) -> tuple[Plan, list[Rehearsal]]:
    """Return a plan and some calls through it."""
    rng = Random(seed)
    text = generated_plan(rng)
    plan, problems = parse_plan(text, "made.yaml", VOCABULARY)
    assert plan is not None, ([str(problem) for problem in problems], text)
    return plan, [
        rehearse(
            plan,
            Circumstances(
                to="400",
                at=BEGIN + timedelta(hours=rng.randrange(24 * 14)),
                press=generated_press(rng),
                phones={number: rng.choice(STATES) for number in EXTENSIONS},
            ),
        )
        for _ in range(CALLS)
    ]


@pytest.mark.parametrize("seed", range(PLANS))
def test_every_call_ends_within_the_limits(seed: int) -> None:
    _, calls = made(seed)
    for call in calls:
        assert call.outcome.reason
        times = [line.at for line in call.lines]
        assert times == sorted(times)
        visits = sum(isinstance(event, MenuEntered) for event in call.events)
        assert visits <= MAX_STEPS
        left = [event for event in call.events if isinstance(event, MenuLeft)]
        assert visits - 1 <= len(left) <= visits


def test_no_call_is_in_menus_for_much_longer_than_it_may() -> None:
    longest = max(
        (call.lines[-1].at - call.lines[0].at).total_seconds()
        for seed in range(50)
        for call in made(seed)[1]
        if call.lines
    )
    assert longest < MAX_SECONDS + 300
