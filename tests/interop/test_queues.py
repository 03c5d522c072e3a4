"""Queues with real phones: who is served when, and what callers and agents hear of it.

Each phrase is a tone of its own, so that what a party heard, and what it did not hear, is known.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.agents import Busy, Skills, add_agents, add_seats, caller_of, doing, work
from tests.kit.callers import Caller, Marks, marked_prompts
from tests.kit.office import MUSIC_HZ, OfficeMaker, Record, TestedOffice, eventually
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.sipp import Sipp
from tests.kit.phones.talker import Talker

pytestmark = pytest.mark.timeout(120)

TRUNK_PORT = 5081

PHRASES = (
    *("queue-next", "queue-position", "queue-wait-under", "queue-agent", "queue-call"),
    *("callback-confirm", "callback-booked", "callback-for"),
)
PROMPTS = ("stay_or_not", "rate_us")

CUSTOMER_HZ, AGENT_HZ, OTHER_HZ, SUPERVISOR_HZ = 1_000, 1_230, 1_790, 2_060
"""What parties say; beside them and the music there are the tones of phrases."""


# -- the order of callers --------------------------------------------------------------------

TWO_QUEUES = """
version: 1
numbers: {"400": flow:service, "401": queue:tech, "402": flow:english}
flows:
  service:
    - if: caller.number in [5091, 5092, 5093]
      then: [{priority: 20}]
    - goto: queue:service
  english:
    - queue: {name: service, skills: {en: 3}}
queues:
  service: {skills: {service: 3}, wrap_up: 0s, whisper: no, if_no_agents: hangup}
  tech: {skills: {tech: 3}, wrap_up: 0s, whisper: no, if_no_agents: hangup}
"""

AGENTS: Mapping[str, Skills] = {
    "201": {"service": 5},
    "202": {"service": 5, "en": 5},
    "203": {"tech": 5},
    "204": {"tech": 4, "service": 2},
    "205": {"service": 3, "tech": 3},
    "206": {"service": 3, "tech": 3, "en": 2},
}

SHARED = ("205", "206")

VIPS = ("5091", "5092", "5093")

CALLERS = (
    *((f"50{number}", ("400", "401", "402", "401", "400")[number % 5]) for number in range(10, 47)),
    *((number, "400") for number in VIPS),
)
"""Forty callers, the important ones last."""

WANTED: Mapping[str, Skills] = {
    "400": {"service": 3},
    "401": {"tech": 3},
    "402": {"service": 3, "en": 3},
}
STEP_S = 60.0
"""One step of priority is worth so many seconds of waiting."""

NEAR_S = 0.005
"""Times in records are to the millisecond; two that are so near have no order."""


@dataclass(frozen=True)
class Served:
    """A caller by its record: when the wait began and when whom it was offered first, as seconds
    since the epoch."""

    number: str
    wants: Skills
    joined: float
    offered: float
    agent: str

    @classmethod
    def of(cls, record: Record) -> Served:
        """Read a record of one wait and one offer."""
        (wait,) = [each for each in record["segments"] if each["kind"] == "queue"]
        (offer,) = record["agents"]
        assert offer["agent"] == record["agent"]
        return cls(
            number=record["caller"]["number"],
            wants=WANTED[record["called"]["number"]],
            joined=datetime.fromisoformat(wait["started_at"]).timestamp(),
            offered=datetime.fromisoformat(offer["began_at"]).timestamp(),
            agent=offer["agent"],
        )

    @property
    def key(self) -> float:
        """Return what callers are ordered by."""
        return self.joined - (20 * STEP_S if self.number in VIPS else 0.0)

    def may_have(self, agent: str) -> bool:
        """Tell whether an agent has the skills that it wants."""
        return all(AGENTS[agent].get(name, 0) >= level for name, level in self.wants.items())

    def was_passed_over_by(self, other: Served) -> bool:
        """Tell whether it should have been offered to the other one's agent."""
        waited = self.joined + NEAR_S < other.offered < self.offered - NEAR_S
        return waited and self.may_have(other.agent) and self.key < other.key - NEAR_S


@pytest.mark.interop("pjsua2", "sipp")
@pytest.mark.load
def test_forty_callers_of_two_queues_with_shared_agents_are_served_in_order(
    serve: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = serve(dialplan=TWO_QUEUES)
    office.add_load_trunk(port=TRUNK_PORT)
    add_seats(office, AGENTS)
    add_agents(office, AGENTS)
    desks = soft(phones, office, *AGENTS)
    with (
        Sipp(
            "waiter",
            tmp_path,
            port=TRUNK_PORT,
            target=office.server,
            callers=CALLERS,
            rate=10,
            patience_ms=90_000,
        ) as callers,
        Busy(desks.values(), serve_quickly),
    ):
        eventually(lambda: waiting(office), lambda count: count == len(CALLERS), timeout=30)
        first = [each["number"] for each in office.ask("queues", "show", "service")["callers"]]
        assert first[: len(VIPS)] == list(VIPS)
        work(office, AGENTS)
        report = callers.finish(timeout=40)
    assert (report.succeeded, report.failed) == (len(CALLERS), 0), report

    records = office.records(len(CALLERS))
    assert {record["result"] for record in records} == {"answered"}
    served = [Served.of(office.ask("cdr", "show", record["id"])) for record in records]
    assert sorted(each.number for each in served) == sorted(number for number, _ in CALLERS)
    assert all(each.may_have(each.agent) for each in served)
    assert {each.agent for each in served} == set(AGENTS)
    passed = [
        (each, other) for each in served for other in served if each.was_passed_over_by(other)
    ]
    assert passed == []
    by_shared = [name for each in served if each.agent in SHARED for name in each.wants]
    assert {"service", "tech"} <= set(by_shared)


def serve_quickly(call: SoftCall) -> None:
    """Answer, say little, and hang up."""
    call.answer()
    call.wait("confirmed")
    time.sleep(0.3)
    call.hang_up()
    call.wait("disconnected")


def serve_whole(office: TestedOffice, phone: SoftPhone, caller: str) -> None:
    """Answer this caller, who is the last one, stay until the two hear each other, and hang up."""
    call = phone.incoming()
    assert caller_of(call) == caller
    call.answer()
    eventually(lambda: waiting(office), lambda count: not count)
    call.hang_up()
    call.wait("disconnected")


def waiting(office: TestedOffice) -> int:
    """Return how many callers wait in all queues."""
    return sum(row["waiting"] for row in office.ask("queues"))


def soft(phones: Phones, office: TestedOffice, *numbers: str) -> dict[str, SoftPhone]:
    """Start phones side by side and register them as extensions."""
    started = phones.at_once(*(lambda n=n: phones.pjsua(office, n) for n in numbers))
    by_number = dict(zip(numbers, started, strict=True))
    return {number: phone for number, phone in by_number.items() if isinstance(phone, SoftPhone)}


# -- what they hear --------------------------------------------------------------------------


def marked(office: TestedOffice) -> Marks:
    """Let each phrase and prompt be a tone of its own."""
    return marked_prompts(office.folder, [f"zh/{name}" for name in (*PHRASES, *PROMPTS)])


def dials(office: TestedOffice, phone: SoftPhone, marks: Marks, hz: int) -> Caller:
    """Let a customer call the queue."""
    call = phone.dial(office.uri("400"))
    call.wait("confirmed")
    return Caller(call, marks, hz=hz)


def answers(phone: SoftPhone, marks: Marks, hz: int, *, timeout: float = 15.0) -> Caller:
    """Let an agent answer the next call."""
    call = phone.incoming(timeout=timeout)
    call.answer()
    call.wait("confirmed")
    return Caller(call, marks, hz=hz)


HEARING = """
version: 1
numbers: {"400": queue:service}
prompts: {stay_or_not: {zh: 继续等待请按1，回电请按2。}}
menus:
  stay_or_not: {prompt: stay_or_not, keys: {1: stay, 2: callback}, tries: 1, give_up: stay}
queues:
  service:
    skills: {service: 1}
    wrap_up: 0s
    say_agent_number: yes
    position: {every: 15s, estimate: yes}
    offer: {after: 3s, menu: stay_or_not}
    if_no_agents: hangup
"""


@pytest.mark.interop("pjsua2")
def test_each_hears_what_is_for_it_and_nothing_else(serve: OfficeMaker, phones: Phones) -> None:
    office = serve(dialplan=HEARING)
    marks = marked(office)
    add_agents(office, {"103": {"service": 5}})
    desks = soft(phones, office, "101", "102", "103")
    first = dials(office, desks["101"], marks, CUSTOMER_HZ)
    first.hears("zh/queue-next")
    second = dials(office, desks["102"], marks, OTHER_HZ)
    second.hears("zh/queue-position")
    second.hears_tone(MUSIC_HZ)
    second.hears("zh/stay_or_not")
    second.presses("1")
    second.hears_tone(MUSIC_HZ)

    work(office, ["103"])
    agent = answers(desks["103"], marks, AGENT_HZ)
    agent.hears("zh/queue-call")
    first.hears("zh/queue-agent")
    agent.hears_tone(CUSTOMER_HZ)
    first.hears_tone(AGENT_HZ)
    assert "zh/queue-call" not in first.heard_so_far()
    assert agent.heard_so_far() == {"zh/queue-call"}

    second.hears("zh/queue-next", within=20)
    assert not {"zh/queue-call", "zh/queue-agent"} & second.heard_so_far()
    agent.call.hang_up()
    first.call.wait("disconnected")
    agent = answers(desks["103"], marks, AGENT_HZ)
    second.hears("zh/queue-agent")
    agent.hears_tone(OTHER_HZ)
    second.hears_tone(AGENT_HZ)
    assert agent.heard_so_far() == {"zh/queue-call"}
    second.call.hang_up()
    agent.call.wait("disconnected")
    assert {record["agent"] for record in office.records(2)} == {"103"}


@pytest.mark.interop("pjsua2", "sipp")
def test_a_caller_is_told_how_long_it_takes_once_that_is_known(
    serve: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = serve(dialplan=HEARING.replace("say_agent_number: yes", "whisper: no"))
    marks = marked(office)
    office.add_load_trunk(port=TRUNK_PORT)
    add_agents(office, {"103": {"service": 5}})
    desks = soft(phones, office, "101", "103")
    callers = [(f"500{number}", "400") for number in range(6)]
    with Sipp("waiter", tmp_path, port=TRUNK_PORT, target=office.server, callers=callers) as many:
        eventually(lambda: waiting(office), lambda count: count == len(callers))
        work(office, ["103"])
        for number, _ in callers[:-1]:
            call = desks["103"].incoming()
            assert caller_of(call) == number
            serve_quickly(call)
        last = answers(desks["103"], marks, AGENT_HZ)
        customer = dials(office, desks["101"], marks, CUSTOMER_HZ)
        customer.hears("zh/queue-next", "zh/queue-wait-under")
        last.call.hang_up()
        assert many.finish(timeout=10).failed == 0
        agent = answers(desks["103"], marks, AGENT_HZ)
        agent.hears_tone(CUSTOMER_HZ)
        agent.call.hang_up()
        customer.call.wait("disconnected")


# -- call-backs ------------------------------------------------------------------------------


@pytest.mark.interop("pjsua2", "sipp")
@pytest.mark.parametrize("whom", ["agent", "customer"])
def test_a_caller_who_hangs_up_is_called_back_in_its_turn(
    serve: OfficeMaker, phones: Phones, tmp_path: Path, whom: str
) -> None:
    rules = "offer: {after: 2s, menu: stay_or_not}\n    callback: {first: " + whom + "}"
    office = serve(dialplan=HEARING.replace("offer: {after: 3s, menu: stay_or_not}", rules))
    marks = marked(office)
    office.add_load_trunk(port=TRUNK_PORT)
    add_agents(office, {"103": {"service": 5}})
    desks = soft(phones, office, "101", "103")
    customer = dials(office, desks["101"], marks, CUSTOMER_HZ)
    customer.hears("zh/queue-next")
    customer.hears("zh/stay_or_not")
    customer.presses("2")
    customer.hears("zh/callback-confirm")
    customer.presses("1")
    customer.hears("zh/callback-booked")
    customer.call.wait("disconnected")
    (booked,) = office.ask("callback", "list")
    assert (booked["number"], booked["queue"], booked["tries"]) == ("101", "service", 0)

    later = [("5001", "400")]
    with Sipp("waiter", tmp_path, port=TRUNK_PORT, target=office.server, callers=later) as one:
        eventually(lambda: waiting(office), lambda count: count == 2)
        work(office, ["103"])
        if whom == "agent":
            agent = answers(desks["103"], marks, AGENT_HZ)
            agent.hears("zh/callback-for")
            customer = answers(desks["101"], marks, CUSTOMER_HZ)
        else:
            customer = answers(desks["101"], marks, CUSTOMER_HZ)
            agent = answers(desks["103"], marks, AGENT_HZ)
        customer.hears_tone(AGENT_HZ)
        agent.hears_tone(CUSTOMER_HZ)
        agent.call.hang_up()
        customer.call.wait("disconnected")
        serve_whole(office, desks["103"], "5001")
        assert one.finish(timeout=10).failed == 0

    assert office.ask("callback", "list") == []
    records = {record["id"]: record for record in office.records(3)}
    asked = records.pop(booked["call"])
    assert (asked["callback"]["result"], asked["callback"]["tries"]) == ("answered", 1)
    assert (asked["callback"]["number"], asked["callback"]["agent"]) == ("101", "103")
    back, waited = sorted(records.values(), key=lambda record: record["started_at"], reverse=True)
    if back["caller"]["number"] == "5001":
        back, waited = waited, back
    assert (back["queue"], back["agent"], back["result"]) == ("service", "103", "answered")
    assert back["called"]["number"] == "101"
    assert back["talk_s"] > 0.5
    assert waited["agent"] == "103"


# -- surveys ---------------------------------------------------------------------------------

SURVEYS = """
version: 1
numbers: {"400": queue:pushed, "401": queue:asked}
prompts: {rate_us: {zh: 满意请按1，不满意请按2。}}
surveys:
  csat: {prompt: rate_us, keys: {1: good, 2: bad}, timeout: 8s}
queues:
  pushed:
    skills: {service: 1}
    wrap_up: 1m
    whisper: no
    survey: {ask: csat, percent: 0}
    if_no_agents: hangup
  asked: {like: pushed, survey: csat}
"""


@pytest.mark.interop("pjsua2")
def test_a_survey_is_pushed_by_the_agent_or_comes_by_itself(
    serve: OfficeMaker, phones: Phones
) -> None:
    office = serve(dialplan=SURVEYS)
    marks = marked(office)
    add_agents(office, {"103": {"service": 5}})
    work(office, ["103"])
    desks = soft(phones, office, "101", "103")
    for number, queue, key in (("400", "pushed", "2"), ("401", "asked", "1")):
        call = desks["101"].dial(office.uri(number))
        agent = answers(desks["103"], marks, AGENT_HZ)
        call.wait("confirmed")
        customer = Caller(call, marks, hz=CUSTOMER_HZ)
        customer.hears_tone(AGENT_HZ)
        if queue == "pushed":
            agent.presses("*4")
        else:
            agent.call.hang_up()
        agent.call.wait("disconnected")
        customer.hears("zh/rate_us")
        assert doing(office, "103")[0] == "wrap_up", "the agent is not kept by the survey"
        work(office, ["103"])
        customer.presses(key)
        call.wait("disconnected")
    found = {each["queue"]: (each["agent"], each["survey"]) for each in office.records(2)}
    assert found == {
        "pushed": ("103", {"name": "csat", "key": "2", "meaning": "bad"}),
        "asked": ("103", {"name": "csat", "key": "1", "meaning": "good"}),
    }


# -- forced release --------------------------------------------------------------------------


@pytest.mark.interop("pjsua2", "sipp")
def test_a_supervisor_releases_an_agent_takes_over_and_ends_the_call(
    serve: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = serve(dialplan=HEARING)
    marks = marked(office)
    office.add_load_trunk(port=TRUNK_PORT)
    add_agents(office, {"103": {"service": 5}, "104": {"service": 5}})
    desks = soft(phones, office, "101", "102", "103", "104")
    customer = dials(office, desks["101"], marks, CUSTOMER_HZ)
    work(office, ["103"])
    agent = answers(desks["103"], marks, AGENT_HZ)
    agent.hears_tone(CUSTOMER_HZ)
    other = [("5001", "400")]
    with Sipp("waiter", tmp_path, port=TRUNK_PORT, target=office.server, callers=other) as one:
        eventually(lambda: waiting(office), lambda count: count == 1)
        office.cli("release", "101", "--mode", "agent")
        agent.call.wait("disconnected")
        customer.hears_tone(MUSIC_HZ)
        in_order = office.ask("queues", "show", "service")["callers"]
        assert [each["number"] for each in in_order] == ["101", "5001"]
        assert doing(office, "103") == ("paused", "supervisor")

        work(office, ["104"])
        second = answers(desks["104"], marks, OTHER_HZ)
        second.hears_tone(CUSTOMER_HZ)
        customer.hears_tone(OTHER_HZ)
        office.cli("barge", "102", "101")
        supervisor = desks["102"].incoming()
        supervisor.answer()
        supervisor.wait("confirmed")
        speaks = Talker(supervisor, SUPERVISOR_HZ)
        office.cli("release", "101", "--mode", "takeover")
        second.call.wait("disconnected")
        customer.hears_tone(SUPERVISOR_HZ)
        assert doing(office, "104") == ("paused", "supervisor")
        office.cli("release", "101", "--mode", "all")
        customer.call.wait("disconnected")
        speaks.call.wait("disconnected")

        work(office, ["103"])
        serve_whole(office, desks["103"], "5001")
        assert one.finish(timeout=10).failed == 0
    records = {record["caller"]["number"]: record for record in office.records(2)}
    whole = office.ask("cdr", "show", records["101"]["id"])
    parts = [(each["agent"], each["result"]) for each in whole["agents"]]
    assert parts == [("103", "answered"), ("104", "answered"), ("102", "transferred")]
    modes = [each["mode"] for each in sorted(whole["supervision"], key=lambda e: e["started_at"])]
    assert modes == ["release:agent", "barge", "release:takeover", "release:all"]
    assert (whole["result"], whole["ended_by"]) == ("answered", "supervisor")
    waits = [each for each in whole["segments"] if each["kind"] == "queue"]
    assert [each["result"] for each in waits] == ["answered", "answered"]
    assert records["5001"]["agent"] == "103"
