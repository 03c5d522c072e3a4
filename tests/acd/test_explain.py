"""Reasons: why a caller was offered to whom, and why not to the others."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pbx.acd.commands import Decided
from pbx.acd.explain import TOLD
from pbx.acd.inputs import LoggedOut, PauseAsked, PhoneUnreachable
from pbx.acd.model import Profile
from pbx.events import OfferDecided
from pbx.plan.model import Queue
from tests.kit.desk import Desk

LONG = "午休时间到了所以我去吃饭了下午两点以后才会回来" * 3


def decided(desk: Desk) -> Decided:
    [found] = desk.heard(Decided)
    return found


def told(found: Decided) -> dict[str, tuple[str, str]]:
    return {one.agent: (one.failed, one.text) for one in found.candidates}


def stored(found: Decided) -> bytes:
    """Return a decision as it is stored."""
    return msgspec.json.encode(
        OfferDecided(
            call=found.call,
            queue=found.queue,
            chosen=found.chosen,
            strategy=found.strategy,
            waited_s=found.waited_s,
            waiting=found.waiting,
            candidates=found.candidates,
            others=dict(found.others),
        )
    )


def test_each_agent_is_told_with_the_first_test_that_it_failed() -> None:
    skilled = {"skills": {"en": 5}}
    names = ("101", "102", "103", "104", "105", "106", "107")
    agents = [Profile(number=number, **skilled) for number in names]
    low = [Profile(number="108", skills={"en": 3}), Profile(number="109")]
    desk = Desk([*agents, *low], [Queue("service", skills={"en": 5}, wrap_up_s=30.0)])
    desk.joins("c1")
    desk.hangs_up("101", "c1", desk.takes("101", "c1"))
    desk.tell(PauseAsked("102", "lunch"))
    desk.tell(LoggedOut("103"))
    desk.tell(PhoneUnreachable("104", "registration expired"))
    desk.rings("105", "private", outbound=True)
    desk.joins("c2")
    desk.declines("106", "c2", "rejected")
    desk.declines("107", "c2", "busy")
    desk.later(10)
    found = decided(desk)
    assert found.chosen == ("107",)
    assert found.strategy == "longest_idle"
    assert (found.waited_s, found.waiting) == (10.0, 1)
    assert found.candidates[0].agent == "107"
    assert told(found) == {
        "107": ("", "idle 0:10"),
        "106": ("declined", "declined 10 s ago"),
        "101": ("wrap_up", "wrap-up, 20 s left"),
        "102": ("paused", "paused: lunch"),
        "103": ("logged_out", "logged out"),
        "104": ("unreachable", "unreachable: registration expired"),
        "105": ("busy", "on a call"),
        "108": ("skill", "en 3 < 5"),
        "109": ("skill", "no en"),
    }
    assert found.others == {}


def test_all_others_are_counted_by_test() -> None:
    able = [Profile(number=str(number), skills={"en": 5}) for number in range(100, 160)]
    unable = [Profile(number=str(number)) for number in range(160, 200)]
    desk = Desk([*able, *unable], [Queue("service", skills={"en": 1})])
    for number in range(100, 130):
        desk.tell(PauseAsked(str(number), "lunch"))
    desk.joins("c1")
    found = decided(desk)
    assert len(found.candidates) == TOLD
    assert {one.failed for one in found.candidates} == {""}
    assert found.others == {"later": 10, "paused": 30, "skill": 40}
    assert len(found.candidates) + sum(found.others.values()) == 100


def test_those_who_are_rung_and_not_told_one_by_one_are_counted() -> None:
    desk = Desk(map(str, range(100, 130)), [Queue("service", strategy="ring_all")])
    desk.joins("c1")
    assert len(decided(desk).chosen) == TOLD
    assert decided(desk).others == {"chosen": 10}


def test_who_waits_for_one_agent_is_told_so() -> None:
    desk = Desk(agents=("101", "102", "103"))
    desk.joins("c1", agent="102")
    found = decided(desk)
    assert (found.strategy, found.chosen) == ("last_agent", ("102",))
    assert told(found) == {"102": ("", "idle 0:00")}
    assert found.others == {"other_agent": 2}


def test_a_decision_is_no_longer_than_two_thousand_octets() -> None:
    long: dict[str, Any] = {"skills": {"普通话客服热线": 1}}
    agents = [Profile(number=f"1000000{number}", **long) for number in range(100, 200)]
    needed = {"普通话客服热线": 3, "english": 2}
    for queue in (
        Queue("售前咨询与技术支持服务队列", skills=needed, strategy="ring_all"),
        Queue("售前咨询与技术支持服务队列", strategy="ring_all"),
        Queue("售前咨询与技术支持服务队列", strategy="longest_idle"),
    ):
        best = Profile(number="99999999", skills=needed)
        desk = Desk([*agents, best], [queue])
        for agent in agents[:90]:
            desk.tell(PauseAsked(agent.number, LONG))
        desk.joins("c" * 32, queue.name)
        written = stored(decided(desk))
        assert len(written) <= 2000
        assert json.loads(written)["candidates"]
