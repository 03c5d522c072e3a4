"""What queues decided within some time, read from stored events."""

from __future__ import annotations

import pytest

from pbx.cdr.decisions import Decisions
from pbx.cdr.recorder import Recorder
from pbx.db.engine import MemoryDatabase
from pbx.errors import Refused
from pbx.events import AgentConnected, OfferDecided, QueueEntered
from tests.cdr.story import START, Story
from tests.kit.clock import VirtualClock
from tests.kit.loop import run


def offered(n: int, *, hours: float) -> Story:
    """Tell a call that waits a minute, is offered, and talks."""
    story = Story(f"call-{n}", seq=n * 100 + 1, wall=START + hours * 3600)
    story.began().say(QueueEntered(call=story.call, queue="sales")).wait(60)
    story.say(
        OfferDecided(
            call=story.call,
            queue="sales",
            chosen=("102",),
            strategy="random",
            waited_s=60.0,
            waiting=1,
        )
    )
    return story.say(AgentConnected(call=story.call, agent="102", queue="sales", leg=2))


def found(stories: list[Story], since: float, until: float) -> list[tuple[str, str]]:
    """Return which events of which calls are found between two hours."""
    answer: list[tuple[str, str]] = []

    async def main() -> None:
        database = MemoryDatabase()
        recorder = Recorder(database, VirtualClock())
        for story in stories:
            for stamped in story.events:
                recorder(stamped)
        decisions = Decisions(database, fresh=recorder.flush)
        within = await decisions.within(START + since * 3600, START + until * 3600)
        answer.extend((each.event.call, type(each.event).__name__) for each in within)

    run(main())
    return answer


def test_offers_of_calls_over_and_going_on_are_found_by_when_they_were_made() -> None:
    stories = [
        offered(1, hours=0).over(),
        offered(2, hours=0.99),
        offered(3, hours=1.5).over(),
        offered(4, hours=2),
    ]
    assert found(stories, 1, 2) == [
        ("call-2", "OfferDecided"),
        ("call-2", "AgentConnected"),
        ("call-3", "QueueEntered"),
        ("call-3", "OfferDecided"),
        ("call-3", "AgentConnected"),
    ]


def test_more_than_two_days_at_once_are_refused() -> None:
    with pytest.raises(Refused, match="two days at most"):
        found([], 0, 49)
