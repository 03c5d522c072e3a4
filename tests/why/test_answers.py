"""Who is asked why: stored calls first, then what is remembered of those that go on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pbx.acd.keeping import Stretch
from pbx.errors import NotFound, Refused
from pbx.events import AgentStateName, QueueEntered, QueueLeft
from pbx.events.bus import Stamped
from pbx.why.answers import Answers
from tests.cdr.story import START, Story
from tests.kit.loop import run


class Stored:
    """A database of the test's own."""

    def __init__(self, *stories: Story) -> None:
        self.stories = {story.call: story.events for story in stories}
        self.kept: list[Stretch] = []

    async def events_of(self, call: str) -> Sequence[Stamped]:
        if call not in self.stories:
            raise NotFound(f"there is no record of a call {call}")
        return self.stories[call]

    async def within(self, since: float, until: float) -> Sequence[Stamped]:
        return []

    async def stretches(self, agent: str | None, since: float, until: float) -> Sequence[Stretch]:
        return self.kept


def answers(stored: Stored, *going_on: Story) -> Answers:
    found = Answers(stored, stored, stored)
    found.recent = lambda: [stamped for story in going_on for stamped in story.events]
    return found


def test_a_call_that_is_over_comes_from_the_database() -> None:
    over = Story("c0ffee").began().over()
    assert run(answers(Stored(over)).call("c0ffee")).call == "c0ffee"


def test_a_call_that_goes_on_is_found_by_the_beginning_of_its_id() -> None:
    why = answers(Stored(), Story("c0ffee").began(), Story("c0ffin").began())
    assert run(why.call("c0ffin")).call == "c0ffin"
    assert run(why.call("c0ffe")).call == "c0ffee"
    with pytest.raises(Refused, match="more than one call begins with c0ff"):
        run(why.call("c0ff"))
    with pytest.raises(NotFound, match="there is no record of a call c0f"):
        run(why.call("c0f"))


def test_a_record_whose_events_are_gone_says_so() -> None:
    with pytest.raises(NotFound, match="they are kept for some days only"):
        run(answers(Stored(Story("c0ffee"))).call("c0ffee"))


def test_what_an_agent_does_at_present_counts() -> None:
    why = answers(Stored())
    why.doing = lambda agent: [
        Stretch(agent="102", state="paused", since=START, until=START + 60, reason="lunch")
    ]
    answer = run(why.agent("102", START - 60, START + 60))
    assert [(each.state, each.seconds) for each in answer.spent] == [("paused", 60.0)]


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Refused, match="--until must be after --since"):
        run(answers(Stored()).agent("102", START, START))


def test_a_caller_for_whom_nobody_was_free_learns_what_agents_did() -> None:
    story = Story("c0ffee").began().say(QueueEntered(call="c0ffee", queue="sales")).wait(20)
    story.say(QueueLeft(call="c0ffee", queue="sales", result="abandoned")).over()
    stored = Stored(story)

    def did(agent: str, state: AgentStateName, until: float, reason: str = "") -> Stretch:
        return Stretch(
            agent=agent, state=state, since=START - 9, until=START + until, reason=reason
        )

    stored.kept = [did("102", "talking", 5, "queue sales"), did("104", "logged_out", 60)]
    why = answers(stored)
    why.doing = lambda agent: [did("103", "paused", 90, "lunch"), did("105", "available", 90)]
    texts = [step.text for step in run(why.call("c0ffee")).steps]
    assert (
        "meanwhile, of all agents: 102 on calls; 103 paused (lunch); "
        "105 available, but not for this caller; 1 logged out"
    ) in texts
